-- Every error of wire.md 4.3, with its exact status and text. A row has requests that get the error, or it names what
-- the sandbox does instead; then a fault makes the error.
local helper = require "spec.devkit4ai.sandbox.helper"

local UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
local AUTH, PROJECTS = "/api/v1/auth/", "/api/v1/projects/"
local KEYS = AUTH .. "developer-keys"
local NEEDS = "Password must contain at least one "

local box, developer, other, dev, user, operator, member

local function send(method, path, headers, body, url)
  if not body then return helper.request(method, (url or box.url) .. path, headers) end
  return helper.request(method, (url or box.url) .. path,
    helper.with(headers, { ["Content-Type"] = "application/json" }), "--data-binary", body)
end

local function account(email, password)
  return ('{"email": "%s", "password": "%s"}'):format(email or helper.email(), password or helper.PASSWORD)
end

local function register(headers, body)
  return send("POST", AUTH .. "register", headers, body or account())
end

local IMAGE, PROMPT = "example_images=@" .. helper.PNG, 'instructions={"prompt": "x"}'
local generate = helper.generate

local function instructed(text)
  return generate(developer, "-F", IMAGE, "--form-string", "instructions=" .. text)
end

-- Uploads bytes as an image.
local function upload(bytes)
  local path = helper.file(bytes)
  local answer = generate(developer, "-F", "example_images=@" .. path, "-F", PROMPT)
  os.remove(path)
  return answer
end

-- Creates a developer key.
local function new_key(headers)
  local created = send("POST", KEYS, headers, "{}")
  assert.equal(201, created.status)
  return created.json
end

local function revoke(id)
  return send("DELETE", KEYS .. "/" .. id, dev)
end

-- Sends a request with a developer's headers and an end user's token.
local function as_end_user(method, path, body)
  local token = register(member).json.access_token
  return send(method, path, helper.with(dev, { Authorization = "Bearer " .. token }), body)
end

local function own_key_id()
  for _, key in ipairs(send("GET", KEYS, dev).json) do
    if key.key_prefix == developer.developer_key:sub(1, 8) then return key.id end
  end
end

local function finding(loc, msg, type_name)
  return { { loc = loc, msg = msg, type = type_name } }
end

