-- Runs the Node program of the API's guide against the sandbox. The spec changes it first: it adds the missing imports
-- and `sleep`, the address and the credentials, repairs the arguments of the poller and its use of the field `status`,
-- and calls steps 5 and 6 after main(), which the program never does.
if _VERSION ~= "Lua 5.4" then return end -- Node and the sandbox are the same for each Lua

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local IMPORTS = [[
const fs = require('fs')
const path = require('path')
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds / 100))
]]

local REST = [[

main().then(async () => {
  const { projectId, projectApiKey } = credentials
  const result = await generateImage(projectId, projectApiKey, [%s], 'Generate a futuristic cityscape with neon lights')
  console.log('ended as', await waitForGeneration(projectId, projectApiKey, result.id))
})
]]

local EMAIL = "dev@example.com"

-- Replaces a plain text, which must be there a number of times.
local function replace(code, from, to, times)
  local changed, count = code:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%")))
  assert.equal(times or 1, count, from)
  return changed
end

local function program(box, developer)
  local code = child.read "spec/fixtures/guide/quickstart-example.js"
  code = replace(code, "https://api.vibecoding.ad", box.url)
  code = replace(code, code:match("EMAIL = ('[^']+')"), "'" .. EMAIL .. "'")
  code = replace(code, "ak_abc123XYZ-_789def456ghi012jkl345", developer.developer_key)
  code = replace(code, "770e8400-e29b-41d4-a716-446655440002", developer.project_id)
  code = replace(code, "pk_prod123XYZ-_789def456ghi012jkl345", developer.project_key)
  code = replace(code, "waitForGeneration(generationId,", "waitForGeneration(projectId, projectApiKey, generationId,")
  code = replace(code, "const status = await checkGenerationStatus(generationId);",
    "const { status } = await checkGenerationStatus(projectId, projectApiKey, generationId);")
  code = replace(code, "\nmain();\n", REST:format(("'%s', '%s'"):format(helper.PNG, helper.PNG2)))
  return IMPORTS .. code
end

describe("the guide's Node program", function()
  teardown(helper.stop_all)

  it("gets its image, and sends what the guide says", function()
    local box = helper.start { step_time = 0.2 }
    local developer = assert(box:developer { email = EMAIL, password = helper.PASSWORD })
    local path = helper.file(program(box, developer))
    local said = helper.shell("node --input-type=commonjs - 2>&1 < " .. helper.quote(path)
      .. "\necho \"ended with $?\"")
    os.remove(path)
    for _, line in ipairs {
      "✓ Logged in\n", "✓ Verified identity: dev@example.com\n", "✓ Created project: My Second AI App\n",
      "✓ Generated API key: pk_", "✓ Quick start completed!\n", "✓ Generation started: ",
      "✓ Generation status: completed\n", "ended as completed\n", "ended with 0\n",
    } do
      assert.is_truthy(said:find(line, 1, true), line .. said)
    end
    local done = {}
    for _, request in ipairs(box:requests()) do
      assert.is_true(request.status < 300, request.operation)
      done[request.operation] = (done[request.operation] or 0) + 1
      if request.operation == "create_generation" then
        assert.same({ "neon.png", "mountains.png" }, { request.parts[1].filename, request.parts[2].filename })
      end
    end
    assert.same({ 1, 1, 1, 1 }, { done.get_me, done.create_project, done.create_api_key, done.create_generation })
    assert.equal(1, #box:generations())
  end)
end)
