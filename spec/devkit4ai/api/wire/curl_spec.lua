-- Uploads compared byte by byte with curl and the command of the guide (wire.md 3.1, rows 27 and 33). Prism can't check
-- them. The random boundary is not compared.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PROMPT = "Generate a futuristic cityscape with neon lights" -- from the guide
local INSTRUCTIONS = ('{"prompt":"%s"}'):format(PROMPT) -- as the client writes it: the guide has a blank after the colon
local END_USER = { -- the headers of the guide, with its values
  "Authorization: Bearer " .. wire.sample.access_token, "X-User-Role: end_user",
  "X-Developer-Key: " .. wire.sample.developer_key, "X-Project-ID: " .. wire.sample.project_id,
  "X-API-Key: " .. wire.sample.project_key,
}

local ROWS = {
  { "generate", path = "/api/v1/generation/generate-v2", part = "example_images", headers = END_USER },
  { "generate_anonymous", path = "/api/v1/generation/generate-anonymous-v2", part = "files", headers = {} },
}

describe("an upload", function()
  local server, client, folder

  before_each(function()
    local answers = {}
    for _, row in ipairs(ROWS) do answers["POST " .. row.path] = { 200, { id = ID } } end
    server = wire.server(answers)
    client = devkit4ai.new(wire.options(server.url))
    folder = child.folder()
    for name, bytes in pairs { ["image1.jpg"] = wire.image.jpeg, ["image2.png"] = wire.image.png } do
      local file = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(bytes, "\r\n--\0\255")
      file:close()
    end
  end)

  after_each(function()
    client:close()
    server:stop()
    child.remove(folder)
  end)

  local function by_curl(row)
    local arguments = { ("curl --silent --output /dev/null -X POST %s%s"):format(server.url, row.path) }
    for _, line in ipairs(row.headers) do arguments[#arguments + 1] = ("-H '%s'"):format(line) end
    for _, name in ipairs { "image1.jpg", "image2.png" } do
      arguments[#arguments + 1] = ("-F '%s=@%s/%s'"):format(row.part, folder, name)
    end
    arguments[#arguments + 1] = ("-F 'instructions=%s'"):format(INSTRUCTIONS)
    os.execute(table.concat(arguments, " "))
  end

  for _, row in ipairs(ROWS) do
    it("by client:" .. row[1] .. " equals the upload by curl", function()
      local images = { folder .. "/image1.jpg", folder .. "/image2.png" }
      assert(client[row[1]](client, { images = images, prompt = PROMPT }))
      by_curl(row)
      local requests = server:requests()
      assert.equal(2, #requests)
      local ours, theirs = requests[1], requests[2]
      assert.is_true(ours.complete and theirs.complete)
      assert.equal(wire.head(theirs), wire.head(ours))
      assert.equal(wire.body(theirs), wire.body(ours))
      for _, request in ipairs(requests) do
        assert.equal(tostring(#request.body), wire.header(request, "Content-Length"))
      end
    end)
  end
end)
