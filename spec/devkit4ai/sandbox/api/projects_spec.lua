-- Projects, keys and end users (wire.md 3.1, rows 12 to 26).
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"

local PROJECTS, KEYS = "/api/v1/projects/", "/api/v1/auth/developer-keys"
local UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"

local function keys(record)
  local list = {}
  for name in pairs(record) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " ")
end

describe("the sandbox's", function()
  local box, developer, other, dev

  setup(function()
    box = helper.start { step_time = 0 }
    other = helper.developer(box)
  end)
  before_each(function()
    developer = helper.developer(box)
    dev = helper.developer_headers(developer)
  end)
  teardown(helper.stop_all)

  local function send(method, path, body, headers)
    headers = headers or dev
    if not body then return helper.request(method, box.url .. path, headers) end
    return helper.request(method, box.url .. path,
      helper.with(headers, { ["Content-Type"] = "application/json" }), "--data-binary", body)
  end

  -- Expects a status, and gives the decoded body.
  local function ok(status, answer)
    assert.equal(status, answer.status, answer.body)
    return answer.json
  end

  local function own(path)
    return PROJECTS .. developer.project_id .. (path or "")
  end

  -- Registers an end user of a developer's project.
  local function join(project_id, email, name)
    return ok(201, send("POST", "/api/v1/auth/register",
      cjson.encode { email = email, password = helper.PASSWORD, full_name = name },
      { ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = project_id }))
  end

  local function emails(answer)
    local list = {}
    for i, user in ipairs(ok(200, answer).users) do list[i] = user.email end
    return list
  end

  describe("project", function()
    it("update changes the given fields only: null keeps the name and removes the description", function()
      local id = ok(201, send("POST", PROJECTS, '{"name": "One", "description": "two"}')).id
      local path = PROJECTS .. id
      local changed = ok(200, send("PUT", path, '{"name": "Uno"}'))
      assert.equal("created_at description id is_active name updated_at", keys(changed))
      assert.same({ "Uno", "two", "string" }, { changed.name, changed.description, type(changed.updated_at) })
      changed = ok(200, send("PUT", path, '{"name": null, "description": "due"}'))
      assert.same({ "Uno", "due" }, { changed.name, changed.description })
      changed = ok(200, send("PUT", path, '{"description": null}'))
      assert.same({ "Uno", cjson.null }, { changed.name, changed.description })
      assert.same(changed, ok(200, send("PUT", path, "{}")))
      assert.same(changed, ok(200, send("GET", path)))
    end)

    it("update refuses a body that is too long, empty or not an object", function()
      for body, expected in pairs {
        ['{"name": ""}'] = { { "body", "name" }, "ensure this value has at least 1 characters" },
        ['{"name": "' .. ("😀"):rep(256) .. '"}'] =
          { { "body", "name" }, "ensure this value has at most 255 characters" },
        ['{"description": "' .. ("x"):rep(1001) .. '"}'] =
          { { "body", "description" }, "ensure this value has at most 1000 characters" },
        ['{"name": 5}'] = { { "body", "name" }, "str type expected" },
        ['[]'] = { { "body" }, "value is not a valid dict" }, ["null"] = { { "body" }, "value is not a valid dict" },
        [""] = { { "body" }, "field required" },
      } do
        local answer = send("PUT", own(), body)
        assert.same({ 422, expected[1], expected[2] }, { answer.status, answer.detail[1].loc, answer.detail[1].msg })
      end
      assert.equal(("😀"):rep(255), ok(200, send("PUT", own(), '{"name": "' .. ("😀"):rep(255) .. '"}')).name)
    end)

    it("does not exist after its deletion; its keys and its logins are refused", function()
      join(developer.project_id, "a@example.com")
      local user, login = helper.end_user_headers(developer), cjson.encode { email = "a@example.com",
        password = helper.PASSWORD }
      local inside = { ["X-Project-ID"] = developer.project_id }
      assert.equal(200, send("POST", "/api/v1/auth/login", login, inside).status)
      local answer = send("DELETE", own())
      assert.same({ 204, "" }, { answer.status, answer.body })
      for method, path in pairs { GET = own(), DELETE = own(), POST = own "/api-keys" } do
        assert.same({ 404, "Project not found" }, { send(method, path, method == "POST" and "{}" or nil).status,
          send(method, path, method == "POST" and "{}" or nil).detail })
      end
      answer = send("GET", "/api/v1/generation/generations-v2", nil, user)
      assert.same({ 403, "Invalid or revoked API key" }, { answer.status, answer.detail })
      assert.equal(401, send("POST", "/api/v1/auth/login", login, inside).status)
      assert.same({}, ok(200, send("GET", PROJECTS)))
      assert.same({}, emails(send("GET", PROJECTS .. "users")))
      assert.same({ total = 0, active = 0 }, ok(200, send("GET", PROJECTS .. "stats")).api_keys)
    end)

    it("of another developer, unknown or without a UUID is refused by every operation", function()
      for path, methods in pairs {
        [""] = { "GET", "PUT", "DELETE" }, ["/stats"] = { "GET" }, ["/users"] = { "GET" },
        ["/api-keys"] = { "GET", "POST" }, ["/api-keys/" .. UNKNOWN_ID] = { "DELETE" },
      } do
        for _, method in ipairs(methods) do
          local body = (method == "PUT" or method == "POST") and "{}" or nil
          for id, expected in pairs {
            [other.project_id] = { 403, "You do not have permission to access this resource" },
            [UNKNOWN_ID] = { 404, "Project not found" },
          } do
            local answer = send(method, PROJECTS .. id .. path, body)
            assert.same(expected, { answer.status, answer.detail }, method .. " " .. path)
          end
          local answer = send(method, PROJECTS .. "..%2F" .. path, body)
          assert.same({ 422, { "path", "project_id" } }, { answer.status, answer.detail[1].loc })
        end
      end
      assert.equal(404, helper.request("GET", box.url .. PROJECTS .. "../x/y", dev, "--path-as-is").status)
    end)
  end)

  describe("users", function()
    it("are listed newest first, in pages, and can be searched by address or name", function()
      local second = ok(201, send("POST", PROJECTS, '{"name": "Second"}')).id
      join(developer.project_id, "ann@example.com", "Ann Lee")
      join(second, "Bob@example.com", "Ünal 😀")
      join(developer.project_id, "cid@example.com")
      for query, expected in pairs {
        [""] = { "cid@example.com", "Bob@example.com", "ann@example.com" }, ["?search=BOB"] = { "Bob@example.com" },
        ["?search=Lee"] = { "ann@example.com" }, ["?search=lee"] = {}, ["?search=%F0%9F%98%80"] = { "Bob@example.com" },
        ["?search=%25"] = {}, ["?page=2&page_size=2"] = { "ann@example.com" }, ["?is_active=false"] = {},
        ["?project_id=" .. second] = { "Bob@example.com" }, ["?project_id=" .. other.project_id] = {},
        ["?page=1000000000"] = {}, ["?page=9007199254740992"] = {}, ["?page=99999999999999999999"] = {},
        ["?is_active=true&search=cid"] = { "cid@example.com" },
      } do
        assert.same(expected, emails(send("GET", PROJECTS .. "users" .. query)), query)
      end
      local list = ok(200, send("GET", PROJECTS .. "users?page_size=1&search=@"))
      assert.same({ 3, 1, 1, "page page_size total users" }, { list.total, list.page, list.page_size, keys(list) })
      local all = ok(200, send("GET", PROJECTS .. "users")).users
      assert.equal("created_at email full_name id is_active joined_at project_id project_name", keys(all[2]))
      assert.same({ "Second", second, "Ünal 😀" }, { all[2].project_name, all[2].project_id, all[2].full_name })
      list = ok(200, send("GET", own "/users?search=EXAMPLE"))
      assert.same({ 2, 1, 50 }, { list.total, list.page, list.page_size })
      assert.equal("created_at email full_name id is_active joined_at", keys(list.users[1]))
      assert.same({ "cid@example.com", "ann@example.com" }, emails(send("GET", own "/users")))
    end)

    it("refuse pages and filters out of bounds", function()
      for query, expected in pairs {
        ["page=0"] = { "page", "ensure this value is greater than or equal to 1" },
        ["page_size=101"] = { "page_size", "ensure this value is less than or equal to 100" },
        ["page=1e9"] = { "page", "value is not a valid integer" },
        ["is_active=maybe"] = { "is_active", "value could not be parsed to a boolean" },
      } do
        for _, path in ipairs { PROJECTS .. "users?", own "/users?" } do
          local answer = send("GET", path .. query)
          assert.same({ 422, { "query", expected[1] }, expected[2] },
            { answer.status, answer.detail[1].loc, answer.detail[1].msg })
        end
      end
      assert.same({ "query", "project_id" }, send("GET", PROJECTS .. "users?project_id=x").detail[1].loc)
    end)

    it("and keys are counted, with the same filters for users as in their list", function()
      join(developer.project_id, "ann@example.com")
      join(developer.project_id, "bob@example.com")
      local key = ok(201, send("POST", own "/api-keys", "{}"))
      ok(204, send("DELETE", own("/api-keys/" .. key.id)))
      ok(201, send("POST", PROJECTS, '{"name": "Second"}'))
      local function count(total, active) return { total = total, active = active or total } end
      local users, all = count(2), { projects = count(2), users = count(2), api_keys = count(2, 1) }
      assert.same(all, ok(200, send("GET", PROJECTS .. "stats")))
      assert.same({ users = users, api_keys = count(2, 1) }, ok(200, send("GET", own "/stats")))
      assert.same(count(1), ok(200, send("GET", own "/stats?search=bob")).users)
      assert.same(count(0), ok(200, send("GET", own "/stats?is_active=false")).users)
      local one = ok(200, send("GET", PROJECTS .. "stats?is_active=true&project_id=" .. developer.project_id))
      assert.same({ projects = count(1), users = users, api_keys = count(2, 1) }, one)
      assert.same(count(0), ok(200, send("GET", PROJECTS .. "stats?project_id=" .. UNKNOWN_ID)).projects)
    end)

    it("of one project can do nothing in another", function()
      local second = ok(201, send("POST", PROJECTS, '{"name": "Second"}')).id
      local key = ok(201, send("POST", PROJECTS .. second .. "/api-keys", "{}")).key
      local token = join(developer.project_id, "ann@example.com").access_token
      join(second, "ann@example.com")
      local inside = helper.end_user_headers(helper.with(developer, { access_token = token }))
      assert.equal(200, send("GET", "/api/v1/generation/generations-v2", nil, inside).status)
      local answer = send("GET", "/api/v1/generation/generations-v2", nil,
        helper.with(inside, { ["X-Project-ID"] = second, ["X-API-Key"] = key }))
      assert.same({ 403, "You do not have permission to access this resource" }, { answer.status, answer.detail })
    end)
  end)

  describe("project key", function()
    it("works until it is revoked, together with other keys", function()
      local created = ok(201, send("POST", own "/api-keys", '{"name": null}'))
      local user = helper.end_user_headers(helper.with(developer, { project_key = created.key }))
      assert.equal(200, send("GET", "/api/v1/generation/generations-v2", nil, user).status)
      assert.equal(204, send("DELETE", own("/api-keys/" .. created.id)).status)
      local answer = send("GET", "/api/v1/generation/generations-v2", nil, user)
      assert.same({ 403, "Invalid or revoked API key" }, { answer.status, answer.detail })
      local first = helper.end_user_headers(developer)
      assert.equal(200, send("GET", "/api/v1/generation/generations-v2", nil, first).status)
      local list = ok(200, send("GET", own "/api-keys"))
      assert.same({ true, false }, { list[1].is_active, list[2].is_active })
      for _, id in ipairs { created.id, UNKNOWN_ID, ok(201, send("POST", KEYS, "{}")).id } do
        answer = send("DELETE", own("/api-keys/" .. id))
        assert.same({ 404, "API key not found" }, { answer.status, answer.detail })
      end
      assert.same({ "path", "api_key_id" }, send("DELETE", own "/api-keys/x").detail[1].loc)
    end)
  end)

  describe("developer key", function()
    it("is returned in full once, works at once, and is not listed after it is revoked", function()
      local created = ok(201, send("POST", KEYS, '{"name": "Second"}'))
      assert.equal("created_at id is_active key key_prefix name", keys(created))
      assert.equal(created.key:sub(1, 8), created.key_prefix)
      local second = helper.with(dev, { ["X-Developer-Key"] = created.key })
      local list = ok(200, send("GET", KEYS, nil, second))
      assert.same({ 2, "Default Developer Key", "Second" }, { #list, list[1].name, list[2].name })
      assert.equal("created_at id is_active key_prefix last_used_at name", keys(list[2]))
      local gone = send("DELETE", KEYS .. "/" .. list[1].id, nil, second)
      assert.same({ 204, "" }, { gone.status, gone.body })
      assert.equal(403, send("GET", KEYS).status)
      assert.equal(1, #ok(200, send("GET", KEYS, nil, second)))
    end)

    it("does not count among the ten after it is revoked", function()
      local last
      for _ = 1, 9 do last = ok(201, send("POST", KEYS, "{}")).id end
      assert.equal(400, send("POST", KEYS, "{}").status)
      assert.equal(204, send("DELETE", KEYS .. "/" .. last).status)
      assert.equal(cjson.null, ok(201, send("POST", KEYS, '{"name": null}')).name)
    end)
  end)

  it("list of developer keys is a bare list in every dialect", function()
    local pages = helper.start { dialect = "pages" }
    local headers = helper.developer_headers(helper.developer(pages))
    assert.equal("Default Developer Key", helper.request("GET", pages.url .. KEYS, headers).json[1].name)
  end)
end)
