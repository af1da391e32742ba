-- Job files in JSON Lines.
local job_file = require "spec.support.job_file"
local json_lines = require "devkit4ai.batch.jobs.json_lines"

local function read(text) return assert(job_file.rows(text, json_lines)) end

describe("a JSON Lines file", function()
  it("gives an object per line, without its nulls", function()
    assert.same({
      { { city = "Paris", place = { zip = 75001 }, list = { "a", "b" } }, 1 }, { { city = "Zürich" }, 3 },
    }, read '\239\187\191{"city":"Paris","place":{"zip":75001,"x":null},"list":["a",null,"b"]}\r\n \n{"city":"Zürich"}')
  end)

  it("keeps whole numbers whole, as texts show", function()
    assert.equal("7", tostring(read '{"n":7}'[1][1].n))
  end)

  it("reads on after a line that is no object, and names the line", function()
    local rows = read '{"a":1}\n[1]\n{"a":\n{"a":2}\n'
    assert.same({ { a = 1 }, 1 }, rows[1])
    assert.truthy(rows[2][3]:find("^it is not a JSON object: "))
    assert.same({ 2, 3 }, { rows[2][2], rows[3][2] })
    assert.is_false(rows[3][1])
    assert.same({ { a = 2 }, 4 }, rows[4])
  end)

  it("does not repair broken JSON, since its texts are paid for", function()
    assert.is_false(read '{"a":NaN}'[1][1])
    assert.is_false(read '{"a":"x\ty"}'[1][1])
  end)

  it("keeps fields with the names of secrets, which a user's row may have", function()
    assert.same({ key = "K", api_key = "A" }, read '{"key":"K","api_key":"A"}'[1][1])
  end)
end)
