-- The dialects: a check for each value of each axis of wire.md 6.2. A value without a check fails the spec.
local dialect = require "devkit4ai.sandbox.dialect"
local helper = require "spec.devkit4ai.sandbox.helper"

local REGISTER, LOGIN, REFRESH = "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"
local PROJECTS, GENERATION = "/api/v1/projects/", "/api/v1/generation/"

local function post(box, path, headers, body)
  return helper.request("POST", box.url .. path,
    helper.with(headers, { ["Content-Type"] = "application/json" }), "--data-binary", body)
end

local function get(box, path, headers)
  return helper.request("GET", box.url .. path, headers)
end

local function account(email)
  return ('{"email": "%s", "password": "%s"}'):format(email or helper.email(), helper.PASSWORD)
end

local function register_developer(box)
  local answer = post(box, REGISTER, { ["X-Operator-Key"] = box.operator_key }, account())
  assert.equal(201, answer.status)
  return answer.json
end

-- Registers an end user: gives the response, the user's credentials, and the developer's.
local function register_user(box)
  local developer, email = helper.developer(box), helper.email()
  local answer = post(box, REGISTER, {
    ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id,
    ["X-API-Key"] = developer.project_key, ["X-User-Role"] = "end_user",
  }, account(email))
  assert.equal(201, answer.status)
  local login = post(box, LOGIN, { ["X-Project-ID"] = developer.project_id }, account(email))
  assert.equal(200, login.status)
  return answer.json, helper.with(developer, { access_token = login.json.access_token }), developer
end

local function image(part)
  return "-F", part .. "=@" .. helper.PNG, "--form-string", 'instructions={"prompt": "x"}'
end

local function text(value)
  return type(value) == "string"
end