-- id -> status, detail, and either functions that get the error, or instead: what the sandbox does
local ROWS = {
  E01 = { 401, "Could not validate credentials", function() return send("GET", AUTH .. "me", {}) end },
  E02 = { 401, "Authentication credentials were not provided", instead = "E01 (D22)" },
  E03 = { 403, "X-User-Role header is required", function()
    return send("GET", PROJECTS, helper.with(dev, { ["X-User-Role"] = false }))
  end },
  E04 = { 403, "Invalid or revoked developer key", function()
    return send("GET", PROJECTS, helper.with(dev, { ["X-Developer-Key"] = false }))
  end, function()
    local key = new_key(dev)
    assert.equal(204, revoke(key.id).status)
    return send("GET", PROJECTS, helper.with(dev, { ["X-Developer-Key"] = key.key }))
  end },
  E05 = { 403, "You do not have permission to access this resource", function()
    return send("GET", PROJECTS .. other.project_id, dev)
  end },
  E06 = { 403, "Insufficient permissions", function() return as_end_user("GET", KEYS) end,
    function() return as_end_user("POST", KEYS, "{}") end },
  E07 = { 403, "Insufficient permissions. Developer role required.", function()
    return as_end_user("POST", PROJECTS, '{"name": "abc"}')
  end },
  E08 = { 403, "Insufficient permissions for this operation", function()
    return generate(helper.with(other, { access_token = developer.access_token }), "-F", IMAGE, "-F", PROMPT)
  end },
  E09 = { 404, "Project not found", function() return send("GET", PROJECTS .. UNKNOWN_ID, dev) end },
  E10 = { 429, "Rate limit exceeded. Try again in 3600 seconds.", function()
    box:fault { rate_limit = 3600 }
    return send("GET", AUTH .. "me", {})
  end, function()
    local strict = helper.start { request_limit = 0 }
    strict:clock { frozen = true }
    return send("GET", AUTH .. "me", {}, nil, strict.url)
  end },
  E11 = { 429, "AI generation rate limit exceeded. Try again later.", function()
    return generate(helper.developer(helper.start { generation_limit = 0 }), "-F", IMAGE, "-F", PROMPT)
  end },
  E12 = { 401, "Incorrect email or password", function() return send("POST", AUTH .. "login", {}, account()) end },
  E13 = { 400, "Account not activated", function()
    local strict, body = helper.start { activation = "verified" }, account()
    assert.equal(201, send("POST", AUTH .. "register", { ["X-Operator-Key"] = strict.operator_key }, body,
      strict.url).status)
    return send("POST", AUTH .. "login", {}, body, strict.url)
  end },
  E14 = { 400, "Invalid X-Project-ID format. Must be a valid UUID.", function()
    return send("POST", AUTH .. "login", { ["X-Project-ID"] = "x" }, account())
  end, function() return register(helper.with(member, { ["X-Project-ID"] = "x" })) end },
  E15 = { 500, "Login failed: no database", instead = "nothing that fails in a login" },
  E16 = { 401, "Session expired", instead = "E01" },
  E17 = { 422, finding({ "body", "email" }, "value is not a valid email address", "value_error.email"),
    function() return register(operator, account("x")) end,
    function() return send("POST", AUTH .. "login", {}, account("x")) end },
  E18 = { 422, finding({ "body", "password" },
    "Password must be at least 8 characters with uppercase, lowercase, and digit", "value_error.password"),
    function() return register(operator, account(nil, "short")) end },
  E19 = { 409, "Email already registered", function()
    local body = account()
    assert.equal(201, register(operator, body).status)
    return register(operator, body)
  end },
  E20 = { 400, "End user registration requires a developer key and project context",
    function() return register {} end },
  E21 = { 400, "X-Project-ID header is required for END_USER registration",
    function() return register(helper.with(member, { ["X-Project-ID"] = false })) end },
  E22 = { 403, "Project not found or you don't have permission to add users to it",
    function() return register(helper.with(member, { ["X-Project-ID"] = other.project_id })) end },
  E23 = { 500, { "Password must be at least 8 characters long", NEEDS .. "uppercase letter",
    NEEDS .. "lowercase letter", NEEDS .. "digit" }, instead = "E18 (D59)" },
  E24 = { 500, "Invalid email format", instead = "E17" },
  E25 = { 429, "Too many registration attempts", instead = "E10" },
  E26 = { 400, "Invalid operator key", function() return register { ["X-Operator-Key"] = "wrong" } end },
  E27 = { 400, "Maximum number of developer keys (10) reached. Please revoke unused keys.", function()
    local headers = helper.developer_headers(helper.developer(box))
    for _ = 1, 9 do new_key(headers) end
    return send("POST", KEYS, headers, "{}")
  end },
  E28 = { 422, finding({ "body", "name" }, "ensure this value has at most 100 characters",
    "value_error.any_str.max_length"), function()
    return send("POST", KEYS, dev, '{"name": "' .. ("😀"):rep(101) .. '"}')
  end },
  E29 = { 400, "Developer key is already revoked or inactive", function()
    local key = new_key(dev)
    assert.equal(204, revoke(key.id).status)
    return revoke(key.id)
  end },
  E30 = { 403, "Key does not belong to the authenticated developer", function()
    return revoke(new_key(helper.developer_headers(other)).id)
  end },
  E31 = { 403, "Cannot revoke the developer key currently being used for authentication", function()
    return revoke(own_key_id())
  end },
  E32 = { 404, "Developer key not found", function() return revoke(UNKNOWN_ID) end },
  E33 = { 422, finding({ "path", "key_id" }, "value is not a valid uuid", "type_error.uuid"),
    function() return revoke "x" end },
  E34 = { 422, finding({ "body", "name" }, "ensure this value has at least 3 characters",
    "value_error.any_str.min_length"), function() return send("POST", PROJECTS, dev, '{"name": "😀😀"}') end },
  E35 = { 422, finding({ "body", "description" }, "ensure this value has at most 500 characters",
    "value_error.any_str.max_length"), function()
    return send("POST", PROJECTS, dev, '{"name": "abc", "description": "' .. ("x"):rep(501) .. '"}')
  end },
  E36 = { 403, "Maximum number of projects reached for your subscription tier. Upgrade to create more projects.",
    function()
      local strict = helper.start { project_limit = 1 }
      return send("POST", PROJECTS, helper.developer_headers(helper.developer(strict)), '{"name": "abc"}', strict.url)
    end },
  E37 = { 422, finding({ "body", "example_images" }, "field required", "value_error.missing"),
    function() return generate(developer, "-F", PROMPT) end },
  E38 = { 422, "Maximum 5 example images allowed", function()
    return generate(developer, "-F", IMAGE, "-F", IMAGE, "-F", IMAGE, "-F", IMAGE, "-F", IMAGE, "-F", IMAGE,
      "-F", PROMPT)
  end },
  E39 = { 413, "File size exceeds maximum allowed size of 10MB",
    function() return upload("\255\216\255" .. ("x"):rep(10 * 1024 * 1024)) end },
  E40 = { 422, "Invalid file format. Supported formats: JPEG, PNG, WebP", function() return upload "GIF89a" end },
  E41 = { 422, finding({ "body", "instructions" }, "Invalid JSON format", "value_error.json"),
    function() return instructed "a city" end },
  E42 = { 422, "Instructions must be between 1 and 1000 characters",
    function() return instructed(("x"):rep(1001)) end },
  E43 = { 401, "Invalid credentials", instead = "E12 (D17)" },
  E44 = { 401, "Account not activated. Please check your email for the verification link.", instead = "E13 (D16)" },
  E50 = { 401, "Not authenticated", instead = "payments are not in the sandbox, as for the rows below" },
  E51 = { 403, "You do not own this project", instead = "payments" },
  E52 = { 404, "Project not found", instead = "payments" },
  E53 = { 404, "Stripe configuration not found", instead = "payments" },
  E54 = { 422, "Invalid Stripe key format", instead = "payments" },
  E55 = { 400, "User already has an active subscription", instead = "payments" },
  E56 = { 404, "Stripe is not configured for this project", instead = "payments" },
  E57 = { 404, "No Stripe customer found", instead = "payments" },
  E58 = { 404, "No active subscription found", instead = "payments" },
  E59 = { 400, "Invalid price ID", instead = "payments" },
  E60 = { 400, "Invalid signature", instead = "payments" },
  E61 = { 500, "Webhook processing failed", instead = "payments" },
}

