-- Lists of generations, public, deleted and anonymous ones (wire.md 3.1, rows 29 to 34).
local helper = require "spec.devkit4ai.sandbox.helper"

local LIST, PUBLIC = "/api/v1/generation/generations-v2", "/api/v1/generation/public-generations-v2"
local ANONYMOUS = "/api/v1/generation/generate-anonymous-v2"
local UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
local GENERATION = { "created_at", "example_images", "generated_image_url", "id", "instructions", "is_public", "status",
  "updated_at" }

local function keys(record)
  local list = {}
  for name in pairs(record) do list[#list + 1] = name end
  table.sort(list)
  return list
end

describe("the sandbox's generations", function()
  local box, developer, user

  before_each(function()
    box = helper.start { step_time = 0 }
    developer = helper.developer(box)
    user = helper.end_user_headers(developer)
  end)
  after_each(helper.stop_all)

  local function get(path, headers)
    return helper.request("GET", box.url .. path, headers or user)
  end

  -- Registers an end user of the developer's project and logs in.
  local function end_user()
    local email = helper.email()
    local account = ('{"email": "%s", "password": "%s"}'):format(email, helper.PASSWORD)
    local registered = helper.request("POST", box.url .. "/api/v1/auth/register", {
      ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id,
    }, "-H", helper.JSON, "-d", account)
    assert.same({ 201, "end_user", developer.project_id },
      { registered.status, registered.json.role, registered.json.project_id })
    assert.equal(401,
      helper.request("POST", box.url .. "/api/v1/auth/login", {}, "-H", helper.JSON, "-d", account).status)
    local login = helper.request("POST", box.url .. "/api/v1/auth/login",
      { ["X-Project-ID"] = developer.project_id }, "-H", helper.JSON, "-d", account)
    assert.equal(200, login.status)
    local me = get("/api/v1/auth/me", { Authorization = "Bearer " .. login.json.access_token })
    assert.same({ registered.json.id, email, "end_user", true },
      { me.json.id, me.json.email, me.json.role, me.json.is_active })
    return helper.with(developer, { access_token = login.json.access_token })
  end

  local function make(owner, prompt)
    local answer = helper.generate(owner or developer, "-F", "example_images=@" .. helper.PNG,
      "--form-string", ('instructions={"prompt": "%s"}'):format(prompt or "x"))
    assert.equal(200, answer.status)
    return answer.json.id
  end

  local function ids(list)
    local found = {}
    for i, generation in ipairs(list) do found[i] = generation.id end
    return found
  end

  local function publish(id, value, headers)
    return helper.request("PATCH", box.url .. LIST .. "/" .. id .. "/public", headers or user,
      "--data", "is_public=" .. value)
  end

  it("are listed newest first, in pages of the given size", function()
    local created = {}
    for i = 5, 1, -1 do created[i] = make() end
    for query, expected in pairs {
      [""] = { 1, 20, created }, ["?page=1&per_page=2"] = { 1, 2, { created[1], created[2] } },
      ["?per_page=2&page=3"] = { 3, 2, { created[5] } }, ["?page=2"] = { 2, 20, {} },
      ["?page=4&per_page=2"] = { 4, 2, {} }, ["?per%5Fpage=%31&other=7"] = { 1, 1, { created[1] } },
      ["?per_page=100&page=99999999999999999999"] = { nil, 100, {} },
      ["?per_page=100&page=9223372036854775807"] = { nil, 100, {} },
    } do
      local answer = get(LIST .. query)
      assert.equal(200, answer.status)
      assert.same({ "generations", "page", "per_page", "total" }, keys(answer.json))
      assert.same({ 5, expected[1] or answer.json.page, expected[2], expected[3] },
        { answer.json.total, answer.json.page, answer.json.per_page, ids(answer.json.generations) })
    end
    assert.truthy(get(LIST .. "?page=9").body:find('"generations":[]', 1, true))
  end)

  it("are listed with the OpenAPI file's fields", function()
    make(nil, "[fail]")
    local id = make()
    local list = get(LIST).json.generations
    assert.same({ GENERATION, GENERATION }, { keys(list[1]), keys(list[2]) })
    assert.same({ id, "completed", '{"prompt": "x"}', false, {} },
      { list[1].id, list[1].status, list[1].instructions, list[1].is_public, list[1].example_images })
    assert.truthy(list[1].created_at:find "^%d+%-%d+%-%d+T%d+:%d+:%d+Z$")
    assert.equal("200", helper.shell("curl -s -o /dev/null -w '%{http_code}' "
      .. helper.quote(list[1].generated_image_url)))
    assert.equal("failed", list[2].status)
    assert.is_not_string(list[2].generated_image_url)
  end)

  it("in a list are the caller's, in the project of the headers", function()
    local other = end_user()
    local theirs, ours = make(other), make()
    assert.same({ ours }, ids(get(LIST).json.generations))
    assert.same({ theirs }, ids(get(LIST, helper.end_user_headers(other)).json.generations))
    local json = helper.with(helper.developer_headers(developer), { ["Content-Type"] = "application/json" })
    local project = helper.request("POST", box.url .. "/api/v1/projects/", json, "-d", '{"name": "Another"}').json.id
    local keys_path = box.url .. "/api/v1/projects/" .. project .. "/api-keys"
    local key = helper.request("POST", keys_path, json, "-d", "{}").json.key
    local elsewhere = helper.with(developer, { project_id = project, project_key = key })
    local there = make(elsewhere)
    assert.same({ there }, ids(get(LIST, helper.end_user_headers(elsewhere)).json.generations))
    assert.same({ ours }, ids(get(LIST).json.generations))
    assert.equal(403, get(LIST, helper.developer_headers(developer)).status)
    assert.equal(401, get(LIST, {}).status)
  end)

  it("refuse page numbers and sizes out of bounds", function()
    for query, expected in pairs {
      ["page=0"] = { "page", "ensure this value is greater than or equal to 1", "value_error.number.not_ge" },
      ["page=-3"] = { "page", "ensure this value is greater than or equal to 1", "value_error.number.not_ge" },
      ["per_page=0"] = { "per_page", "ensure this value is greater than or equal to 1", "value_error.number.not_ge" },
      ["per_page=101"] = { "per_page", "ensure this value is less than or equal to 100", "value_error.number.not_le" },
      ["page=x"] = { "page", "value is not a valid integer", "type_error.integer" },
      ["page=1.0"] = { "page", "value is not a valid integer", "type_error.integer" },
      ["per_page="] = { "per_page", "value is not a valid integer", "type_error.integer" },
      ["page"] = { "page", "value is not a valid integer", "type_error.integer" },
    } do
      for _, path in ipairs { LIST, PUBLIC } do
        local answer = get(path .. "?" .. query)
        assert.equal(422, answer.status)
        assert.same({ { loc = { "query", expected[1] }, msg = expected[2], type = expected[3] } }, answer.detail)
      end
    end
    assert.equal(2, #get(LIST .. "?page=0&per_page=0").detail)
    assert.equal(401, get(LIST .. "?page=0", {}).status)
  end)

  it("are public when their owner says so, and then everybody can list them", function()
    local other = helper.end_user_headers(end_user())
    local first, second, third = make(), make(), make()
    assert.same({}, get(PUBLIC, {}).json.generations)
    for id, value in pairs { [first] = "true", [third] = "1" } do
      local answer = publish(id, value)
      assert.same({ 200, { "id", "is_public", "message" }, id, true },
        { answer.status, keys(answer.json), answer.json.id, answer.json.is_public })
    end
    assert.equal(200, publish(first, "true").status) -- it sets the value, and does not toggle it
    local public = get(PUBLIC .. "?per_page=1", {}).json
    assert.same({ { third }, 2, 1, 1 }, { ids(public.generations), public.total, public.page, public.per_page })
    assert.is_true(public.generations[1].is_public)
    assert.same({ first }, ids(get(PUBLIC .. "?per_page=1&page=2", {}).json.generations))
    assert.equal(404, publish(second, "true", other).status)
    assert.equal(200, publish(third, "false").status)
    assert.same({ first }, ids(get(PUBLIC, {}).json.generations))
    assert.is_true(get(LIST .. "/" .. first .. "/status").json.is_public)
  end)

  it("have a visibility that is a boolean in a form", function()
    local id = make()
    local answer = publish(id, "maybe")
    assert.equal(422, answer.status)
    assert.same({ { loc = { "body", "is_public" }, msg = "value could not be parsed to a boolean",
      type = "type_error.bool" } }, answer.detail)
    answer = helper.request("PATCH", box.url .. LIST .. "/" .. id .. "/public", user, "-d", '{"is_public": true}')
    assert.same({ 422, "field required" }, { answer.status, answer.detail[1].msg })
    assert.equal(404, publish(UNKNOWN_ID, "true").status)
    assert.equal(422, publish("x", "true").status)
  end)

  it("do not exist after their deletion, nor do their images", function()
    local id, other_id = make(), make()
    publish(id, "true")
    local url = get(LIST .. "/" .. id .. "/status").json.result_image_url
    local answer = helper.request("DELETE", box.url .. LIST .. "/" .. id, user)
    assert.same({ 200, { "message" } }, { answer.status, keys(answer.json) })
    assert.same({ 404, "Generation not found" }, { answer.status and get(LIST .. "/" .. id .. "/status").status,
      helper.request("DELETE", box.url .. LIST .. "/" .. id, user).detail })
    assert.same({ other_id }, ids(get(LIST).json.generations))
    assert.same({}, get(PUBLIC, {}).json.generations)
    assert.equal(404, helper.curl(url).status)
    assert.equal(404, helper.request("DELETE", box.url .. LIST .. "/" .. other_id,
      helper.end_user_headers(end_user())).status)
    assert.same({ other_id }, ids(get(LIST).json.generations))
  end)

  it("without an account need no credentials and are in no list", function()
    local created = helper.request("POST", box.url .. ANONYMOUS, {}, "-F", "example_images=@" .. helper.PNG,
      "-F", 'instructions={"prompt": "x"}')
    assert.same({ 200, { "id", "message" } }, { created.status, keys(created.json) })
    local path = "/api/v1/generation/anonymous-generations-v2/%s/status"
    local answer = get(path:format(created.json.id), {})
    assert.same({ 200, "completed", created.json.id }, { answer.status, answer.json.status, answer.json.id })
    assert.equal(200, tonumber(helper.shell("curl -s -o /dev/null -w '%{http_code}' "
      .. helper.quote(answer.json.result_image_url))))
    assert.same({ 0, 0 }, { get(LIST).json.total, get(PUBLIC, {}).json.total })
    assert.equal(404, get(LIST .. "/" .. created.json.id .. "/status").status)
    assert.equal(404, get(path:format(make()), {}).status) -- a user's generation is not anonymous
    assert.equal(422, get(path:format("x"), {}).status)
  end)
end)
