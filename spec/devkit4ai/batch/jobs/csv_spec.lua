-- Job files in CSV.
local csv = require "devkit4ai.batch.jobs.csv"
local job_file = require "spec.support.job_file"
local lines = require "devkit4ai.batch.jobs.lines"

local function read(text) return assert(job_file.rows(text, csv)) end

describe("a CSV file", function()
  it("gives a row of texts per line, with the number of the line", function()
    assert.same({ { { city = "Paris", n = "1" }, 2 }, { { city = "", n = "2" }, 3 } }, read "city,n\nParis,1\n,2\n")
  end)

  it("may begin with a byte order mark, and end lines with CR LF or the last one with nothing", function()
    assert.same({ { { city = "Paris", n = "1" }, 2 } }, read "\239\187\191city,n\r\nParis,1")
  end)

  it("has quotes, separators and line feeds in quoted fields", function()
    assert.same({
      { { city = "Paris, France", prompt = 'a "big" house\nat night' }, 2 }, { { city = "x", prompt = "" }, 4 },
    }, read 'city,prompt\r\n"Paris, France","a ""big"" house\r\nat night"\r\nx,""\r\n')
  end)

  it("may have semicolons in place of commas, as some spreadsheets write", function()
    assert.same({ { { city = "Paris, France", images = "a;b" }, 2 } }, read 'city;images\nParis, France;"a;b"\n')
    assert.same({ { { ["a;b"] = "1;2", c = "3" }, 2 } }, read '"a;b",c\n1;2,3\n')
  end)

  it("may have empty lines, which are counted", function()
    assert.same({ { { a = "1" }, 4 } }, read "\n\na\n1\n\n")
  end)

  it("reads on after a row with too few or too many fields, and names its line", function()
    local rows = read 'a,b\n1\n1,2\n1,2,3\n"1"\n'
    assert.same({ false, 2, "the number of its fields is 1, but the first line names 2 columns" }, rows[1])
    assert.same({ { a = "1", b = "2" }, 3 }, rows[2])
    assert.same({ false, 4, "the number of its fields is 3, but the first line names 2 columns" }, rows[3])
    assert.equal(5, rows[4][2])
  end)

  local function problem(text)
    local rows = read(text)
    assert.is_false(rows[#rows][1])
    return ("%d: %s"):format(rows[#rows][2], rows[#rows][3])
  end

  it("is refused with a column twice, or without a name", function()
    assert.equal("1: the columns 1 and 3 are both named a", problem "a,b,a\n1,2,3\n")
    assert.equal("1: column 2 of the first line has no name", problem "a,,b\n1,2,3\n")
  end)

  it("is refused from the quote that is never closed", function()
    local rows = read 'a,b\n1,2\n3,"4\n5,6\n7,8\n'
    assert.equal(2, #rows)
    assert.same({ false, 3, "a quoted field does not end; add the quote that is missing" }, rows[2])
  end)

  it("does not read a whole file as one field", function()
    local rows = read('a\n"1\n' .. (("x"):rep(1000) .. "\n"):rep(2000))
    assert.same({ false, 2, "a quoted field has more than 1 MB; a quote is missing" }, rows[1])
    assert.equal(1, #rows)
  end)

  it("names wrong quotes", function()
    assert.truthy(problem('a\nsay "hi"\n'):find("^2: there is a quote inside a field without quotes"))
    assert.truthy(problem('a\n"say "hi""\n'):find("^2: there is text after the closing quote"))
  end)

  it("must be UTF-8 without NUL bytes, in each line", function()
    local rows = read "a\nZ\252rich\n1\n2\0003\n"
    assert.same({ false, 2, "byte 2 of the line is not UTF-8; save the file as UTF-8" }, rows[1])
    assert.same({ { a = "1" }, 3 }, rows[2])
    assert.same({ false, 4, "the line has a NUL byte" }, rows[3])
    assert.same({ { { a = "Zürich" }, 2 } }, read "a\nZürich\n")
  end)

  it("stops where a quoted field has a line that is not UTF-8", function()
    local rows = read 'a\n"x\n\252\ny"\nz\n'
    assert.equal(1, #rows)
    assert.same({ false, 2, "byte 1 of the line is not UTF-8; save the file as UTF-8" }, rows[1])
  end)

  it("reads on after a line of more than 1 MB", function()
    local rows = read("a\n" .. ("x"):rep(3 * 1024 * 1024) .. "\n1\n")
    assert.same({ false, 2, "the line has more than 1 MB" }, rows[1])
    assert.same({ { a = "1" }, 3 }, rows[2])
  end)

  it("reads the same rows wherever the blocks of the file end", function()
    for padding = 65530, 65540 do
      local rows = read("a,b\r\n" .. ("x"):rep(padding) .. ',"1\n2"\r\n3,4\r\n')
      assert.equal(2, #rows)
      assert.equal("1\n2", rows[1][1].b)
      assert.same({ { a = "3", b = "4" }, 4 }, rows[2])
    end
  end)

  it("may have 1,000,000 lines, of which a few are in memory", function()
    local file = assert(io.tmpfile())
    file:write "city,prompt\n"
    for first = 1, 1000000, 1000 do
      local rows = {}
      for i = first, first + 999 do rows[#rows + 1] = ('City %d,"a ""big"" house, number %d"\n'):format(i, i) end
      file:write(table.concat(rows))
    end
    file:seek "set"
    local next_row, count, last, number = csv.rows(assert(lines.of(file))), 0, nil, nil
    collectgarbage()
    local before = collectgarbage "count"
    local most = before
    for row, line in next_row do
      count, last, number = count + 1, row, line
      if count % 100000 == 0 then
        collectgarbage()
        most = math.max(most, collectgarbage "count")
      end
    end
    assert.same({ 1000000, 1000001, { city = "City 1000000", prompt = 'a "big" house, number 1000000' } },
      { count, number, last })
    file:close()
    assert.is_true(most - before < 1024, most - before) -- KiB; the file has 44 MB
  end)

  it("is refused with what to do, if it is no plain text", function()
    for start, expected in pairs {
      ["\31\139\8"] = "compressed (gzip)", BZh9 = "bzip2", ["\253" .. "7zXZ"] = "xz", ["\40\181\47\253"] = "zstd",
      ["PK\3\4"] = "save the table as CSV in UTF-8", ["\255\254a\0"] = "UTF-16", ["\254\255\0a"] = "UTF-16",
      ["\239\187\191 [{"] = "JSON array", [" \n"] = "it is empty", [""] = "it is empty", ["a\rb\r"] = "CR alone",
    } do
      local rows, why = job_file.rows(start, csv)
      why = why or rows[1][3]
      assert.truthy(why:find(expected, 1, true), why)
    end
  end)

  it("has no rows if it has the names of the columns alone", function()
    assert.same({}, read "a,b\n")
  end)
end)
