-- Response normalization: each form of wire.md 6 as documented JSON.
local responses = require "devkit4ai.api.responses"
local json = require "devkit4ai.util.json"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local PROJECT = "770e8400-e29b-41d4-a716-446655440002"

-- Decoded in the same way as a response on the wire.
local function read(row, text)
  local ok, raw, secrets = json.decode((text:gsub("ID", ID):gsub("PROJECT", PROJECT)))
  assert.is_true(ok)
  return responses[row](raw, secrets)
end

local function lacks(row, text, what)
  local answer, missing = read(row, text)
  assert.is_nil(answer)
  assert.equal(what, missing)
end

describe("an account", function()
  local KEYS = { developer_key = "ak_dev", project_id = PROJECT, project_key = "pk_prod" }

  for form, text in pairs { -- wire.md D04
    ["the guide's, flat"] = '{"id":"ID","project_id":"PROJECT","developer_key":"ak_dev","api_key":"pk_prod"}',
    ["the OpenAPI file's, nested"] = [[{"id":"ID","email":"dev@example.com","full_name":null,"role":"developer",
      "is_active":true,"created_at":"2025-12-08T10:30:00Z","project_id":null,"provisioning":
      {"project_id":"PROJECT","api_key":"pk_prod","developer_key":"ak_dev"},"access_token":null}]],
    ["both at once, the nested one first"] = [[{"id":"ID","project_id":"other","developer_key":"other",
      "api_key":"other",
      "provisioning":{"project_id":"PROJECT","api_key":"pk_prod","developer_key":"ak_dev"}}]],
  } do
    it("has its keys in the form " .. form, function()
      local account = assert(read("account", text))
      for name, value in pairs(KEYS) do assert.equal(value, account[name], name) end
      assert.is_nil(account.full_name)
    end)
  end

  it("is active by is_active, else by is_verified", function() -- wire.md D15
    assert.is_true(read("account", '{"id":"ID","is_active":true}').is_active)
    assert.is_false(read("account", '{"id":"ID","is_active":false,"is_verified":true}').is_active)
    assert.is_true(read("account", '{"id":"ID","is_verified":true}').is_active)
    assert.is_true(read("account", '{"id":"ID","is_active":null,"is_verified":true}').is_active)
    assert.is_nil(read("account", '{"id":"ID"}').is_active)
  end)

  it("has no key in raw", function()
    local account = read("account", '{"id":"ID","api_key":"pk","provisioning":{"api_key":"pk","developer_key":"ak"}}')
    assert.same({ id = ID, provisioning = {} }, account.raw)
  end)

  it("is rejected without an id", function()
    lacks("account", "{}", "id")
    lacks("account", '{"id":7}', "id")
    lacks("account", '{"id":null}', "id")
  end)
end)

describe("tokens", function()
  it("have a refresh token, or none in three forms", function() -- wire.md D09
    assert.same({ access_token = "A", refresh_token = "R" },
      read("tokens", '{"access_token":"A","refresh_token":"R","token_type":"bearer"}'))
    for _, text in ipairs { '{"access_token":"A","token_type":"Bearer"}', '{"access_token":"A","refresh_token":null}',
      '{"access_token":"A","refresh_token":""}' } do
      assert.same({ access_token = "A" }, read("tokens", text))
    end
  end)

  it("are rejected without an access token", function()
    for _, text in ipairs { "{}", '{"access_token":null}', '{"access_token":""}', '{"access_token":{}}',
      '{"refresh_token":"R"}', "[]" } do
      lacks("tokens", text, "access_token")
    end
  end)
end)

describe("a project", function()
  it("needs only its id", function() -- wire.md D27
    local project = assert(read("project", '{"id":"PROJECT"}'))
    assert.same({ id = PROJECT, raw = { id = PROJECT } }, project)
    lacks("project", '{"name":"x"}', "id")
  end)

  it("has the fields of the guide", function()
    local project = assert(read("project", [[{"id":"PROJECT","name":"My First AI App","description":"x","owner_id":"ID",
      "is_active":true,"created_at":"2025-12-08T10:35:00Z","updated_at":null}]]))
    assert.same({ "My First AI App", "x", ID, true, "2025-12-08T10:35:00Z" },
      { project.name, project.description, project.owner_id, project.is_active, project.created_at })
    assert.is_nil(project.updated_at)
  end)
end)

