-- The marker of a job: the instructions are sent as they would be without it, and refused for the same reasons.
local instructions_of = require "devkit4ai.generation.input.instructions"
local json = require "devkit4ai.util.json"
local marker = require "devkit4ai.batch.run.marker"

describe("a marker", function()
  local function job_of(instructions) return { name = "a.png", instructions = instructions } end

  it("changes nothing else in the instructions", function()
    for _, given in ipairs {
      "a lighthouse", '"Eternal City"', " a city ", '["a red door", "a blue door"]', { prompt = "x", style = "ink" },
      '{"prompt":"x","style":null}', '{"prompt":"{\\"a\\":1}"}', '{ "prompt": "x", "seed": 12345678901234567890 } ',
      '{"prompt":"}"}',
    } do
      local text = assert(instructions_of.encode(given))
      assert.is_nil(marker.problem(job_of(given), "batch"))
      local marked = marker.add(job_of(given), "batch")
      local body = text:match "^(.*)}"
      assert.equal(body, marked:sub(1, #body))
      assert.equal(',"job":"batch/a.png"}', marked:sub(#body + 1))
      assert.equal("batch/a.png", assert(json.decode_object(marked)).job)
    end
  end)

  it("is refused with instructions that are refused without it", function()
    for _, given in ipairs {
      '{"prompt": "a harbour",}', '{"prompt": "a city"', "{}", "", " ", { style = "ink" }, "\255",
    } do
      local _, why = instructions_of.encode(given)
      assert.is_string(why)
      assert.equal(why, marker.problem(job_of(given), "batch"))
    end
  end)

  it("is refused where the instructions have its field, or become too long", function()
    assert.truthy(marker.problem(job_of { prompt = "x", job = "mine" }, "batch"):find('have a field "job"', 1, true))
    assert.truthy(marker.problem(job_of '{"prompt":"x","job":null}', "batch"):find('have a field "job"', 1, true))
    local long = ("x"):rep(1000 - #'{"prompt":""}')
    assert.is_string(instructions_of.encode(long))
    assert.truthy(marker.problem(job_of(long), "batch"):find("the marker of the batch is a part of them", 1, true))
  end)
end)
