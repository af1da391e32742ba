-- The sandbox's data folder: what a response said is there after kill -9 and a restart.
local helper = require "spec.devkit4ai.sandbox.helper"
local sandbox = require "devkit4ai.sandbox"

if not pcall(require, "luasql.sqlite3") then return end

local PROJECTS, GENERATIONS = "/api/v1/projects/", "/api/v1/generation/generations-v2"
local ANONYMOUS = "/api/v1/generation/generate-anonymous-v2"

describe("a sandbox with a data folder", function()
  local base, data, box, port, options

  local function start()
    options.command, options.port, options.data = helper.killable_command(base), port, data
    box = helper.start(options)
    port = tonumber(box.url:match "%d+$")
  end

  local function restart()
    helper.kill(base)
    box:stop()
    start()
  end

  before_each(function()
    base = helper.shell("mktemp -d"):match "[^\n]+"
    data, port, options = base .. "/the sandbox's data", nil, { step_time = 0 }
  end)
  after_each(function()
    helper.stop_all()
    helper.shell("rm -rf " .. base)
  end)

  local function get(path, headers) return helper.request("GET", box.url .. path, headers) end

  local function post(path, headers, body)
    return helper.request("POST", box.url .. path, headers, "-H", helper.JSON, "-d", body)
  end

  local function generate(developer, prompt)
    local answer = helper.generate(developer, "-F", "example_images=@" .. helper.PNG, "--form-string",
      ('instructions={"prompt": "%s"}'):format(prompt))
    assert.equal(200, answer.status)
    return answer.json.id
  end

  local function ids(list)
    local found = {}
    for i, item in ipairs(list) do found[i] = item.id end
    return found
  end

  it("has accounts, tokens, projects and keys, as they were changed, and their order", function()
    options.dialect = { "seed", refresh_rotation = "single_use" }
    start()
    local operator_key, developer = box.operator_key, helper.developer(box)
    local dev = helper.developer_headers(developer)
    local project = post(PROJECTS, dev, '{"name": "Caf\\u00e9 \'1\'", "description": "x"}').json
    local deleted = post(PROJECTS, dev, '{"name": "Gone"}').json
    assert.equal(200, helper.request("PUT", box.url .. PROJECTS .. project.id, dev, "-H", helper.JSON, "-d",
      '{"name": "Caf\\u00e9 \'2\'", "description": null}').status)
    local user = '{"email": "user@example.com", "password": "SecurePass123"}'
    local of_deleted = { ["X-Project-ID"] = deleted.id, ["X-Developer-Key"] = developer.developer_key }
    assert.equal(201, post("/api/v1/auth/register", of_deleted, user).status)
    assert.equal(204, helper.request("DELETE", box.url .. PROJECTS .. deleted.id, dev).status)
    local key = post(PROJECTS .. project.id .. "/api-keys", dev, '{"name": "new"}').json
    local revoked = post(PROJECTS .. project.id .. "/api-keys", dev, '{"name": "old"}').json
    local url = box.url .. PROJECTS .. project.id .. "/api-keys/" .. revoked.id
    assert.equal(204, helper.request("DELETE", url, dev).status)
    local refresh = ('{"refresh_token": "%s"}'):format(developer.refresh_token)
    local refreshed = post("/api/v1/auth/refresh", {}, refresh).json
    local before = {}
    for _, path in ipairs { PROJECTS, PROJECTS .. project.id .. "/api-keys", PROJECTS .. "stats", "/api/v1/auth/me",
      "/api/v1/auth/developer-keys" } do
      before[path] = get(path, dev).body
    end

    restart()

    assert.equal(operator_key, box.operator_key)
    -- keys tell when they were used last: that of these requests is later
    local function without_use(text) return (text:gsub('"last_used_at":"[^"]*"', '"last_used_at":""')) end
    for path, body in pairs(before) do assert.equal(without_use(body), without_use(get(path, dev).body)) end
    assert.equal(401, post("/api/v1/auth/refresh", {}, refresh).status)
    assert.equal(200, post("/api/v1/auth/refresh", {},
      ('{"refresh_token": "%s"}'):format(refreshed.refresh_token)).status)
    local me = get("/api/v1/auth/me", dev).json
    local account = ('{"email": "%s", "password": "%s"}'):format(me.email, helper.PASSWORD)
    assert.equal(200, post("/api/v1/auth/login", {}, account).status)
    assert.equal(409, post("/api/v1/auth/register", { ["X-Operator-Key"] = operator_key }, account).status)
    assert.equal(401, post("/api/v1/auth/login", { ["X-Project-ID"] = deleted.id }, user).status)
    local of_key = helper.with(helper.end_user_headers(developer), { ["X-Project-ID"] = project.id })
    assert.equal(200, get(GENERATIONS, helper.with(of_key, { ["X-API-Key"] = key.key })).status)
    assert.equal(403, get(GENERATIONS, helper.with(of_key, { ["X-API-Key"] = revoked.key })).status)
  end)

  it("has generations with their times, outcomes, visibility and images, and those that were deleted", function()
    start()
    local developer = helper.developer(box)
    local user = helper.end_user_headers(developer)
    local done, failed = generate(developer, "a quay"), generate(developer, "[fail: too dark]")
    box:fault { operation = "create_generation", hang = true }
    local hung = generate(developer, "never")
    local deleted = generate(developer, "gone")
    assert.equal(200, helper.request("PATCH", box.url .. GENERATIONS .. "/" .. done .. "/public", user, "-F",
      "is_public=true").status)
    assert.equal(200, helper.request("DELETE", box.url .. GENERATIONS .. "/" .. deleted, user).status)
    local list = get(GENERATIONS, user)
    assert.same({ hung, failed, done }, ids(list.json.generations))
    local link = list.json.generations[3].generated_image_url
    local function picture() return helper.shell("curl -s " .. helper.quote(link) .. " | sha256sum") end
    local drawn, created = picture(), box:generations()

    restart()

    assert.equal(list.body, get(GENERATIONS, user).body)
    assert.same(created, box:generations())
    assert.same({ done, failed, hung, deleted }, ids(box:generations()))
    assert.same({ done }, ids(get("/api/v1/generation/public-generations-v2", {}).json.generations))
    assert.equal(drawn, picture()) -- at the same address
    assert.is_nil((box:faults() or {})[1])
  end)

  it("has verifications, quotas and the clock", function()
    options.activation, options.monthly_generation_limit, options.anonymous_limit = "verified", 2, 1
    start()
    local developer = helper.developer(box)
    box:advance(1000)
    generate(developer, "one")
    local function anonymous()
      return helper.request("POST", box.url .. ANONYMOUS, {}, "-F", "example_images=@" .. helper.PNG, "--form-string",
        'instructions={"prompt": "x"}').status
    end
    assert.equal(200, anonymous())
    local account = '{"email": "new@example.com", "password": "SecurePass123"}'
    local registered = post("/api/v1/auth/register", { ["X-Operator-Key"] = box.operator_key }, account).json
    local token = assert(box:verification_token "new@example.com")
    local now = box:clock { frozen = true }.now

    restart()

    assert.same({ now, true }, { box:clock().now, box:clock().frozen })
    assert.equal(429, anonymous())
    generate(developer, "two")
    assert.equal(429, helper.generate(developer, "-F", "example_images=@" .. helper.PNG, "--form-string",
      'instructions={"prompt": "three"}').status)
    local verification = ('{"user_id": "%s", "verification_token": "%s"}'):format(registered.id, token)
    assert.equal(200, post("/api/v1/auth/verify-email", {}, verification).status)
    box:clock { frozen = false, advance = 86400 }

    restart()

    assert.is_true(box:clock().now >= now + 86400)
    assert.equal(200, anonymous())
    assert.equal(400, post("/api/v1/auth/verify-email", {}, verification).status)
    assert.equal(200, post("/api/v1/auth/login", {}, account).status)
  end)

  it("has each generation that it answered for, whenever it is killed", function()
    start()
    local developer = helper.developer(box)
    local headers = {}
    for name, value in pairs(helper.end_user_headers(developer)) do
      headers[#headers + 1] = "-H " .. helper.quote(name .. ": " .. value)
    end
    -- eight clients at once; the kill comes after the 20th response
    local text = helper.shell(([[
      for client in 1 2 3 4 5 6 7 8; do
        while answer=$(curl -sf %s -F example_images=@%s --form-string 'instructions={"prompt": "x"}' \
          %s/api/v1/generation/generate-v2); do echo "$answer"; done &
      done | { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do read -r line; echo "$line"; done
        kill -9 $(cat %s/pid); cat; }]]):format(table.concat(headers, " "), helper.PNG, box.url, base))
    box:stop()
    start()
    local exists, answered = {}, 0
    for _, generation in ipairs(box:generations()) do exists[generation.id] = true end
    for id in text:gmatch '"id":"([%x-]+)"' do
      answered = answered + 1
      assert.is_true(exists[id])
    end
    assert.is_true(answered >= 20)
  end)

  it("loses only what was not whole on the disk when a write was torn", function()
    start()
    local developer = helper.developer(box)
    local first = generate(developer, "first")
    local log = helper.quote(data .. "/sandbox.sqlite3-wal")
    local size = tonumber(helper.shell("stat -c %s " .. log))
    generate(developer, "second")
    helper.kill(base)
    box:stop()
    assert.is_true(tonumber(helper.shell("stat -c %s " .. log)) > size)
    helper.shell(("truncate -s %d %s && printf 'torn' >>%s"):format(size + 100, log, log))
    start()
    assert.same({ first }, ids(box:generations()))
    generate(developer, "third")
    restart()
    assert.equal(2, #box:generations())
  end)

  describe("does not start, and says why, with", function()
    local function refusal(folder)
      local other, message = sandbox.start { data = folder }
      assert.is_nil(other)
      return message
    end

    it("a folder that another sandbox uses", function()
      start()
      assert.equal(("the sandbox did not start: %s/sandbox.sqlite3: another sandbox uses it: stop it, or give another "
        .. "folder"):format(data), refusal(data))
      assert.equal(0, #box:generations()) -- it still works
    end)

    it("a folder of another version", function()
      start()
      box:stop()
      local set = helper.file(([[
        local connection = require("luasql.sqlite3").sqlite3():connect(%q)
        assert(connection:execute "PRAGMA user_version=7")]]):format(data .. "/sandbox.sqlite3"))
      helper.shell("lua5.4 " .. set)
      os.remove(set)
      local said = "it has records of version 7, and this sandbox has version 1: give another folder"
      assert.truthy(refusal(data):find(said, 1, true))
    end)

    it("a file that is no database, and leaves it as it is", function()
      helper.shell(("mkdir %s && echo 'not a database, but the text of a user' >%s"):format(helper.quote(data),
        helper.quote(data .. "/sandbox.sqlite3")))
      assert.truthy(refusal(data):find("sandbox.sqlite3: file is not a database", 1, true))
      assert.equal("not a database, but the text of a user\n", helper.shell("cat " .. helper.quote(data) .. "/*"))
    end)

    it("a path that is no folder, and one that can't be written", function()
      assert.truthy(refusal("/dev/null"):find("the folder can't be made: /dev/null: File exists", 1, true))
      assert.truthy(refusal("/proc"):find("/proc/sandbox.sqlite3: ", 1, true))
    end)

    it("no library", function()
      local file = assert(io.open(base .. "/none.lua", "w"))
      file:write [[
        table.insert(package.searchers or package.loaders, 1, function(name)
          if name == "luasql.sqlite3" then error("module 'luasql.sqlite3' not found:", 0) end
        end)]]
      file:close()
      local without = ("LUA_INIT=@%s/none.lua LUA_INIT_5_4=@%s/none.lua devkit4ai"):format(base, base)
      local other, message = sandbox.start { data = data, command = without }
      assert.is_nil(other)
      assert.truthy(message:find("the option data needs luasql.sqlite3", 1, true), message)
      assert.truthy(message:find("apt-get install lua-sql-sqlite3", 1, true), message)
    end)
  end)

  it("answers 500 while its disk is full, and has all of it when there is space again", function()
    local disk = base .. "/disk"
    if helper.shell(("mkdir %s && mount -t tmpfs -o size=256k none %s 2>&1 || echo no"):format(disk, disk)) ~= "" then
      return -- not the superuser
    end
    finally(function()
      helper.kill(base)
      helper.shell("umount -l " .. disk)
    end)
    data = disk .. "/data"
    start()
    local developer = helper.developer(box)
    local first = generate(developer, "first")
    helper.shell("cat /dev/zero >" .. disk .. "/rest 2>&1")
    local answer
    for _ = 1, 200 do -- what is left of the last page of the disk
      answer = helper.generate(developer, "-F", "example_images=@" .. helper.PNG, "--form-string",
        'instructions={"prompt": "no space"}')
      if answer.status ~= 200 then break end
    end
    assert.equal(500, answer.status)
    assert.equal(("The sandbox can't keep its data: %s/sandbox.sqlite3: database or disk is full"):format(data),
      answer.json.detail)
    assert.equal(500, get(GENERATIONS, helper.end_user_headers(developer)).status) -- it would show what is not kept
    os.remove(disk .. "/rest")
    local list = get(GENERATIONS, helper.end_user_headers(developer))
    assert.equal(200, list.status)
    assert.equal(first, list.json.generations[#list.json.generations].id)
    restart()
    assert.equal(list.body, get(GENERATIONS, helper.end_user_headers(developer)).body)
  end)

  it("prints on the next start how to continue with its developer", function()
    local function said(file) -- a new file for each start: the shell empties an old one only when the sandbox begins
      return helper.shell(("cd %s; devkit4ai sandbox --data %s --developer me@example.com >%s & pid=$!\n"
        .. "until grep -qs '^# The next' %s; do sleep 0.1; done; kill $pid; wait $pid; cat %s"):format(base,
        helper.quote(data), file, file, file))
    end
    local first, second = said "first", said "second"
    assert.truthy(first:find("export DEVKIT4AI_PROJECT_KEY=", 1, true))
    assert.falsy(second:find("export DEVKIT4AI_PROJECT_KEY=", 1, true))
    assert.equal(first:match "OPERATOR_KEY=%S+", second:match "OPERATOR_KEY=%S+")
    assert.truthy(second:find("has this developer already. The keys are those that the first start printed.", 1, true))
    assert.truthy(second:find("JWT_TOKEN=", 1, true))
    assert.truthy(second:find("continues from here.\n", 1, true))
  end)
end)
