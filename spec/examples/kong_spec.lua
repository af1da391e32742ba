-- The form of the plugin in examples/kong. Debian has no Kong: spec/support/plugins/kong.lua stands in for its typedefs, and the rules
-- here are those of Kong's metaschema and loader that concern this plugin. plugins_spec runs the plugin.
local child = require "spec.support.process.child"
local kong = require "spec.support.plugins.kong"
local studio_images = require "spec.support.plugins.studio_images"

local NAME = "studio-images"
local FOLDER = "examples/kong/kong/plugins/" .. NAME .. "/"
local TYPES = {} -- of an attribute of a field
for name in ("type description"):gmatch("%S+") do TYPES[name] = "string" end
for name in ("required referenceable encrypted uuid"):gmatch("%S+") do TYPES[name] = "boolean" end
TYPES.default, TYPES.fields, TYPES.elements = "string", "table", "table"

local function is_referenceable(field)
  return field.referenceable == true
end

-- Each field is a table of one key. Returns them by name, and raises for a wrong form.
local function check_fields(fields)
  local by_name = {}
  for i, entry in ipairs(fields) do
    local name, field = next(entry)
    assert(name and next(entry, name) == nil, ("field %d is not a table of one key"):format(i))
    assert(not by_name[name], name)
    for attribute, value in pairs(field) do assert.equal(TYPES[attribute], type(value), name .. "." .. attribute) end
    assert(field.type, name)
    local length = #(field.description or "0123456789")
    assert(length >= 10 and length <= 500, name .. ": the description must have 10 to 500 characters")
    if field.type == "record" then field.by_name = check_fields(field.fields) end
    by_name[name] = field
  end
  return by_name
end

describe("examples/kong", function()
  local handler, schema
  setup(function()
    kong.install()
    handler, schema = studio_images.load(FOLDER .. "handler.lua"), dofile(FOLDER .. "schema.lua")
  end)
  teardown(function() rawset(_G, "kong", nil) package.loaded["kong.db.schema.typedefs"] = nil end)

  it("has the fields that Kong's loader needs", function()
    assert.equal(NAME, schema.name)
    assert.matches("^%d+%.%d+%.%d+$", handler.VERSION)
    assert.equal(0, handler.PRIORITY % 1)
    assert.equal("function", type(handler.access))
  end)

  it("has a schema in the form of Kong, in which secrets can be references", function()
    local fields = check_fields(schema.fields)
    assert.equal("set", fields.protocols.type)
    assert.equal("record", fields.config.type)
    local names = {}
    for name, field in pairs(fields.config.by_name) do
      names[name] = true
      assert.equal("string", field.type)
      assert.is_true(field.required)
      local is_secret = name:find "key$" ~= nil or name == "password"
      assert.equal(is_secret, field.encrypted == true, name)
      assert.equal(is_secret or name == "email", is_referenceable(field), name)
    end
    assert.same(studio_images.field_names(), names)
  end)

  it("has a configuration with exactly these fields", function()
    local conf = studio_images.yaml_fields(child.read "examples/kong/kong.yml", "studio%-images\n *config")
    for name, value in pairs(conf) do
      local is_reference = name:find "key$" ~= nil or name == "password" or name == "email"
      assert.equal(is_reference, value:find "^\"{vault://env/" ~= nil, name)
      conf[name] = true
    end
    assert.same(studio_images.field_names(), conf)
  end)
end)
