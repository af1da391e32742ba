-- The lines of a journal, and the rows of a CSV file, that C reads: it gives what the readers in Lua give, or leaves them to those.
-- One Lua is enough: the C code is the same in each.
if _VERSION ~= "Lua 5.4" then return end

local core = require "devkit4ai.core"
local csv = require "devkit4ai.batch.jobs.csv"
local json = require "devkit4ai.util.json"
local states = require "devkit4ai.batch.journal.state"

local ROUNDS = 20000

-- Numbers that are the same in each run.
local function new_random()
  local state = 20240611
  return function(most)
    state = (state * 1103515245 + 12345) % 2 ^ 31
    return math.floor(state / 2 ^ 31 * most) + 1
  end
end

local function pick(random, list) return list[random(#list)] end

local TEXTS = {
  "a.png", "b.png", "", "\\u0041", "\\\\", '\\"', "\\n", "\t", "\195\169", "\255", "\127", "x,y", "{", "}",
  "00",
  "00112233445566778899aabbccddeeff", "550e8400-e29b-41d4-a716-446655440000",
}
local STEPS = { "planned", "sending", "refused", "accepted", "completed", "saved", "failed", "undecided", "saving", "" }
local NUMBERS = {
  "0", "1", "2", "007", "00", "1800000000", "999999999999999", "9999999999999999", "-1", "1.5", "1e3", "0x10", "",
  "NaN",
}
local NAMES = {
  "digest", "id", "images", "since", "bytes", "time", "sum", "paid", "reason", "attempt", "job", "step", "run", "other",
  "",
}

local DIGEST = '"digest":"00112233445566778899aabbccddeeff"'
local USUAL = {
  DIGEST, DIGEST, '"id":"g1"', '"id":"g2"', '"images":"00"', '"since":1800000000', '"bytes":5',
  '"time":1', '"sum":"0f"',
}

local function field(random)
  if random(4) > 1 then return pick(random, USUAL) end
  local kind, name = random(8), pick(random, NAMES)
  local value = kind <= 4 and '"' .. pick(random, TEXTS) .. '"' or kind <= 7 and pick(random, NUMBERS)
    or pick(random, { "true", "false", "null", "{}", "[1]" })
  return ('"%s":%s'):format(name, value)
end

-- A line that a program could write, with fields in any order, twice, or with another value.
local function line_of(random)
  local parts = { ('"job":"%s"'):format(pick(random, TEXTS)), ('"step":"%s"'):format(pick(random, STEPS)) }
  for i = 3, 1 + random(4) do parts[i] = field(random) end
  if random(20) == 1 then parts[1], parts[2] = parts[2], parts[1] end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Changes a byte, removes some, or repeats some.
local function mutate(random, line)
  local from = random(#line)
  local to = math.min(#line, from + random(4) - 1)
  local middle = pick(random, {
    "", string.char(random(255)), line:sub(from, to):rep(2),
    pick(random, { '"', ",", ":", "}", "{", "\\", " ", "0", "\0" }),
  })
  return (line:sub(1, from - 1) .. middle .. line:sub(to + 1)):gsub("\n", " ")
end

describe("what C reads of a batch", function()
  it("is for a line of the journal what the JSON decoder gives, or nothing", function()
    local random, usual = new_random(), 0
    for _ = 1, ROUNDS do
      local line = line_of(random)
      for _ = 1, random(4) - 2 do line = mutate(random, line) end
      local read = core.job_states()
      local stop, count = read:add_lines(line .. "\n", 0, #line + 1)
      assert.equal(count == 1 and #line + 1 or 0, stop)
      if count == 1 then
        usual = usual + 1
        local record, other = json.decode_plain(line), states.new()
        assert(type(record) == "table" and other:add(record), line)
        assert.same({ other._jobs:get(record.job) }, { read:get(record.job) }, line)
        assert.same({ other:payments(), other:open_names() }, { read:payments(), read:open_names() }, line)
      end
    end
    assert.is_true(usual > ROUNDS / 10 and usual < ROUNDS / 2, usual)
  end)

  it("is for a row of a CSV file what the reader of rows with quotes gives, or nothing", function()
    local random, plain = new_random(), 0
    local header = { "a", "b c", "\195\169" }
    local items = {
      "", "x", " ", "a,b", ";", '"', '"q"', '"x,y"', '""', '"d""d"', "\195\169", "\r", "{row.a}", ",", "\t",
    }
    for _ = 1, ROUNDS / 4 do
      local fields = {}
      for i = 1, random(3) == 1 and random(4) or 3 do fields[i] = items[random(2) * random(math.floor(#items / 2))] end
      local separator = pick(random, { ",", ";" })
      local text = table.concat(fields, separator)
      local row = text ~= "" and core.plain_row(text, separator, header)
      if row then
        plain = plain + 1
        -- a first field with a quote: the same row, read by the Lua code
        local given = { '"q",' .. table.concat(header, ","), '"' .. "z" .. '",' .. text }
        if separator == ";" then given = { '"q";' .. table.concat(header, ";"), '"z";' .. text } end
        local at = 0
        local next_row = csv.rows(function()
          at = at + 1
          return given[at], given[at] and at
        end)
        local expected, number, why = next_row()
        assert(expected, why or number)
        expected.q = nil
        assert.same(expected, row, text)
      end
    end
    assert.is_true(plain > ROUNDS / 40, plain)
  end)
end)
