-- Templates of prompts, names and images.
local template = require "devkit4ai.batch.jobs.template"

local function fill(text, row) return assert(template.compile(text))(row) end

describe("a template", function()
  it("has fields of the row, at any place and more than once", function()
    local row = { city = "Paris", time = "night" }
    assert.equal("Paris at night, Paris", fill("{row.city} at {row.time}, {row.city}", row))
    assert.equal("no field", fill("no field", {}))
    assert.equal("", fill("", {}))
    assert.equal("100% %1", fill("{row.a} %1", { a = "100%" }))
  end)

  it("has fields inside fields, and items of lists", function()
    assert.equal("75001 b", fill("{row.place.zip} {row.tags.2}", { place = { zip = 75001 }, tags = { "a", "b" } }))
  end)

  it("prefers a column whose name has a dot", function()
    assert.equal("column", fill("{row.a.b}", { ["a.b"] = "column", a = { b = "field" } }))
    assert.equal("x", fill("{row.City name}", { ["City name"] = "x" }))
  end)

  it("writes numbers and booleans as texts", function()
    assert.equal("7 0.5 true 1e+20", fill("{row.a} {row.b} {row.c} {row.d}", { a = 7, b = 0.5, c = true, d = 1e20 }))
  end)

  it("writes a double brace as a brace", function()
    assert.equal("{row.a} {x}}", fill("{{row.a} {{x}}", { a = 1 }))
  end)

  it("is not filled again: a field may have braces", function()
    assert.equal("{row.b}", fill("{row.a}", { a = "{row.b}", b = "x" }))
  end)

  it("fails with the name of a field that is not there, or is no text", function()
    assert.same({ nil, "there is no field town in its row" }, { fill("{row.town}", { city = "Paris" }) })
    assert.equal("there is no field a.b.c in its row", select(2, fill("{row.a.b.c}", { a = { b = "x" } })))
    assert.equal("{row.a} is a table, not a text; name one of its fields", select(2, fill("{row.a}", { a = {} })))
  end)

  it("is refused with a brace that begins no field, since the text would be paid for", function()
    for _, text in ipairs { "{city}", "{row.}", "{row.a", "{ row.a }", "{row.{row.a}}" } do
      local compiled, why = template.compile(text)
      assert.is_nil(compiled)
      assert.truthy(why:find("has a brace that begins no field; write {row.NAME}", 1, true), why)
    end
  end)

  it("is each text in a table, and other values stay", function()
    local given = { prompt = "{row.city}", n = 2, deep = { "{row.city}", true } }
    local filler = assert(template.compile_value(given))
    assert.same({ prompt = "Paris", n = 2, deep = { "Paris", true } }, filler { city = "Paris" })
    assert.same({ nil, "there is no field city in its row" }, { filler {} })
    assert.equal("{row.city}", given.prompt)
    assert.is_nil(template.compile_value { a = { "{city}" } })
  end)
end)
