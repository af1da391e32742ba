-- The option dialect: in start{}, on the command line, in the help and in the documents.
local dialect = require "devkit4ai.sandbox.dialect"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("a dialect", function()
  local function value_of(given)
    return assert(dialect.resolve(given))
  end

  it("is a base, single axes, or both", function()
    local seed = value_of "seed"
    for _, given in ipairs { {}, { "seed" }, "upload_part=example_images", "seed , slash = 307" } do
      assert.same(seed, value_of(given))
    end
    assert.same(value_of { "pages", slash = "404", upload_part = "any" }, value_of "pages,slash=404,upload_part=any")
    assert.equal("single_use", value_of("refresh_rotation=single_use").refresh_rotation)
    for _, base in ipairs(dialect.bases) do
      for _, axis in ipairs(dialect.axes) do assert.equal(axis[base], value_of(base)[axis[1]]) end
    end
  end)

  it("is the same after it was formatted and parsed", function()
    for _, given in ipairs { "seed", "openapi", "pages", "slash=404,rate_headers=limits+body" } do
      assert.same(value_of(given), value_of(dialect.format(value_of(given))))
    end
    assert.equal("seed", dialect.format(value_of "seed"))
  end)

  it("that is unknown gets an error with the known ones", function()
    for given, fragment in pairs {
      ["seeds"] = "unknown dialect 'seeds' (known: seed, openapi, pages)",
      [""] = "unknown dialect '' (known: seed, openapi, pages)",
      ["seed,slashes=404"] = "unknown dialect axis 'slashes' (known: provisioning, refresh_rotation, ",
      ["slash=405"] = "unknown value of dialect axis slash '405' (known: 307, accept, 404)",
      ["seed,pages"] = "a dialect has one base, not 'seed' and 'pages'",
    } do
      local none, problem = dialect.resolve(given)
      assert.is_nil(none)
      assert.truthy(problem:find(fragment, 1, true), problem)
    end
    for _, given in ipairs { 7, true } do
      assert.same({ nil, "dialect must be a string or a table" }, { dialect.resolve(given) })
    end
  end)

  it("that is unknown raises an error at the line that calls start", function()
    local sandbox = require "devkit4ai.sandbox"
    for _, given in ipairs { "seeds", { slash = "x" }, { "seed", x = "y" }, 7 } do
      local ok, message = pcall(function()
        sandbox.start { dialect = given }
      end)
      assert.is_false(ok)
      assert.truthy(message:find "dialect_option_spec.lua:%d+: devkit4ai%.sandbox%.start: .*dialect", message)
    end
  end)

  it("has values for each axis in every base, and a help text", function()
    for _, axis in ipairs(dialect.axes) do
      local known = {}
      for _, value in ipairs(axis.values) do known[value] = true end
      for _, base in ipairs(dialect.bases) do assert.is_true(known[axis[base]], axis[1]) end
      assert.is_string(axis.help)
    end
    assert.equal(10, #dialect.axes)
  end)

  it("is in the command's help", function()
    local function one_line(text) return (text:gsub("%s+", " ")) end -- the help has other line breaks
    local shown = helper.shell "devkit4ai sandbox --help"
    assert.truthy(one_line(shown):find(one_line(dialect.help()), 1, true))
    for _, axis in ipairs(dialect.axes) do
      for _, value in ipairs(axis.values) do assert.truthy(dialect.help():find(value, 1, true), value) end
    end
    local text_of = helper.shell "devkit4ai sandbox --dialect seed,slash=x 2>&1"
    assert.truthy(text_of:find("unknown value of dialect axis slash 'x' (known: 307, accept, 404)", 1, true), text_of)
  end)

  it("is in docs/sandbox.md, row by row", function()
    local file = assert(io.open "docs/sandbox.md")
    local section = file:read("*a"):match "\n## Dialects\n(.*)"
    file:close()
    local written, rows = {}, {}
    for line in ((section or ""):gsub("\n## .*", "")):gmatch "\n(| `[^\n]*)" do written[#written + 1] = line end
    for i, axis in ipairs(dialect.axes) do
      rows[i] = ("| `%s` | `%s` | `%s` | `%s` | `%s` | %s |"):format(axis[1], table.concat(axis.values, "`, `"),
        axis.seed, axis.openapi, axis.pages, axis.help)
    end
    assert.same(rows, written)
  end)
end)