describe("the dialect of the sandbox", function()
  local box
  after_each(helper.stop_all)

  -- Registers a developer, and uses each key that the response has.
  local function provisioned(check)
    return function()
      local answer = register_developer(box)
      local nested = type(answer.provisioning) == "table" and answer.provisioning or {}
      check(answer, nested)
      for _, place in ipairs { answer, nested } do
        if text(place.developer_key) then
          assert.equal(200, get(box, PROJECTS, helper.developer_headers {
            access_token = post(box, LOGIN, {}, account(answer.email)).json.access_token,
            developer_key = place.developer_key,
          }).status)
        end
      end
    end
  end

  local function names(place)
    return { text(place.developer_key), text(place.api_key), text(place.project_id) }
  end

  -- Refreshes once; check gets the body and the two refresh tokens. used_up: the old token must be invalid then.
  local function refreshed(check, used_up)
    return function()
      local old = helper.developer(box).refresh_token
      local body = ('{"refresh_token": "%s"}'):format(old)
      local answer = post(box, REFRESH, {}, body)
      assert.equal(200, answer.status)
      assert.is_string(answer.json.access_token)
      check(answer.body, old, answer.json.refresh_token)
      local again = post(box, REFRESH, {}, body)
      assert.equal(used_up and 401 or 200, again.status)
      assert.equal(used_up and "Could not validate credentials" or nil, again.detail)
      if text(answer.json.refresh_token) then
        assert.equal(200, post(box, REFRESH, {}, ('{"refresh_token": "%s"}'):format(answer.json.refresh_token)).status)
      end
    end
  end

  local function is_new(_, old, new)
    assert.is_string(new)
    assert.not_equal(old, new)
  end

  local function tokens_for(developers, users)
    return function()
      local developer, user = register_developer(box), (register_user(box))
      assert.same({ developers, developers, users, users }, {
        text(developer.access_token), text(developer.refresh_token), text(user.access_token), text(user.refresh_token),
      })
    end
  end

  local function generates(developer_status, detail)
    return function()
      local _, user, developer = register_user(box)
      assert.equal(200, helper.generate(user, image "example_images").status)
      local answer = helper.generate(developer, image "example_images")
      assert.equal(developer_status, answer.status)
      assert.equal(detail, answer.detail)
    end
  end

  local function new_project(body)
    return function()
      local answer = post(box, PROJECTS, helper.developer_headers(helper.developer(box)), '{"name": "One"}')
      assert.equal(201, answer.status)
      local shape = answer.body:gsub('"%x+%-[%x-]+"', "U"):gsub('"%d+%-[%d%-T:]+Z"', "T")
      assert.equal(body, shape)
    end
  end

  local function lists(unwrap)
    return function()
      local developer = helper.developer(box)
      local headers = helper.developer_headers(developer)
      local projects = get(box, PROJECTS, headers).json
      local keys = get(box, PROJECTS .. developer.project_id .. "/api-keys", headers).json
      assert.equal(developer.project_id, unwrap(projects, "projects")[1].id)
      assert.equal("Default API Key", unwrap(keys, "api_keys")[1].name)
      assert.same({ 1, 1 }, { #unwrap(projects, "projects"), #unwrap(keys, "api_keys") })
    end
  end

  local function only(value, names_of)
    for name in pairs(value) do assert.truthy(names_of[name], name) end
  end

  local function wrong_slash(check)
    return function()
      local developer = helper.developer(box)
      local headers = helper.developer_headers(developer)
      for path, other in pairs { ["/api/v1/projects?x=1"] = "/api/v1/projects/?x=1",
        [PROJECTS .. developer.project_id .. "/"] = PROJECTS .. developer.project_id } do
        check(get(box, path, headers), box.url .. other)
      end
      assert.equal(200, get(box, PROJECTS, headers).status)
      assert.equal(404, get(box, "/api/v1/nothing/", headers).status)
      assert.equal(405, helper.request("PATCH", box.url .. PROJECTS, headers).status)
    end
  end

  -- own, anonymous: the part names that are accepted. A validation error has the first one.
  local function parts(own, anonymous)
    return function()
      local developer = helper.developer(box)
      for path, taken in pairs { ["generate-v2"] = own, ["generate-anonymous-v2"] = anonymous } do
        local known = {}
        for _, name in ipairs(taken) do known[name] = true end
        for _, part in ipairs { "example_images", "files", "images" } do
          local answer = helper.request("POST", box.url .. GENERATION .. path, helper.end_user_headers(developer),
            image(part))
          assert.equal(known[part] and 200 or 422, answer.status)
          if not known[part] then
            assert.same({ { loc = { "body", taken[1] }, msg = "field required", type = "value_error.missing" } },
              answer.detail)
          end
        end
      end
    end
  end

  -- The status response of a generation that has ended.
  local function status_of(developer, prompt, anonymous)
    local path = box.url .. GENERATION .. (anonymous and "generate-anonymous-v2" or "generate-v2")
    local headers = anonymous and {} or helper.end_user_headers(developer)
    local created = helper.request("POST", path, headers, "-F", "example_images=@" .. helper.PNG,
      "--form-string", ('instructions={"prompt": "%s"}'):format(prompt))
    assert.equal(200, created.status)
    local list = anonymous and "anonymous-generations-v2/" or "generations-v2/"
    return get(box, GENERATION .. list .. created.json.id .. "/status", headers).json
  end

  local function status_body(keys, address, failed_keys)
    return function()
      local developer = helper.developer(box)
      for _, anonymous in ipairs { false, true } do
        local done, failed = status_of(developer, "x", anonymous), status_of(developer, "[fail: no paint]", anonymous)
        local function sorted(record)
          local list = {}
          for name in pairs(record) do list[#list + 1] = name end
          table.sort(list)
          return table.concat(list, " ")
        end
        assert.same({ keys, "completed" }, { sorted(done), done.status })
        assert.truthy(address(done):find "^http://127%.0%.0%.1:%d+/generations/")
        assert.same({ failed_keys or keys, "failed" }, { sorted(failed), failed.status })
        assert.equal(sorted(failed):find("error", 1, true) and "no paint" or nil, failed.error)
      end
    end
  end

  local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
    Dec = 12 }

  -- Unix time of an HTTP date.
  local function unix(date)
    local day, month, year, hour, minute, second =
      date:match "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
    local noon = os.time { year = 2001, month = 1, day = 2, hour = 12 }
    local offset = os.difftime(noon, os.time(os.date("!*t", noon)))
    return os.time { year = tonumber(year), month = MONTHS[month], day = tonumber(day), hour = tonumber(hour),
      min = tonumber(minute), sec = tonumber(second) } + offset
  end

  -- Sends four requests where two are allowed, and checks what each response tells about the limit.
  local function limited(says)
    return function()
      local before = os.time()
      for i = 1, 4 do
        local answer = get(box, "/api/v1/auth/me", {})
        assert.equal(i <= 2 and 401 or 429, answer.status)
        local headers = answer.headers
        if says.limits then
          assert.same({ "2", tostring(math.max(0, 2 - i)) },
            { headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"] })
          local reset = tonumber(headers["x-ratelimit-reset"])
          assert.is_true(reset >= before + 3599 and reset <= os.time() + 3601) -- a whole second, rounded up
        else
          for name in pairs(headers) do assert.is_nil(name:find "ratelimit") end
        end
        local wait = i > 2 and tonumber(answer.detail:match "^Rate limit exceeded%. Try again in (%d+) seconds%.$")
        assert.same(says.body and wait or nil, i > 2 and answer.json.retry_after or nil)
        assert.equal(says.seconds and wait and tostring(wait) or nil,
          not says.date and headers["retry-after"] or nil)
        if says.date and wait then
          local at = unix(headers["retry-after"])
          assert.is_true(at >= before + 3599 and at <= os.time() + 3601, headers["retry-after"])
        end
        if wait then assert.is_true(wait > 3000 and wait <= 3600) end
      end
    end
  end

  local FULL = '{"id":U,"name":"One","description":null,"owner_id":U,"is_active":true,"created_at":T,"updated_at":null}'
  local SEED_STATUS = "created_at id instructions is_public result_image_url status updated_at"

  local CHECKS = {
    provisioning = {
      both = provisioned(function(flat, nested)
        assert.same({ true, true, true }, names(flat))
        assert.same(names(flat), names(nested))
      end),
      nested = provisioned(function(flat, nested)
        assert.same({ false, false, false }, names(flat))
        assert.same({ true, true, true }, names(nested))
      end),
      flat = provisioned(function(flat)
        assert.same({ true, true, true }, names(flat))
        assert.is_nil(flat.provisioning)
      end),
    },
    refresh_rotation = {
      reuse = refreshed(function(_, old, new) assert.equal(old, new) end),
      null = refreshed(function(body) assert.truthy(body:find('"refresh_token":null', 1, true)) end),
      absent = refreshed(function(body) assert.is_nil(body:find("refresh_token", 1, true)) end),
      rotate = refreshed(is_new), single_use = refreshed(is_new, true),
    },
    reg_tokens = {
      end_users = tokens_for(false, true), both = tokens_for(true, true), none = tokens_for(false, false),
    },
    role_strictness = {
      lenient = generates(200), strict = generates(403, "Insufficient permissions for this operation"),
    },
    project_create_body = { full = new_project(FULL), id = new_project '{"id":U}' },
    list_envelope = {
      array = lists(function(list) return list end),
      named = lists(function(list, name)
        only(list, { [name] = true })
        return list[name]
      end),
      items = lists(function(list)
        only(list, { items = true, total = true, has_more = true })
        assert.same({ #list.items, false }, { list.total, list.has_more })
        return list.items
      end),
    },
    slash = {
      ["307"] = wrong_slash(function(answer, location)
        assert.same({ 307, location }, { answer.status, answer.headers.location })
      end),
      accept = wrong_slash(function(answer) assert.equal(200, answer.status) end),
      ["404"] = wrong_slash(function(answer) assert.same({ 404, "Not Found" }, { answer.status, answer.detail }) end),
    },
    upload_part = {
      example_images = parts({ "example_images" }, { "example_images" }), files = parts({ "files" }, { "files" }),
      split = parts({ "example_images" }, { "files" }),
      any = parts({ "example_images", "files" }, { "files", "example_images" }),
    },
    generation_status_body = {
      result_image_url = status_body(SEED_STATUS, function(record) return record.result_image_url end,
        (SEED_STATUS:gsub("id ", "error id ", 1))),
      generated_image_url = status_body("generated_image_url id status",
        function(record) return record.generated_image_url end),
      result = status_body("error id result status", function(record)
        only(record.result, { image_url = true })
        return record.result.image_url
      end),
    },
    rate_headers = {
      ["retry_after+body"] = limited { seconds = true, body = true }, retry_after = limited { seconds = true },
      body = limited { body = true }, ["limits+body"] = limited { limits = true, body = true },
      limits = limited { limits = true }, date = limited { date = true },
    },
  }

  -- The options that a sandbox needs beside the dialect.
  local SETTINGS = { generation_status_body = { step_time = 0 }, rate_headers = { request_limit = 2 } }

  for _, axis in ipairs(dialect.axes) do
    describe("on the axis " .. axis[1], function()
      for _, value in ipairs(axis.values) do
        it("has " .. value, function()
          box = helper.start(helper.with(SETTINGS[axis[1]] or {}, { dialect = { [axis[1]] = value } }))
          CHECKS[axis[1]][value]()
        end)
      end
    end)
  end

  it("has a base for each document", function()
    local pages = helper.start { dialect = "pages", request_limit = 10 }
    local _, user, developer = register_user(pages)
    local refused = helper.generate(developer, image "example_images")
    assert.equal(403, refused.status)
    assert.equal("10", refused.headers["x-ratelimit-limit"])
    assert.equal(200, helper.generate(user, image "example_images").status)
    local openapi = helper.start { dialect = "openapi" }
    local answer = helper.generate(helper.developer(openapi), image "example_images")
    assert.same({ "body", "files" }, answer.detail[1].loc)
    assert.is_string(register_developer(openapi).access_token)
    local mixed = helper.start { dialect = { "openapi", upload_part = "example_images", slash = 404 } }
    developer = helper.developer(mixed)
    assert.equal(200, helper.generate(developer, image "example_images").status)
    assert.equal(404, get(mixed, "/api/v1/projects", {}).status)
    assert.is_string(register_developer(mixed).access_token)
  end)

  it("has the numbers of the limit on every response, and counts requests with a route", function()
    local strict = helper.start { dialect = { rate_headers = "limits" }, request_limit = 10 }
    local developer = helper.developer(strict)
    local remaining = 10
    for _, path in ipairs { "/nothing", "/api/v1/projects", PROJECTS, "/api/v1/auth/me" } do
      if path ~= "/nothing" and path ~= "/api/v1/projects" then remaining = remaining - 1 end
      local answer = get(strict, path, helper.developer_headers(developer))
      assert.equal(tostring(remaining), answer.headers["x-ratelimit-remaining"], path)
    end
    local plain = helper.start { dialect = { rate_headers = "limits" } }
    assert.is_nil(get(plain, "/nothing", {}).headers["x-ratelimit-limit"]) -- without a limit, no numbers
  end)

  it("applies to the 429 of generations too", function()
    local busy = helper.start { generation_limit = 1, step_time = 600, dialect = { rate_headers = "date" } }
    local owner = helper.developer(busy)
    assert.equal(200, helper.generate(owner, image "example_images").status)
    local answer = helper.generate(owner, image "example_images")
    assert.equal(429, answer.status)
    assert.is_nil(answer.json.retry_after)
    local wait = unix(answer.headers["retry-after"]) - os.time()
    assert.is_true(wait > 3000 and wait <= 3601)
  end)
end)
