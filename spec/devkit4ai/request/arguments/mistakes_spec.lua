-- A mistake in the program raises at the program's line, not at a line of the library.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"

-- The chunk's first line is line 1 of "program"; it gets what it needs as arguments.
local function run(chunk, ...)
  local load_text = loadstring or load -- luacheck: ignore 113
  local fn = assert(load_text(chunk, "=program"))
  return pcall(fn, ...)
end

local function new(more)
  local options = { base_url = "http://127.0.0.1:" .. raw.port_closed(), access_token = "t", developer_key = "d" }
  for name, value in pairs(more or {}) do options[name] = value end
  return assert(devkit4ai.new(options))
end

describe("a mistake raises at the caller's line:", function()
  local client = new()
  local project = client:project(ID)
  local gen = project:generation(ID)
  local task = devkit4ai.spawn(function() end)

  -- what stands in the program | words of the message
  local ROWS = {
    { "devkit4ai.new { base_uri = 'x' }", "unknown option 'base_uri'; known are access_token, allow_http, base_url," },
    { "devkit4ai.new { [1] = 'x' }", "unknown option '1'" },
    { "devkit4ai.new { base_url = 5 }", "base_url: string expected, got number" },
    { "devkit4ai.new 'https://host'", "table expected, got string" },
    { "devkit4ai.new { timeout = 5 }", "timeout: table expected, got number" },
    { "devkit4ai.new { timeout = { all = 5 } }", "unknown option 'all'; known are connect, idle, total" },
    { "devkit4ai.new { timeout = { idle = '5' } }", "idle: number expected, got string" },
    { "devkit4ai.spawn()", "function expected, got nil" },
    { "devkit4ai.spawn {}", "function expected, got table" },
    { "client:register()", "client:register: email: string expected, got nil", "client:register: password" },
    { "client:register { email = 'a@b.c', password = 'x', role = 'x' }",
      "unknown option 'role'; known are email, full_name, headers, password" },
    { "client:login('dev@example.com')", "client:login: password: string expected, got nil" },
    { "client:login { email = 'dev@example.com' }", "client:login: email: string expected, got table" },
    { "client:new_project {}", "client:new_project: name: string expected, got nil" },
    { "client:new_project { name = 'x', descripton = 'y' }",
      "unknown option 'descripton'; known are description, headers, name" },
    { "client:new_project { name = 'x', description = 7 }", "description: string expected, got number" },
    { "client:project()", "client:project: the project_id is missing: pass its id, or give the option project_id "
      .. "or set DEVKIT4AI_PROJECT_ID" },
    { "client:project(7)", "client:project: id: string expected, got number" },
    { "client:generation(7)", "client:generation: id: string expected, got number" },
    { "project:generation()", "project:generation: id: string expected, got nil" },
    { "project:new_key {}", "project:new_key: name: string expected, got table" },
    { "project:generate()", "project:generate: images: table expected, got nil" },
    { "project:generate { images = {}, promt = 'x' }",
      "unknown option 'promt'; known are headers, images, instructions, on_upload, prompt, timeout" },
    { "project:generate { images = 'a.jpg', prompt = 'x' }", "images: table expected, got string" },
    { "project:generate { images = { 5 }, prompt = 'x' }", "images[1]: string or table expected, got number" },
    { "project:generate { images = { { data = 'x' } }, prompt = 'x' }",
      "images[1]: filename: string expected, got nil" },
    { "project:generate { images = { { data = 'x', filename = 'x', kind = 1 } }, prompt = 'x' }",
      "unknown option 'kind'; known are data, filename" },
    { "project:generate { images = { 'a.jpg' } }", "give either prompt or instructions" },
    { "project:generate { images = { 'a.jpg' }, prompt = 'x', instructions = 'x' }",
      "give either prompt or instructions" },
    { "project:generate { images = { 'a.jpg' }, prompt = 5 }", "prompt: string expected, got number" },
    { "project:generate { images = { 'a.jpg' }, instructions = 5 }",
      "instructions: table or string expected, got number" },
    { "project:generate { images = { 'a.jpg' }, prompt = 'x', on_upload = 5 }",
      "on_upload: function expected, got number" },
    { "project:generate { images = { 'a.jpg' }, prompt = 'x', timeout = { 5 } }",
      "timeout: number expected, got table" },
    { "client:me { timout = 5 }", "client:me: unknown option 'timout'; known are headers, timeout" },
    { "client:generate { images = 'a.jpg', prompt = 'x' }", "images: table expected, got string" },
    { "gen:wait { timout = 5 }", "gen:wait: unknown option 'timout'; known are " },
    { "gen:wait { timeout = '5' }", "timeout: number expected, got string" },
    { "gen:wait { on_progress = 5 }", "on_progress: function expected, got number" },
    { "gen:save()", "gen:save: path: string expected, got nil" },
    { "gen:save('x.png', { overwirte = true })", "unknown option 'overwirte'; known are headers, overwrite" },
    { "gen:save('x.png', { overwrite = 1 })", "overwrite: boolean expected, got number" },
    { "task.join()", "task:join" },
    { "client:health 'disk'", "part must be database, storage, redis, detailed or simple" },
    { "client:verify_email { user_id = 'x' }", "verification_token: string expected, got nil" },
    { "client:request_verification()", "client:request_verification: user_id: string expected, got nil" },
    { "client:rotate_developer_key {}", "client:rotate_developer_key: name: string expected, got table" },
    { "client:users { size = 5 }", "known are headers, is_active, page, page_size, project_id, search, timeout" },
    { "client:stats { is_active = 'yes' }", "client:stats: is_active: boolean expected, got string" },
    { "client:generation('x', { anonymus = true })", "unknown option 'anonymus'; known are anonymous" },
    { "project:update { nane = 'x' }", "unknown option 'nane'; known are description, headers, name, timeout" },
    { "project:use_key(5)", "project:use_key: table or string expected, got number" },
    { "gen:publish(true)", "gen:publish: table expected, got boolean" },
    { "client.payments:checkout { price_id = 'p', success_url = 's' }", "cancel_url: string expected, got nil" },
    { "client.payments:cancel { immediate = true }",
      "unknown option 'immediate'; known are cancel_immediately, headers, test_mode, timeout" },
    { "project.stripe:validate {}", "project.stripe:validate: secret_key: string expected, got nil" },
  }

  local NAMES = "local devkit4ai, client, project, gen, task = ..."
  -- the same call in three places: a statement, the tail of a function, and under pcall
  local PLACES = {
    { "a statement", NAMES .. "\nlocal function f()\n  local x = %s\n  return x\nend\nf()", 3 },
    { "a tail call", NAMES .. "\nlocal function f()\n  return %s\nend\nlocal x = f()\nreturn x", nil },
    { "a function under pcall", NAMES .. "\nlocal ok, why = pcall(function()\n\n  local x = %s\n  return x end)\n"
      .. "error(why, 0)", 4 },
  }

  for _, row in ipairs(ROWS) do
    it(row[1], function()
      for _, place in ipairs(PLACES) do
        local ok, message = run(place[2]:format(row[1]), devkit4ai, client, project, gen, task)
        assert.is_false(ok)
        assert.is_string(message)
        local line = tonumber(message:match("^program:(%d+): devkit4ai: "))
        assert.is_truthy(line, place[1] .. ": " .. message)
        if place[3] then assert.equal(place[3], line, place[1]) end
        assert.is_truthy(message:find(row[2], 1, true) or (row[3] and message:find(row[3], 1, true)), message)
      end
    end)
  end
end)

describe("a closed client", function()
  for _, call in ipairs {
    "client:me()", "client:login('a', 'b')", "client:register { email = 'a', password = 'b' }",
    "client:refresh_token()",
    "client:projects()", "client:new_project { name = 'x' }", "project:new_key 'x'", "project:keys()",
    "project:generate { images = { { data = '\\255\\216\\255', filename = 'x' } }, prompt = 'x' }",
    "gen:refresh()", "gen:wait()", "gen:save 'x.png'", "gen:bytes()",
  } do
    it("raises at the caller's line in " .. call, function()
      local client = new { refresh_token = "r" }
      local project = client:project(ID)
      local gen = project:generation(ID)
      client:close()
      local ok, message = run("local client, project, gen = ...\nlocal x, y = " .. call .. "\nreturn x, y",
        client, project, gen)
      assert.is_false(ok)
      assert.matches("^program:2: devkit4ai: .*the client is closed", message)
    end)
  end

  it("may be closed again", function()
    local client = new()
    client:close()
    client:close()
  end)
end)
