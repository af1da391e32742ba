-- The error responses of each operation (wire.md 4.3 and 4.4): exact status and text.
local helper = require "spec.devkit4ai.sandbox.helper"

local UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
local REGISTER, LOGIN, ME = "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/me"
local REFRESH, PROJECTS = "/api/v1/auth/refresh", "/api/v1/projects/"
local GENERATE, STATUS = "/api/v1/generation/generate-v2", "/api/v1/generation/generations-v2/%s/status"

describe("the sandbox refuses", function()
  local box, developer, other, dev, user

  setup(function()
    box = helper.start()
    developer, other = helper.developer(box), helper.developer(box)
    dev, user = helper.developer_headers(developer), helper.end_user_headers(developer)
  end)
  teardown(helper.stop_all)

  local function get(path, headers)
    return helper.request("GET", box.url .. path, headers)
  end

  local function post(path, headers, body)
    return helper.request("POST", box.url .. path,
      helper.with(headers, { ["Content-Type"] = "application/json" }), "--data-binary", body)
  end

  local function refused(status, detail, answer)
    assert.equal(detail, answer.detail)
    assert.equal(status, answer.status)
  end

  -- Expects a validation error with one entry.
  local function invalid(loc, msg, type_name, answer)
    assert.equal(422, answer.status)
    assert.same({ { loc = loc, msg = msg, type = type_name } }, answer.detail)
  end

  local function generate(owner)
    return helper.generate(owner, "-F", "example_images=@" .. helper.PNG, "-F", 'instructions={"prompt": "x"}')
  end

  local function account(email, password)
    return ('{"email": "%s", "password": "%s"}'):format(email, password or helper.PASSWORD)
  end

  describe("a token", function()
    it("that is missing, forged, of another scheme, or a refresh token (E01)", function()
      local forged = developer.access_token:sub(1, -3) .. "AA"
      if forged == developer.access_token then forged = developer.access_token:sub(1, -3) .. "BB" end
      for _, value in ipairs { "", "Bearer", "Bearer x", "Bearer " .. forged, "Basic " .. developer.access_token,
        "Bearer " .. developer.refresh_token, developer.access_token } do
        refused(401, "Could not validate credentials", get(ME, { Authorization = value }))
      end
      refused(401, "Could not validate credentials", get(ME, {}))
      refused(401, "Could not validate credentials", post(PROJECTS, {}, "{}"))
    end)

    it("with another signature algorithm", function()
      local body = developer.access_token:match("%.(.-)%.")
      local none = "eyJhbGciOiJub25lIn0." .. body .. "."
      refused(401, "Could not validate credentials", get(ME, { Authorization = "Bearer " .. none }))
    end)

    it("that has expired (E01)", function()
      local short = helper.start { access_life = 0, refresh_life = 0 }
      local late = helper.developer(short)
      local answer = helper.request("GET", short.url .. ME, { Authorization = "Bearer " .. late.access_token })
      refused(401, "Could not validate credentials", answer)
      refused(401, "Could not validate credentials", helper.request("POST", short.url .. REFRESH, {},
        "-H", helper.JSON, "-d", '{"refresh_token": "' .. late.refresh_token .. '"}'))
    end)

    it("for a refresh that is malformed, or an access token (E01)", function()
      refused(401, "Could not validate credentials", post(REFRESH, {}, '{"refresh_token": "x.y.z"}'))
      refused(401, "Could not validate credentials",
        post(REFRESH, {}, '{"refresh_token": "' .. developer.access_token .. '"}'))
      invalid({ "body", "refresh_token" }, "field required", "value_error.missing", post(REFRESH, {}, "{}"))
    end)
  end)

  describe("a role header", function()
    it("that is missing (E03)", function()
      refused(403, "X-User-Role header is required", get(PROJECTS, helper.with(dev, { ["X-User-Role"] = false })))
      refused(403, "X-User-Role header is required",
        post(GENERATE, helper.with(user, { ["X-User-Role"] = false }), "x"))
    end)

    it("that is unknown or of another profile (E05)", function()
      for _, role in ipairs { "end_user", "platform_operator", "Developer", "king" } do
        refused(403, "You do not have permission to access this resource",
          get(PROJECTS, helper.with(dev, { ["X-User-Role"] = role })))
      end
    end)
  end)

  describe("a key", function()
    it("of a developer that is missing or unknown (E04)", function()
      for _, key in ipairs { false, "ak_nothing", developer.project_key } do
        refused(403, "Invalid or revoked developer key", get(PROJECTS, helper.with(dev, { ["X-Developer-Key"] = key })))
        refused(403, "Invalid or revoked developer key",
          post(GENERATE, helper.with(user, { ["X-Developer-Key"] = key }), "x"))
      end
    end)

    it("of another developer (E05)", function()
      refused(403, "You do not have permission to access this resource",
        get(PROJECTS, helper.with(dev, { ["X-Developer-Key"] = other.developer_key })))
      refused(403, "You do not have permission to access this resource",
        post(GENERATE, helper.with(user, { ["X-Developer-Key"] = other.developer_key }), "x"))
    end)

    it("of a project that is missing, unknown, or another project's", function()
      refused(403, "X-API-Key header is required", post(GENERATE, helper.with(user, { ["X-API-Key"] = false }), "x"))
      for _, key in ipairs { "pk_nothing", other.project_key, developer.developer_key } do
        refused(403, "Invalid or revoked API key", post(GENERATE, helper.with(user, { ["X-API-Key"] = key }), "x"))
      end
    end)

    it("with a project id that is missing, malformed or unknown", function()
      refused(403, "X-Project-ID header is required",
        post(GENERATE, helper.with(user, { ["X-Project-ID"] = false }), "x"))
      refused(403, "You do not have permission to access this resource",
        post(GENERATE, helper.with(user, { ["X-Project-ID"] = "770e8400" }), "x"))
      refused(403, "Invalid or revoked API key",
        post(GENERATE, helper.with(user, { ["X-Project-ID"] = UNKNOWN_ID }), "x"))
    end)
  end)

  describe("a registration", function()
    local operator, member

    setup(function()
      operator = { ["X-Operator-Key"] = box.operator_key }
      member = { ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id }
    end)

    it("with a bad address, a bad password, or both (E17, E18)", function()
      local weak = "Password must be at least 8 characters with uppercase, lowercase, and digit"
      for _, email in ipairs { "x", "x@y", "@example.com", "a b@example.com", "a@b@example.com", "" } do
        invalid({ "body", "email" }, "value is not a valid email address", "value_error.email",
          post(REGISTER, operator, account(email)))
      end
      for _, password in ipairs { "Short1A", "alllowercase1", "ALLUPPERCASE1", "NoDigitsHere", "Aä1üöb", "" } do
        invalid({ "body", "password" }, weak, "value_error.password",
          post(REGISTER, operator, account(helper.email(), password)))
      end
      local both = post(REGISTER, operator, account("x", "y"))
      assert.equal(2, #both.detail)
    end)

    it("whose body is missing, not JSON, not an object, or has a wrong type", function()
      invalid({ "body" }, "field required", "value_error.missing", post(REGISTER, operator, ""))
      invalid({ "body" }, "value is not a valid dict", "type_error.dict", post(REGISTER, operator, "[]"))
      invalid({ "body", 1 }, "JSON decode error", "json_invalid", post(REGISTER, operator, "{no"))
      invalid({ "body", "password" }, "str type expected", "type_error.str",
        post(REGISTER, operator, '{"email": "a@example.com", "password": 12345678}'))
    end)

    it("of an address that the developers, or the project, have already (E19)", function()
      local email = helper.email()
      assert.equal(201, post(REGISTER, operator, account(email)).status)
      refused(409, "Email already registered", post(REGISTER, operator, account(email:upper())))
      assert.equal(201, post(REGISTER, member, account(email)).status)
      refused(409, "Email already registered", post(REGISTER, member, account(email)))
    end)

    it("with missing or wrong keys (E20, E21, E14, E04, E22, E26)", function()
      local body = account(helper.email())
      refused(400, "End user registration requires a developer key and project context", post(REGISTER, {}, body))
      refused(400, "End user registration requires a developer key and project context",
        post(REGISTER, { ["X-Project-ID"] = developer.project_id }, body))
      refused(400, "X-Project-ID header is required for END_USER registration",
        post(REGISTER, helper.with(member, { ["X-Project-ID"] = false }), body))
      refused(400, "Invalid X-Project-ID format. Must be a valid UUID.",
        post(REGISTER, helper.with(member, { ["X-Project-ID"] = "x" }), body))
      refused(403, "Invalid or revoked developer key",
        post(REGISTER, helper.with(member, { ["X-Developer-Key"] = "ak_x" }), body))
      for _, id in ipairs { UNKNOWN_ID, other.project_id } do
        refused(403, "Project not found or you don't have permission to add users to it",
          post(REGISTER, helper.with(member, { ["X-Project-ID"] = id }), body))
      end
      assert.equal(400, post(REGISTER, { ["X-Operator-Key"] = "wrong" }, body).status)
      refused(403, "Invalid or revoked API key", post(REGISTER, helper.with(member, { ["X-API-Key"] = "pk_x" }), body))
    end)

    it("but accepts an end user's, whose tokens work in that project only (E08)", function()
      local answer = post(REGISTER, helper.with(member, { ["X-User-Role"] = "end_user",
        ["X-API-Key"] = developer.project_key }), account(helper.email()))
      assert.equal(201, answer.status)
      assert.equal("end_user", answer.json.role)
      assert.equal(developer.project_id, answer.json.project_id)
      local bearer = { Authorization = "Bearer " .. answer.json.access_token }
      assert.equal(200, get(ME, bearer).status)
      assert.equal(404, get(STATUS:format(UNKNOWN_ID), helper.with(user, bearer)).status)
      local elsewhere = helper.with(helper.end_user_headers(other), bearer)
      refused(403, "Insufficient permissions for this operation", post(GENERATE, elsewhere, "x"))
      refused(403, "You do not have permission to access this resource", get(STATUS:format(UNKNOWN_ID), elsewhere))
      refused(403, "Insufficient permissions. Developer role required.",
        post(PROJECTS, helper.with(dev, bearer), '{"name": "abc"}'))
    end)
  end)

  describe("a login", function()
    it("with a wrong password or an unknown address (E12)", function()
      local email = helper.email()
      assert(box:developer { email = email, password = helper.PASSWORD })
      for _, body in ipairs { account(email, "WrongPass123"), account("nobody@example.com") } do
        local answer = post(LOGIN, {}, body)
        refused(401, "Incorrect email or password", answer)
        assert.equal("Bearer", answer.headers["www-authenticate"])
      end
      assert.equal(200, post(LOGIN, {}, account(email)).status)
      refused(401, "Incorrect email or password",
        post(LOGIN, { ["X-Project-ID"] = developer.project_id }, account(email)))
    end)

    it("of an end user without the project's id (E12, E14)", function()
      local email = helper.email()
      local member = { ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id }
      assert.equal(201, post(REGISTER, member, account(email)).status)
      refused(401, "Incorrect email or password", post(LOGIN, {}, account(email)))
      refused(400, "Invalid X-Project-ID format. Must be a valid UUID.",
        post(LOGIN, { ["X-Project-ID"] = "x" }, account(email)))
      assert.equal(200, post(LOGIN, { ["X-Project-ID"] = developer.project_id:upper() }, account(email)).status)
    end)

    it("with a malformed address (E17)", function()
      invalid({ "body", "email" }, "value is not a valid email address", "value_error.email",
        post(LOGIN, {}, account("nobody")))
    end)
  end)

  describe("a project", function()
    it("whose name or description has the wrong length (E34, E35)", function()
      invalid({ "body", "name" }, "ensure this value has at least 3 characters", "value_error.any_str.min_length",
        post(PROJECTS, dev, '{"name": "ab"}'))
      invalid({ "body", "description" }, "ensure this value has at most 500 characters",
        "value_error.any_str.max_length",
        post(PROJECTS, dev, '{"name": "abc", "description": "' .. ("ä"):rep(501) .. '"}'))
      invalid({ "body", "name" }, "field required", "value_error.missing", post(PROJECTS, dev, "{}"))
      assert.equal(201, post(PROJECTS, dev, '{"name": "äöü", "description": "' .. ("ä"):rep(500) .. '"}').status)
      assert.equal(201, post(PROJECTS, dev, '{"name": "abc", "description": null}').status)
    end)

    it("that does not exist (E09), is another's (E05), or has no UUID", function()
      for _, path in ipairs { "", "/api-keys" } do
        refused(404, "Project not found", get(PROJECTS .. UNKNOWN_ID .. path, dev))
        refused(403, "You do not have permission to access this resource",
          get(PROJECTS .. other.project_id .. path, dev))
        invalid({ "path", "project_id" }, "value is not a valid uuid", "type_error.uuid",
          get(PROJECTS .. "x" .. path, dev))
      end
      refused(404, "Project not found", post(PROJECTS .. UNKNOWN_ID .. "/api-keys", dev, "{}"))
      refused(403, "You do not have permission to access this resource",
        post(PROJECTS .. other.project_id .. "/api-keys", dev, "{}"))
    end)

    it("beyond the limit (E36)", function()
      local small = helper.start { project_limit = 2 }
      local headers = helper.developer_headers(helper.developer(small))
      local function create()
        return helper.request("POST", small.url .. PROJECTS, headers, "-H", helper.JSON, "-d", '{"name": "abc"}')
      end
      assert.equal(201, create().status)
      refused(403, "Maximum number of projects reached for your subscription tier. Upgrade to create more projects.",
        create())
    end)
  end)

  it("a key's name that is too long, but not a missing one", function()
    local path = PROJECTS .. developer.project_id .. "/api-keys"
    invalid({ "body", "name" }, "ensure this value has at most 255 characters", "value_error.any_str.max_length",
      post(path, dev, '{"name": "' .. ("x"):rep(256) .. '"}'))
    assert.equal(201, post(path, dev, "{}").status)
  end)

  it("a generation that does not exist, is another's, or has no UUID", function()
    refused(404, "Generation not found", get(STATUS:format(UNKNOWN_ID), user))
    local answer = generate(other)
    refused(404, "Generation not found", get(STATUS:format(answer.json.id), user))
    invalid({ "path", "generation_id" }, "value is not a valid uuid", "type_error.uuid", get(STATUS:format("x"), user))
  end)

  it("more requests in an hour than the limit (E10)", function()
    local strict = helper.start { request_limit = 2 }
    for _ = 1, 2 do assert.equal(401, helper.curl(strict.url .. ME).status) end
    local answer = helper.curl(strict.url .. ME)
    assert.equal(429, answer.status)
    local seconds = answer.json.retry_after
    assert.is_true(seconds > 3500 and seconds <= 3600)
    assert.equal(("Rate limit exceeded. Try again in %d seconds."):format(seconds), answer.detail)
    assert.equal(tostring(math.floor(seconds)), answer.headers["retry-after"])
  end)

  it("more generations at once than the limit (E11)", function()
    local busy = helper.start { generation_limit = 1, step_time = 600 }
    local owner = helper.developer(busy)
    assert.equal(200, generate(owner).status)
    local answer = generate(owner)
    refused(429, "AI generation rate limit exceeded. Try again later.", answer)
    assert.equal(3600, answer.json.retry_after)
    assert.equal("3600", answer.headers["retry-after"])
  end)

  it("unknown paths and methods", function()
    refused(404, "Not Found", get("/api/v1/users", {}))
    refused(404, "Not Found", get("/api/v1/generation/list", {}))
    local answer = helper.request("PATCH", box.url .. PROJECTS, {})
    refused(405, "Method Not Allowed", answer)
    assert.equal("GET, POST", answer.headers.allow)
    answer = helper.request("DELETE", box.url .. ME, {})
    refused(405, "Method Not Allowed", answer)
    assert.equal("GET", answer.headers.allow)
  end)

  it("a wrong slash at the end, with a redirect", function()
    local answer = get("/api/v1/projects?x=1", dev)
    assert.equal(307, answer.status)
    assert.equal(box.url .. "/api/v1/projects/?x=1", answer.headers.location)
    assert.equal(307, get(ME .. "/", {}).status)
    assert.equal(box.url .. ME, get(ME .. "/", {}).headers.location)
  end)

  it("in the documented order: token, role, keys, then the body, then the project", function()
    local bad = "{no"
    refused(401, "Could not validate credentials", post(PROJECTS, {}, bad))
    refused(403, "X-User-Role header is required", post(PROJECTS, helper.with(dev,
      { ["X-User-Role"] = false, ["X-Developer-Key"] = "x" }), bad))
    refused(403, "Invalid or revoked developer key",
      post(PROJECTS, helper.with(dev, { ["X-Developer-Key"] = "x" }), bad))
    assert.equal(422, post(PROJECTS .. UNKNOWN_ID .. "/api-keys", dev, bad).status)
  end)
end)