describe("the sandbox's error", function()
  setup(function()
    box = helper.start()
    developer, other = helper.developer(box), helper.developer(box)
    dev, user = helper.developer_headers(developer), helper.end_user_headers(developer)
    operator = { ["X-Operator-Key"] = box.operator_key }
    member = { ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id }
  end)
  teardown(helper.stop_all)

  -- Makes an error by a fault, on a path that the sandbox does not have.
  local function by_fault(status, detail)
    box:fault { status = status, detail = detail }
    local answer = send("POST", "/api/v1/payments/stripe/checkout-session", user, "{}")
    assert.same({ status, detail }, { answer.status, answer.detail })
  end

  for number = 1, 61 do
    local id = ("E%02d"):format(number)
    if number <= 44 or number >= 50 then -- wire.md E45 to E49 do not exist
      it(id .. " has its documented status and text", function()
        local row = assert(ROWS[id], "no row of this name")
        local status, detail = row[1], row[2]
        assert.is_true((row[3] ~= nil) ~= (row.instead ~= nil))
        for i = 3, #row do
          local answer = row[i]()
          assert.same({ status, detail }, { answer.status, answer.detail })
        end
        if row.instead then
          for _, text in ipairs(type(detail) == "table" and detail or { detail }) do by_fault(status, text) end
        end
      end)
    end
  end

  it("of a 429 has retry_after, and of a login WWW-Authenticate", function()
    assert.equal(3600, ROWS.E11[3]().json.retry_after)
    assert.equal("Bearer", ROWS.E12[3]().headers["www-authenticate"])
  end)

  it("for a path that does not exist is the framework's 404 (wire.md 3.4)", function()
    local id = developer.project_id
    for path, method in pairs {
      ["/api/v1/users"] = "GET", ["/api/v1/generation"] = "GET", ["/api/v1/generation/list"] = "GET",
      ["/api/v1/generation/public"] = "GET", ["/api/v1/generation/" .. id .. "/status"] = "GET",
      ["/api/v1/generation/" .. id .. "/public"] = "PATCH", ["/api/v1/generation/" .. id] = "DELETE",
      ["/api/v1/generation/generations/" .. id] = "DELETE", ["/api/v1/generations"] = "GET",
      ["/api/v1/generations/list"] = "GET", ["/api/v1/generation/generate-anonymous"] = "POST",
      ["/api/v1/generation/anonymous-generations/" .. id .. "/status"] = "GET",
      [PROJECTS .. "revoke-api-key"] = "POST", [PROJECTS .. id] = "PATCH", [AUTH .. "verify-email?token=x"] = "GET",
      [AUTH .. "check-email"] = "GET", ["/api/v1/admin/users"] = "GET", ["/api/v1/user/data"] = "GET",
      ["/api/v1/user/profile"] = "GET", ["/api/v1/public/stats"] = "GET", [AUTH .. "logout"] = "POST",
      ["/api/v1/payments/stats"] = "GET",
    } do
      local answer = send(method, path, dev)
      assert.same({ 404, "Not Found" }, { answer.status, answer.detail }, method .. " " .. path)
    end
  end)
end)