describe("a key", function()
  it("has the fields of the guide, and no secret in raw", function()
    local key = assert(read("key", [[{"id":"ID","key":"pk_prod123","key_prefix":"pk_prod1","name":"Production API Key",
      "project_id":"PROJECT","is_active":true,"last_used_at":null,"created_at":"2025-12-08T10:40:00Z"}]]))
    assert.same({ "pk_prod123", "pk_prod1", "Production API Key", PROJECT, true },
      { key.key, key.key_prefix, key.name, key.project_id, key.is_active })
    assert.is_nil(key.raw.key)
  end)

  it("has no name if the name is absent or empty", function() -- wire.md D05
    for _, text in ipairs { '{"id":"ID","key":"k"}', '{"id":"ID","key":"k","name":null}',
      '{"id":"ID","key":"k","name":""}' } do
      assert.is_nil(assert(read("key", text)).name)
    end
  end)

  it("is rejected without id or key", function()
    lacks("key", '{"key":"k"}', "id")
    lacks("key", '{"id":"ID"}', "key")
    lacks("key", '{"id":"ID","key":7}', "key")
  end)
end)

describe("a list", function()
  for row, name in pairs { projects = "projects", keys = "api_keys" } do -- wire.md D30
    it("of " .. name .. " is an array, or is in the field with its name or in items", function()
      for _, text in ipairs { '[{"id":"ID"},{"id":"PROJECT"}]', '{"' .. name .. '":[{"id":"ID"},{"id":"PROJECT"}]}',
        '{"items":[{"id":"ID"},{"id":"PROJECT"}],"total":2,"has_more":false}' } do
        local list = assert(read(row, text))
        assert.same({ 2, ID, PROJECT }, { #list, list[1].id, list[2].id })
      end
    end)

    it("of " .. name .. " may be empty in each form", function()
      for _, text in ipairs { "[]", '{"' .. name .. '":[]}', '{"items":[],"total":0}' } do
        assert.same({}, (read(row, text)))
      end
    end)

    it("of " .. name .. " is rejected with other content, and the message names the field", function()
      lacks(row, '{"detail":"no"}', name)
      lacks(row, '{"' .. name .. '":"many"}', name)
      lacks(row, '["x"]', name .. "[1].id")
    end)

    it("of " .. name .. " keeps the other items if one is invalid", function()
      for _, odd in ipairs { "null", '{"name":"x"}', '"x"', "7", "[]", '{"id":7}' } do
        for _, items in ipairs {
          '[{"id":"A"},%s,{"id":"B"}]', '[%s,{"id":"A"},{"id":"B"}]', '[{"id":"A"},{"id":"B"},%s]',
        } do
          local list = read(row, (items:format(odd)))
          assert.same({ "A", "B" }, { list[1].id, list[2].id }, odd)
          assert.is_nil(list[3])
        end
      end
    end)
  end
end)

describe("a generation", function()
  it("is pending if the response has no status", function() -- wire.md D39
    assert.equal("pending", read("generation", '{"id":"ID","message":"Generation request submitted"}').status)
    assert.equal("processing", read("generation", '{"id":"ID","status":"processing"}').status)
  end)

  for form, text in pairs { -- wire.md D40, in the order of 5.4
    ["the guide's"] = '"result_image_url":"http://p"', ["the OpenAPI file's"] = '"generated_image_url":"http://p"',
    ["a string"] = '"result":"http://p"', ["a result's image_url"] = '"result":{"image_url":"http://p","url":"other"}',
    ["a result's url"] = '"result":{"url":"http://p"}',
    ["the guide's before the others"] = '"result_image_url":"http://p","generated_image_url":"b","result":"c"',
    ["the OpenAPI file's before a result"] = '"result_image_url":null,"generated_image_url":"http://p","result":"c"',
  } do
    it("has its image in the form " .. form, function()
      assert.equal("http://p", read("generation", '{"id":"ID","status":"completed",' .. text .. "}").image_url)
    end)
  end

  it("has no image before it is completed", function()
    for _, text in ipairs { "", ',"result_image_url":null', ',"result":null', ',"result":{}', ',"result":[]' } do
      assert.is_nil(read("generation", '{"id":"ID","status":"processing"' .. text .. "}").image_url)
    end
  end)

  it("has the reason of its failure", function()
    assert.equal("no GPU", read("generation", '{"id":"ID","status":"failed","error":"no GPU"}').error)
  end)

  it("has the fields of the guide", function()
    local gen = assert(read("generation", [[{"id":"ID","status":"completed","instructions":"{\"prompt\":\"x\"}",
      "result_image_url":"https://storage/x.png","is_public":false,"created_at":"2025-12-08T10:45:00Z",
      "updated_at":"2025-12-08T10:47:00Z"}]]))
    assert.same({ '{"prompt":"x"}', false, "2025-12-08T10:45:00Z", "2025-12-08T10:47:00Z" },
      { gen.instructions, gen.is_public, gen.created_at, gen.updated_at })
  end)

  it("is rejected without an id", function()
    lacks("generation", '{"status":"pending"}', "id")
  end)
end)

describe("an error response", function()
  local function refusal(text)
    local _, raw = json.decode(text)
    return responses.error(raw)
  end

  it("has the message of the server", function()
    assert.equal("Could not validate credentials", (refusal '{"detail":"Could not validate credentials"}'))
    assert.equal("Maximum 5 example images allowed", (refusal '{"detail":"Maximum 5 example images allowed"}'))
  end)

  it("has a list of fields, each with its path", function()
    local detail, fields = refusal [[{"detail":[{"loc":["body","email"],"msg":"value is not a valid email address",
      "type":"value_error.email","input":"x","ctx":{}},{"loc":["body",17],
      "msg":"JSON decode error","type":"json_invalid"},
      {"loc":[],"msg":"lonely"},"bare"]}]]
    assert.equal("body.email: value is not a valid email address; body.17: JSON decode error; lonely; bare", detail)
    assert.same({ loc = "body.email", msg = "value is not a valid email address", type = "value_error.email" },
      fields[1])
    assert.equal(4, #fields)
  end)

  it("has retry_after as a number or as a string", function()
    for _, value in ipairs { "3600", '"3600"' } do
      local detail, _, retry_after = refusal('{"detail":"Rate limit exceeded","retry_after":' .. value .. "}")
      assert.same({ "Rate limit exceeded", 3600 }, { detail, retry_after })
    end
  end)

  it("has no message if the server sends none", function()
    for _, text in ipairs { "{}", "[]", '""', "null", '{"detail":null}', '{"detail":[]}', '{"detail":{}}',
      '{"a":1}' } do
      assert.is_nil((refusal(text)))
    end
  end)

  it("has the message of an object at any depth", function()
    for text, expected in pairs {
      ['{"error":{"message":"out of credits"}}'] = "out of credits",
      ['{"detail":{"code":"QUOTA","message":"quota exceeded"}}'] = "quota exceeded",
      ['{"error":{"error":{"error":{"message":"deep"}}}}'] = "deep",
      ['{"error":"Bad Request","message":"the prompt is empty","statusCode":400}'] = "the prompt is empty",
      ['{"error":"invalid_grant","error_description":"it has ended"}'] = "it has ended",
      ['{"errors":[{"title":"first"},{"detail":"second"},"third"]}'] = "first; second; third",
      ['{"detail":{"code":7}}'] = '{"code":7}', ['{"detail":7.5}'] = "7.5", ['{"detail":true}'] = "true",
      ['["one","two"]'] = "one; two", ['"x"'] = "x",
      ['{"detail":{"api_secret":"s"}}'] = '{"api_secret":"***"}',
      ['{"detail":[{"loc":["body","x"],"msg":{"why":"odd"},"type":"t"}]}'] = 'body.x: {"why":"odd"}',
      ['{"detail":[{"loc":"body","msg":["a","b"]},null,{"message":"c"},7]}'] = "body: a; b; c; 7",
    } do
      assert.equal(expected, (refusal(text)))
    end
  end)
end)
