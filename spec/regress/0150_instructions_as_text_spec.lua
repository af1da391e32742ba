-- Instructions as a JSON text are sent as they are. They were sent as a prompt, which paid for another image. A text that looks
-- like a JSON object but is not one is refused. generate, find_generation and the command follow one rule.
local cjson = require "cjson"
local command = require "spec.devkit4ai.cli.command"
local devkit4ai = require "devkit4ai"
local instructions = require "devkit4ai.generation.input.instructions"
local child = require "spec.support.process.child"
local json = require "devkit4ai.util.json"
local locales = require "spec.support.process.locales"
local sandbox = require "devkit4ai.sandbox"

local IMAGES = { "examples/images/neon.png" }

local OBJECTS = {
  '{"prompt":"neon","style":"noir"}', ' {\n  "style": "noir", "prompt": "neon" }\n',
  '{"prompt":"neon","seed":123456789012345}',
  '{"prompt":"neon","list":[1,{"a":null}]}', '{"prompt":"\\u00fcber"}',
}

local BROKEN = {
  '{"prompt":"neon",}', '{"prompt":"neon"', '{"prompt" "neon"}', "{'prompt': 'neon'}", "{prompt: 'neon'}",
  "{ prompt : neon }",
  '{"prompt":"neon"} and more', "{“prompt”: “neon”}", '"{\\"prompt\\": \\"neon\\"}"', '{"prompt":NaN}', '{"größe":1,}',
  '{"prompt":"a\nb"}', '\239\187\191{"prompt":"neon"',
}

local NO_PROMPT = {
  "{}", '{"style":"noir"}', '{"prompt":5}', '{"prompt":null}', '{"prompt":" "}', '{"prompt":{"a":1}}', "\n{} ",
}

local PROMPTS = { "neon", "{", "{}{}", "{a} and {b}", "[1]", '["neon"]', '"neon"', "5", "null", "{neon} city: night" }

describe("instructions that are a text", function()
  local box, client

  setup(function()
    box = assert(sandbox.start { step_time = 0.01 })
    client = assert(devkit4ai.new(assert(box:developer { email = "dev@example.com", password = "SecurePass123" })))
  end)

  teardown(function()
    client:close()
    box:stop()
  end)

  local function created()
    return box:generations()
  end

  for _, name in ipairs { "instructions", "prompt" } do
    for _, text in ipairs(OBJECTS) do
      it(("%s = %q is sent as it is, and found"):format(name, text), function()
        local gen = assert(client:generate { images = IMAGES, [name] = text })
        local list = created()
        local sent = list[1].id == gen.id and list[1] or list[#list]
        assert.same({ gen.id, text }, { sent.id, sent.instructions })
        assert.equal(gen.id, assert(client:find_generation { instructions = text }).id)
        assert.equal(gen.id, assert(client:find_generation { instructions = cjson.decode(text) }).id)
        assert(gen:delete())
      end)
    end

    for _, text in ipairs(BROKEN) do
      it(("%s = %q is refused"):format(name, text), function()
        local before = #created()
        local gen, message, err = client:generate { images = IMAGES, [name] = text }
        assert.same({ nil, "invalid", "not_sent", before }, { gen, err.kind, err.outcome, #created() })
        assert.matches("begins like a JSON object but is not one", message, 1, true)
      end)
    end

    for _, text in ipairs(NO_PROMPT) do
      it(("%s = %q is refused"):format(name, text), function()
        local gen, message, err = client:generate { images = IMAGES, [name] = text }
        assert.same({ nil, "invalid", "not_sent" }, { gen, err.kind, err.outcome })
        assert.matches("the JSON text has no prompt", message, 1, true)
      end)
    end
  end

  it("is refused by find_generation if generate refuses it", function()
    for _, list in ipairs { BROKEN, NO_PROMPT } do
      for _, text in ipairs(list) do
        local gen, _, err = client:find_generation { instructions = text }
        assert.same({ nil, "invalid", "not_sent" }, { gen, err.kind, err.outcome })
      end
    end
  end)

  it("is a prompt if it is not a JSON object", function()
    for _, text in ipairs(PROMPTS) do
      assert.same({ prompt = text }, cjson.decode((assert(instructions.encode(text)))))
    end
  end)

  it("is always a prompt in a table", function()
    for _, list in ipairs { OBJECTS, BROKEN, NO_PROMPT } do
      for _, text in ipairs(list) do
        assert.equal(text, cjson.decode((assert(instructions.encode { prompt = text }))).prompt)
      end
    end
  end)

end)

describe("the command", function()
  it("follows the same rule", function()
    local workspace = command.new { step_time = 0.01 }
    finally(function() workspace:remove() end)
    workspace:login()
    local text = '{"prompt":"by command","style":"noir"}'
    local ended = workspace:run { "generate", IMAGES[1], "--no-wait", "--prompt", text }
    assert.same({ 0, text }, { ended.code, workspace.box:generations()[1].instructions }, ended.err)
    ended = workspace:run { "list", "--find", text }
    assert.equal(0, ended.code, ended.err)
    for _, broken in ipairs { BROKEN[1], NO_PROMPT[2] } do
      ended = workspace:run { "generate", IMAGES[1], "--no-wait", "--prompt", broken }
      assert.same({ 2, 1 }, { ended.code, workspace:count_generations() }, ended.err)
      assert.equal(2, workspace:run({ "list", "--find", broken }).code)
    end
  end)
end)

describe("a long whole number in instructions", function()
  it("is written with all its digits, up to 2^53", function()
    for text, number in pairs {
      ["100000000000000"] = 1e14, ["123456789012345"] = 123456789012345, ["-123456789012345"] = -123456789012345,
      ["9007199254740991"] = 2 ^ 53 - 1, ["-9007199254740992"] = -2 ^ 53, ["99999999999999"] = 99999999999999,
    } do
      assert.equal(('{"a":[{"seed":%s}]}'):format(text), json.encode { a = { { seed = number } } })
    end
  end)

  it("does not change texts that look like its mark", function()
    for _, text in ipairs { "\1", "\0015", "\1\0015", "5", "\\u00015", "/\1\1-5" } do
      local value = { list = { text, 123456789012345, 0.5 } }
      local written = assert(json.encode(value))
      assert.is_truthy(written:find(",123456789012345,0.5]", 1, true), written)
      assert.equal(text, cjson.decode(written).list[1])
    end
  end)

  it("is refused beyond 2^53", function()
    for _, number in ipairs { 2 ^ 53 + 2, -2 ^ 53 - 2, 1e300, math.mininteger or -1e300 } do
      local text, why = json.encode { seed = number }
      assert.is_nil(text)
      assert.matches("beyond 2^53", why, 1, true)
    end
  end)

  it("is written so in every locale, next to a number with a point", function()
    local folder = locales.folder()
    finally(function() child.remove(folder) end)
    for _, name in ipairs(locales.NAMES) do
      local ended = child.run([[
        local json, instructions = require "devkit4ai.util.json", require "devkit4ai.generation.input.instructions"
        assert(os.setlocale(arg[1]))
        print(json.encode { list = { 123456789012345, 1 / 2 } }, instructions.encode '{"prompt":"neon","a":0.5}')
      ]], { args = { name }, env = { LOCPATH = folder } })
      assert.equal('{"list":[123456789012345,0.5]}\t{"prompt":"neon","a":0.5}\n', ended.out, ended.err)
    end
  end)
end)
