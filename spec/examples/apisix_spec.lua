-- The form of the plugin in examples/apisix. Debian has no APISIX and no JSON Schema for Lua: spec/support/plugins/apisix.lua stands in
-- for apisix.core, and the schema is checked by hand. plugins_spec runs the plugin.
local apisix = require "spec.support.plugins.apisix"
local child = require "spec.support.process.child"
local studio_images = require "spec.support.plugins.studio_images"

local KEYWORDS = { type = "string", minLength = "number", default = "string" }

local function set(list)
  local names = {}
  for _, name in ipairs(list) do names[name] = true end
  return names
end

describe("examples/apisix", function()
  local plugin, checked
  setup(function()
    apisix.install(function(schema, conf)
      checked = { schema, conf }
      return false, "why not"
    end)
    plugin = studio_images.load "examples/apisix/apisix/plugins/studio-images.lua"
  end)
  teardown(function() package.loaded["apisix.core"] = nil end)

  it("has the fields that APISIX's loader needs", function()
    assert.equal("studio-images", plugin.name)
    assert.equal("number", type(plugin.version))
    assert.truthy(plugin.priority >= 1 and plugin.priority <= 99) -- APISIX asks for this range
    assert.equal("function", type(plugin.access))
  end)

  it("checks a configuration by its schema", function()
    local conf = {}
    local ok, why = plugin.check_schema(conf)
    assert.same({ false, "why not" }, { ok, why })
    assert.equal(plugin.schema, checked[1])
    assert.equal(conf, checked[2])
  end)

  it("has a JSON Schema of texts, whose secrets are encrypted", function()
    local schema = plugin.schema
    assert.equal("object", schema.type)
    local names, secrets, needed = {}, {}, {}
    for name, field in pairs(schema.properties) do
      for keyword, value in pairs(field) do assert.equal(KEYWORDS[keyword], type(value), name .. "." .. keyword) end
      assert.equal("string", field.type)
      names[name] = true
      needed[name] = field.default == nil or nil
      secrets[name] = (name:find "key$" or name == "password") and true or nil
    end
    assert.same(studio_images.field_names(), names)
    assert.same(needed, set(schema.required))
    assert.same(secrets, set(schema.encrypt_fields))
  end)

  it("has a configuration with exactly these fields, whose variables reach the workers", function()
    local conf = studio_images.yaml_fields(child.read "examples/apisix/apisix.yaml", "studio%-images")
    local names = {}
    for name in pairs(conf) do names[name] = true end
    assert.same(studio_images.field_names(), names)
    local config = child.read "examples/apisix/config.yaml"
    for variable in child.read("examples/apisix/apisix.yaml"):gmatch "%$ENV://([%u_]+)" do
      assert.truthy(config:find("    - " .. variable .. "\n", 1, true), variable)
    end
    assert.truthy(config:find("  - " .. plugin.name .. "\n", 1, true))
  end)
end)
