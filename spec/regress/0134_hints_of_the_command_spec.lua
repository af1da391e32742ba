-- The library tells a program what to do in Lua. The command says the same in its own words: no literal of the library's
-- messages reaches a shell as Lua. A new message with Lua in it fails here until cli/exits.lua has its words.
local exits = require "devkit4ai.cli.exits"

-- What a shell can't use. A call at the beginning of a message is cut off, whatever it is.
local LUA = {
  "%f[%w]client:[%l_]+", "%f[%w]project:[%l_]+", "%f[%w]gen:[%l_]+", "%f[%w]key:[%l_]+", "%f[%w]task:[%l_]+",
  "%f[%w]pages:[%l_]+", "{ ?[%l_]+ =", "%f[%w]the option %l", "%f[%w]err%.%l", "devkit4ai%.%l+", "[%l_]+%(%)",
}

-- Calls that the command never makes.
local UNUSED = {
  "payments", "stripe", "client:request", "request_verification", "verify_email", "client:health",
  "client:refresh_token", "client:tokens", "task:", "pages:", "devkit4ai%.all", "devkit4ai%.map", "devkit4ai%.sleep",
  "devkit4ai%.update", "devkit4ai%.spawn", "devkit4ai%.store", "generate_anonymous", "is_public",
  "gen:refresh%(%)$", "end_user", "project:refresh", "project may be gone", "in client:me%(%)",
  "the option store", "find_generation {", "anonymous = true", "^{ overwrite = true }$", "^%^gen:wait", -- lines that are cut off; patterns
}

local function matches(text, forms)
  for _, form in ipairs(forms) do
    if text:find(form) then return form end
  end
end

local function literals()
  local list = {}
  local pipe = assert(io.popen(
    "find lua/devkit4ai -name '*.lua' ! -path '*/cli/*' ! -path '*/sandbox/*' ! -path '*/store/*' | LC_ALL=C sort"))
  for path in pipe:lines() do
    for line in io.lines(path) do
      if not line:find "^%s*%-%-" then
        for text in line:gsub("%s%-%- .*$", ""):gmatch '"([^"]*)"' do
          if text:find " " then list[#list + 1] = { path = path, text = text } end
        end
      end
    end
  end
  pipe:close()
  return list
end

describe("the command's hints", function()
  it("are in the command's own syntax", function()
    local seen, left = 0, {}
    for _, one in ipairs(literals()) do
      local reached = not matches(one.text, UNUSED) and not one.text:find "^[%a.]+:[%w_]+: [%l_]+$" -- the name of an argument
      if reached and matches(one.text, LUA) then
        seen = seen + 1
        local words = exits.words(one.text)
        local form = matches(words, LUA)
        if form then left[#left + 1] = ("%s: %s (%s)"):format(one.path, words, form) end
      end
    end
    assert.equal("", table.concat(left, "\n"))
    assert.is_true(seen > 20)
  end)
end)

describe("the command's message of a connection", function()
  it("has our words, and libcurl's with -v alone", function()
    local child = require "spec.support.child"
    local function said(base_url, ...)
      return child.run('require("devkit4ai.cli").main(arg)', { args = { "me", "--base-url", base_url, ... }, env = {
        DEVKIT4AI_JWT_TOKEN = "token-1", DEVKIT4AI_DEVELOPER_KEY = "ak_12345678", XDG_CONFIG_HOME = "/none" } }).err
    end
    assert.matches("^devkit4ai: 127%.0%.0%.1:1: no connection %(after [%d.]+ s%); is the server running, "
      .. "and is base_url right%?\n$", said "http://127.0.0.1:1")
    assert.is_truthy(said("http://127.0.0.1:1", "-v"):find("Failed to connect", 1, true))
  end)
end)
