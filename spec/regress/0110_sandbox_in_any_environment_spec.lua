-- Examples, the quickstart and the pages run against the sandbox. A user's DEVKIT4AI_ variables and settings file must not
-- lead them to the real API, which costs money.
local child = require "spec.support.process.child"
local pages = require "spec.support.docs.pages"
local raw = require "spec.support.servers.raw"

local ID = "660e8400-e29b-41d4-a716-446655440001"
local HERE = assert(io.popen "pwd"):read "*l"

-- Every variable of the client and of the command, as a user of the API may have set it.
local function environment(server, folder)
  local env = { DEVKIT4AI_LOG = "info", XDG_CONFIG_HOME = folder }
  for _, row in ipairs(require("devkit4ai.cli.settings").rows()) do
    for _, name in ipairs(row.env) do
      if name:find "^DEVKIT4AI_" then env[name] = "ann@example.com" end
    end
  end
  env.DEVKIT4AI_BASE_URL, env.DEVKIT4AI_PROJECT_ID = server.url, ID
  return env
end

-- A server that must get no request, and a folder with the user's settings and the example images.
local function real_api()
  local server = raw.start { script = [[
    return function(conn)
      while conn:read_request() do conn:respond(500, { detail = "not for you" }) end
    end]] }
  local folder = child.folder()
  os.execute(("mkdir '%s/devkit4ai' '%s/examples' && ln -s '%s/examples/images' '%s/examples/'"):format(
    folder, folder, HERE, folder))
  local file = assert(io.open(folder .. "/devkit4ai/config", "wb"))
  file:write(("base_url = %s\ndeveloper_key = ak_real\n"):format(server.url))
  file:close()
  os.execute(("chmod 600 '%s/devkit4ai/config'"):format(folder))
  finally(function()
    server:stop()
    child.remove(folder)
  end)
  return server, folder
end

local function asked(server)
  local list = {}
  for i, request in ipairs(server:requests()) do list[i] = request.method .. " " .. request.target end
  return list
end

-- Makes an example end soon.
local QUICK = [[
  local start = require("devkit4ai.sandbox").start
  require("devkit4ai.sandbox").start = function() return start { step_time = 0.05 } end
  require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.05 end
]]

local function examples()
  local list = {}
  for _, name in ipairs(child.list "examples") do
    if name:find "%.lua$" then list[#list + 1] = name end
  end
  return list
end

describe("with the user's own keys and addresses in the environment", function()
  for _, name in ipairs(examples()) do
    it(("examples/%s sends requests only to the sandbox"):format(name), function()
      local server, folder = real_api()
      local ended = child.run(QUICK .. ("dofile %q"):format(HERE .. "/examples/" .. name), {
        env = environment(server, folder), before = ("cd '%s'"):format(folder) })
      assert.same({}, asked(server))
      assert.equal(0, ended.code, ended.err)
    end)
  end

  it("devkit4ai quickstart sends requests only to the sandbox", function()
    if not child.runs_sandbox then return end
    local server, folder = real_api()
    for _, project in ipairs { ID, "no UUID" } do
      local env = environment(server, folder)
      env.DEVKIT4AI_PROJECT_ID = project
      local ended = child.run('require("devkit4ai.cli").main(arg)', {
        args = { "quickstart", "--out", folder .. "/" .. project }, env = env })
      assert.same({}, asked(server))
      assert.equal(0, ended.code, ended.err)
    end
  end)

  if _VERSION ~= "Lua 5.4" then return end

  it("`make quickstart` has no --real", function()
    assert.is_nil(child.read "Makefile":find("--real", 1, true))
  end)

  if child.is_sanitized() then return end -- the same programs run there by themselves

  -- Runs a spec of pages; filter: a pattern of the names of its tests.
  local function check(spec, filter)
    local server, folder = real_api()
    local busted = assert(io.popen "command -v busted"):read "*l"
    local ended = child.run(("arg = { [0] = %q, %q, %q } dofile(arg[0])"):format(busted, spec, "--filter=" .. filter),
      { env = environment(server, folder) })
    assert.same({}, asked(server))
    assert.equal(0, ended.code, ended.out .. ended.err)
    assert.is_nil(ended.out:find "%f[%d]0 success", ended.out)
  end

  for _, spec in ipairs {
    "spec/docs/readme_spec.lua", "spec/devkit4ai/cli/docs_spec.lua", "spec/devkit4ai/sandbox/docs_spec.lua",
  } do
    it(("the programs of %s send requests only to the sandbox"):format(spec), function() check(spec, ".") end)
  end

  for _, page in ipairs(pages.list()) do
    if next(pages.programs_of(page)) then
      it(("the programs of %s send requests only to the sandbox"):format(page), function()
        check("spec/docs/docs_spec.lua", "in " .. page:gsub("%p", "%%%0") .. " run")
      end)
    end
  end
end)
