-- The library's advice is Lua. The command has its own advice for a shell, by the hint of the error. A library message with Lua
-- in it fails here until it has a hint, and errors/messages.lua has advice for that hint.
local config = require "devkit4ai.config"
local messages = require "devkit4ai.cli.errors.messages"
local operations = require "devkit4ai.api.operations"

-- Texts that a shell can't use.
local LUA = {
  "%f[%w]client:[%l_]+", "%f[%w]project:[%l_]+", "%f[%w]gen:[%l_]+", "%f[%w]key:[%l_]+", "%f[%w]task:[%l_]+",
  "%f[%w]pages:[%l_]+", "{ ?[%l_]+ =", "%f[%w]the option %l", "%f[%w]err%.%l", "devkit4ai%.%l+", "[%l_]+%(%)",
}

-- Texts that the command never shows: calls and options that it does not use, mistakes of a program, lines of suggested Lua.
local UNUSED = {
  "payments", "stripe", "client:request", "request_verification", "verify_email", "client:health",
  "client:refresh_token", "client:tokens", "task:", "pages:", "devkit4ai%.all", "devkit4ai%.map", "devkit4ai%.sleep",
  "devkit4ai%.update", "devkit4ai%.spawn", "devkit4ai%.store", "generate_anonymous", "is_public",
  "gen:refresh%(%)$", "end_user", "project:refresh", "project may be deleted", "in client:me%(%)",
  "the option store", "find_generation {", "anonymous = true", "^{ overwrite = true }$", "^%^gen:wait",
  "the client is closed", "^project:use_key: ", "the store must have", "^devkit4ai%.new: $", "^devkit4ai%.new: retry",
  "^gen:wait: after ", "^gen:wait: an error ended", "^gen:wait: timeout and", -- steps.lua has its own messages
  "^devkit4ai%.new: loop", -- the command is a script
  "devkit4ai%.love: ", "is a file of the game", -- nor is it a game
  "^client:project: $", -- the command passes an id
  "^client:batch writes its journal", "^client:batch: concurrency", "^client:batch: out: it is empty",
  "^client:work_batch: %%s must",
  "^batch:run: the batch has ended", "^batch:run: the batch is running",
  "^jobs is a table", "or give the option prompt", -- of a job in a file: `--prompt`, too
  "which is in err%.key", "an error ended the rotation", "is revoked: look in", -- keys.lua shows the key itself
}

local WINDOW = 3 -- lines after a text that may have its hint

local function matches(text, forms)
  for _, form in ipairs(forms) do
    if text:find(form) then return form end
  end
end

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line:find "^%s*%-%-" and "" or line:gsub("%s%-%- .*$", "") end
  return lines
end

-- The string literals with a blank in them; the command is a script, and needs no other host: { path, text, nearby lines }.
local function literals()
  local list = {}
  local pipe = assert(io.popen(
    "find lua/devkit4ai -name '*.lua' ! -path '*/cli/*' ! -path '*/sandbox/*' ! -path '*/store/*' "
    .. "! -path '*/loop/hosts/*' | LC_ALL=C sort"))
  for path in pipe:lines() do
    local lines = lines_of(path)
    for i, line in ipairs(lines) do
      for text in line:gmatch '"([^"]*)"' do
        if text:find " " then
          local nearby = table.concat(lines, "\n", i, math.min(#lines, i + WINDOW))
          list[#list + 1] = { path = path, text = text, nearby = nearby, line = line }
        end
      end
    end
  end
  pipe:close()
  return list
end

-- Whether the command replaces this text: by the hint, by the operation, or by the missing option.
local function is_replaced(literal)
  if literal.nearby:find "hint" or literal.line:find "%f[%w]call = " then return true end
  local image = operations.get("get_picture")
  for _, text in pairs(image.advice) do
    if text == literal.text then return image.hint ~= nil end
  end
  for name in pairs(messages.CONSEQUENCES) do
    if operations.get(name).unknown_advice:find(literal.text, 1, true) then return true end
  end
  return false
end

-- The names of all hints of the library.
local function hints()
  local names = {}
  for _, literal in ipairs(literals()) do
    for name in literal.nearby:gmatch 'hint = "([%l_]+)"' do names[name] = true end
  end
  return names
end

describe("the command's hints", function()
  it("replace each library text that has Lua in it", function()
    local seen, left = 0, {}
    for _, literal in ipairs(literals()) do
      local is_argument_name = literal.text:find "^[%a.]+:[%w_]+: [%l_]+$"
      if not is_argument_name and not matches(literal.text, UNUSED) and matches(literal.text, LUA) then
        seen = seen + 1
        if not is_replaced(literal) then left[#left + 1] = ("%s: %s"):format(literal.path, literal.text) end
      end
    end
    assert.equal("", table.concat(left, "\n"))
    assert.is_true(seen > 20, seen)
  end)

  it("are in the command's own syntax, one for each hint of the library", function()
    local count = 0
    for name in pairs(hints()) do
      count = count + 1
      assert.is_string(messages.ADVICE[name], name)
    end
    assert.is_true(count > 10, count)
    for _, list in ipairs { messages.ADVICE, messages.CONSEQUENCES, messages.MISSING } do
      for name, text in pairs(list) do assert.is_nil(matches(text, LUA), name .. ": " .. text) end
    end
    for _, row in ipairs(config.settings()) do
      local err = { kind = "config", outcome = "not_sent", operation = "get_me", option = row.name, message = "x",
        _parts = { what = "x", advice = "call client:login first" } }
      assert.is_nil(matches(messages.text("x", err), LUA), row.name)
    end
  end)
end)

describe("the command's message of a connection", function()
  it("has our words, and libcurl's with -v alone", function()
    local child = require "spec.support.process.child"
    local function stderr_of(base_url, ...)
      return child.run('require("devkit4ai.cli").main(arg)', { args = { "me", "--base-url", base_url, ... }, env = {
        DEVKIT4AI_JWT_TOKEN = "token-1", DEVKIT4AI_DEVELOPER_KEY = "ak_12345678", XDG_CONFIG_HOME = "/none" } }).err
    end
    assert.matches("^devkit4ai: 127%.0%.0%.1:1: no connection %(after [%d.]+ s%); check that the server runs, "
      .. "and that base_url is correct\n$", stderr_of "http://127.0.0.1:1")
    assert.is_truthy(stderr_of("http://127.0.0.1:1", "-v"):find("Failed to connect", 1, true))
  end)
end)
