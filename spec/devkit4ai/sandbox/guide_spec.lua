-- Runs the curl commands of the API's guide. The spec replaces the address, the sample email, keys, ids and tokens, and
-- the paths of the images.
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"

local COMMANDS = {
  register = [[
curl -X POST https://api.vibecoding.ad/api/v1/auth/register \
  -H "Content-Type: application/json" \
  -H "X-Operator-Key: YOUR_OPERATOR_KEY" \
  -d '{
    "email": "developer@example.com",
    "password": "SecurePass123"
  }']],
  login = [[
curl -X POST https://api.vibecoding.ad/api/v1/auth/login \
  -H "Content-Type: application/json" \
  -d '{
    "email": "developer@example.com",
    "password": "SecurePass123"
  }']],
  me = [[
curl -X GET https://api.vibecoding.ad/api/v1/auth/me \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN"]],
  create_project = [[
curl -X POST https://api.vibecoding.ad/api/v1/projects/ \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
  -H "X-User-Role: developer" \
  -H "X-Developer-Key: ak_abc123XYZ-_789def456ghi012jkl345" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "My First AI App",
    "description": "AI-powered image generation platform"
  }']],
  create_key = [[
curl -X POST https://api.vibecoding.ad/api/v1/projects/770e8400-e29b-41d4-a716-446655440002/api-keys \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
  -H "X-User-Role: developer" \
  -H "X-Developer-Key: ak_abc123XYZ-_789def456ghi012jkl345" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Production API Key"
  }']],
  generate = [[
curl -X POST https://api.vibecoding.ad/api/v1/generation/generate-v2 \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
  -H "X-User-Role: end_user" \
  -H "X-Developer-Key: ak_abc123XYZ-_789def456ghi012jkl345" \
  -H "X-Project-ID: 770e8400-e29b-41d4-a716-446655440002" \
  -H "X-API-Key: pk_prod123XYZ-_789def456ghi012jkl345" \
  -F "example_images=@/path/to/image1.jpg" \
  -F "example_images=@/path/to/image2.jpg" \
  -F 'instructions={"prompt": "Generate a futuristic cityscape with neon lights"}']],
  status = [[
curl -X GET https://api.vibecoding.ad/api/v1/generation/generations-v2/990e8400-e29b-41d4-a716-446655440004/status \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
  -H "X-User-Role: end_user" \
  -H "X-Developer-Key: ak_abc123XYZ-_789def456ghi012jkl345" \
  -H "X-Project-ID: 770e8400-e29b-41d4-a716-446655440002" \
  -H "X-API-Key: pk_prod123XYZ-_789def456ghi012jkl345"]],
  refresh = [[
curl -X POST https://api.vibecoding.ad/api/v1/auth/refresh \
  -H "Content-Type: application/json" \
  -d '{
    "refresh_token": "YOUR_REFRESH_TOKEN"
  }']],
  list_keys = [[
curl -X GET https://api.vibecoding.ad/api/v1/projects/YOUR_PROJECT_ID/api-keys \
  -H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
  -H "X-User-Role: developer" \
  -H "X-Developer-Key: YOUR_DEVELOPER_KEY"]],
}

local function keys(record)
  local names = {}
  for name in pairs(record) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("the guide's commands", function()
  local box
  local samples -- a sample value of the guide -> the sandbox's value

  local function run(name)
    local command = COMMANDS[name]
    for sample, value in pairs(samples) do
      command = command:gsub(sample:gsub("%p", "%%%0"), (value:gsub("%%", "%%%%")))
    end
    return helper.run_curl(command)
  end

  setup(function()
    box = helper.start { step_time = 0.3 }
    samples = {
      ["https://api.vibecoding.ad"] = box.url, YOUR_OPERATOR_KEY = box.operator_key,
      ["/path/to/image1.jpg"] = helper.PNG, ["/path/to/image2.jpg"] = helper.PNG2,
    }
  end)
  teardown(helper.stop_all)

  it("register a developer and return three credentials", function()
    local answer = run "register"
    assert.equal(201, answer.status)
    assert.equal("application/json", answer.headers["content-type"])
    local account = answer.json
    assert.equal("developer@example.com", account.email)
    assert.equal("developer", account.role)
    assert.is_true(account.is_active)
    assert.equal(cjson.null, account.access_token)
    assert.equal("api_key developer_key project_id", keys(account.provisioning))
    for name, value in pairs(account.provisioning) do assert.equal(value, account[name]) end
    assert.truthy(account.developer_key:find "^ak_[%w%-_]+$")
    assert.equal(35, #account.developer_key)
    assert.truthy(account.api_key:find "^pk_[%w%-_]+$")
    assert.equal(35, #account.api_key)
    samples["ak_abc123XYZ-_789def456ghi012jkl345"] = account.developer_key
    samples.YOUR_DEVELOPER_KEY = account.developer_key
    samples.user_id = account.id
  end)

  it("log in", function()
    local answer = run "login"
    assert.equal(200, answer.status)
    assert.equal("access_token refresh_token token_type", keys(answer.json))
    assert.equal("bearer", answer.json.token_type)
    samples.YOUR_ACCESS_TOKEN, samples.YOUR_REFRESH_TOKEN = answer.json.access_token, answer.json.refresh_token
  end)

  it("show the account", function()
    local answer = run "me"
    assert.equal(200, answer.status)
    assert.equal("created_at email id is_active role", keys(answer.json))
    assert.equal(samples.user_id, answer.json.id)
    assert.truthy(answer.json.created_at:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
  end)

  it("create a project", function()
    local answer = run "create_project"
    assert.equal(201, answer.status)
    assert.equal("created_at description id is_active name owner_id updated_at", keys(answer.json))
    assert.equal("My First AI App", answer.json.name)
    assert.equal("AI-powered image generation platform", answer.json.description)
    assert.equal(samples.user_id, answer.json.owner_id)
    assert.equal(cjson.null, answer.json.updated_at)
    samples["770e8400-e29b-41d4-a716-446655440002"] = answer.json.id
    samples.YOUR_PROJECT_ID = answer.json.id
  end)

  it("create a key of the project", function()
    local answer = run "create_key"
    assert.equal(201, answer.status)
    local key = answer.json
    assert.equal("created_at id is_active key key_prefix last_used_at name project_id", keys(key))
    assert.equal("Production API Key", key.name)
    assert.equal(key.key:sub(1, 8), key.key_prefix)
    assert.equal(samples.YOUR_PROJECT_ID, key.project_id)
    assert.equal(cjson.null, key.last_used_at)
    samples["pk_prod123XYZ-_789def456ghi012jkl345"] = key.key
  end)

  it("start a generation", function()
    local answer = run "generate"
    assert.equal(200, answer.status)
    assert.equal("id message status", keys(answer.json))
    assert.equal("pending", answer.json.status)
    assert.equal("Generation request submitted successfully", answer.json.message)
    samples["990e8400-e29b-41d4-a716-446655440004"] = answer.json.id
  end)

  it("follow it until its image is ready", function()
    local order = { pending = 1, processing = 2, completed = 3 }
    local answer
    local last = 0
    repeat
      answer = run "status"
      assert.equal(200, answer.status)
      local status = answer.json.status
      assert.is_true(order[status] >= last)
      last = order[status]
      assert.equal("created_at id instructions is_public result_image_url status updated_at", keys(answer.json))
      assert.equal(status == "pending", answer.json.updated_at == cjson.null)
      assert.equal(status ~= "completed", answer.json.result_image_url == cjson.null)
    until status == "completed"
    assert.equal('{"prompt": "Generate a futuristic cityscape with neon lights"}', answer.json.instructions)
    assert.is_false(answer.json.is_public)
    local url = answer.json.result_image_url
    assert.not_equal(box.url, url:match "^http://127%.0%.0%.1:%d+")
    local image = helper.curl(url)
    assert.equal(200, image.status)
    assert.equal("image/png", image.headers["content-type"])
    assert.equal("\137PNG\r\n\26\n", image.body:sub(1, 8))
    assert.equal("\0\0\4\0\0\0\4\0", image.body:sub(17, 24)) -- 1,024 x 1,024
  end)

  it("get a new access token for the same refresh token", function()
    local answer = run "refresh"
    assert.equal(200, answer.status)
    assert.equal("access_token refresh_token token_type", keys(answer.json))
    assert.equal(samples.YOUR_REFRESH_TOKEN, answer.json.refresh_token)
    assert.not_equal(samples.YOUR_ACCESS_TOKEN, answer.json.access_token)
    samples.YOUR_ACCESS_TOKEN = answer.json.access_token
    assert.equal(200, run("me").status)
  end)

  it("list the project's keys, without their secret parts", function()
    local answer = run "list_keys"
    assert.equal(200, answer.status)
    assert.equal(1, #answer.json)
    assert.equal("created_at id is_active key_prefix last_used_at name", keys(answer.json[1]))
    assert.not_equal(cjson.null, answer.json[1].last_used_at)
    assert.falsy(answer.text:find(samples["pk_prod123XYZ-_789def456ghi012jkl345"], 1, true))
  end)
end)
