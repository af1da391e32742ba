-- Generation requests on the wire (wire.md 1.4, 5.1 and 3.1, rows 27 and 28). Bodies are compared byte by byte.
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local CREATE = "/api/v1/generation/generate-v2"
local STATUS = "/api/v1/generation/generations-v2/" .. ID .. "/status"

local OTHER = "660e8400-e29b-41d4-a716-446655440001" -- a project
local CREATED = { id = ID, status = "pending", message = "Generation request submitted successfully" }
local LIST, PUBLIC = "/api/v1/generation/generations-v2?page=", "/api/v1/generation/public-generations-v2?page="
local PENDING = { id = ID, status = "pending", is_public = false, created_at = "2025-12-08T11:10:00Z" }

-- All headers of the profile `end_user`.
local END_USER = ("\nX-API-Key: %s\nX-Developer-Key: %s\nX-Project-ID: %s\nX-User-Role: end_user"):format(
  wire.sample.project_key, wire.sample.developer_key, wire.sample.project_id)
local BEARER = "\nAuthorization: Bearer " .. wire.sample.access_token

describe("on the wire, a generation:", function()
  local server, client, folder

  before_each(function()
    server = wire.server {
      ["POST " .. CREATE] = { 200, CREATED },
      ["GET " .. STATUS] = { 200, PENDING },
      ["GET " .. LIST .. "1&per_page=20"] = { 200, { generations = { PENDING }, total = 1, page = 1, per_page = 20 } },
      ["GET " .. PUBLIC .. "3&per_page=7"] = { 200, { generations = { PENDING }, total = 15, page = 3, per_page = 7 } },
      ["POST /api/v1/projects/" .. OTHER .. "/api-keys"] = { 201, { id = ID, key = "pk_another" } },
    }
    client = devkit4ai.new(wire.options(server.url))
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
  end)

  after_each(function()
    client:close()
    server:stop()
    os.execute("rm -rf " .. folder)
  end)

  local function write(name, bytes)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "wb"))
    file:write(bytes)
    file:close()
    return path
  end

  local function sent(arguments)
    assert(client:project(wire.sample.project_id):generate(arguments))
    local requests = server:requests()
    assert.equal(1, #requests)
    assert.is_true(requests[1].complete)
    return requests[1]
  end

  local HEAD = "POST " .. CREATE .. " HTTP/1.1" .. BEARER .. "\nContent-Type: multipart/form-data; boundary=BOUNDARY"
    .. END_USER

  it("sends the headers of the end user, and Content-Length", function()
    local request = sent { images = { write("a.jpg", wire.image.jpeg) }, prompt = "neon" }
    assert.equal(HEAD, wire.head(request))
    assert.equal(tostring(#request.body), wire.header(request, "Content-Length"))
  end)

  it("uses the field name that a 422 asks for", function()
    server:stop()
    server = raw.start { script = ([[
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.body:find('name="files"', 1, true) then
            conn:respond(200, { id = "%s" })
          else
            conn:respond(422, { detail = { { loc = { "body", "files" }, msg = "field required", type = "missing" } } })
          end
          request = conn:read_request()
        end
      end
    ]]):format(ID) }
    client = devkit4ai.new(wire.options(server.url))
    local project = client:project(wire.sample.project_id)
    for _ = 1, 2 do
      assert.equal(ID, assert(project:generate { images = { write("a.jpg", wire.image.jpeg) }, prompt = "neon" }).id)
    end
    local names = {}
    for i, request in ipairs(server:requests()) do names[i] = request.body:match('name="(%w+_?%w*)"; filename') end
    assert.same({ "example_images", "files", "files" }, names) -- one retry, only in the first call
  end)

  it("does not retry after another 422", function()
    server:stop()
    server = wire.server { ["POST " .. CREATE] = { 422, { detail = {
      { loc = { "body", "example_images" }, msg = "field required", type = "value_error.missing" } } } } }
    client = devkit4ai.new(wire.options(server.url))
    local _, _, err = client:project(wire.sample.project_id):generate {
      images = { write("a.jpg", wire.image.jpeg) }, prompt = "neon",
    }
    assert.same({ "invalid", "refused", 1 }, { err.kind, err.outcome, err.attempts })
    assert.equal(1, #server:requests())
  end)

  it("sends the files first, each with the type of its first bytes, then the instructions", function()
    local request = sent {
      images = {
        write("a.png", wire.image.jpeg), -- the name has the wrong ending
        write("b.png", wire.image.png),
        write("c.webp", wire.image.webp),
        { data = wire.image.png, filename = "d.dat" },
      },
      prompt = "a futuristic cityscape with neon lights",
    }
    assert.equal(
      wire.file_part("example_images", "a.png", "image/jpeg", wire.image.jpeg)
      .. wire.file_part("example_images", "b.png", "image/png", wire.image.png)
      .. wire.file_part("example_images", "c.webp", "image/webp", wire.image.webp)
      .. wire.file_part("example_images", "d.dat", "image/png", wire.image.png)
      .. wire.text_part("instructions", '{"prompt":"a futuristic cityscape with neon lights"}'), wire.body(request))
  end)

  local NAMES = {
    ['two "quoted" words.jpg'] = "two %22quoted%22 words.jpg",
    ["line\nfeed\rand return.jpg"] = "line%0Afeed%0Dand return.jpg",
    ["\195\156bung \226\130\172.jpg"] = "\195\156bung \226\130\172.jpg",
    ["semi;colon, and 100%.jpg"] = "semi;colon, and 100%.jpg",
    ["back\\slash.jpg"] = "back\\slash.jpg",
  }
  for name, on_the_wire in pairs(NAMES) do
    it("sends a file name as " .. on_the_wire, function()
      local request = sent {
        images = { write(name, wire.image.jpeg), { data = wire.image.jpeg, filename = name } }, prompt = "neon" }
      local part = wire.file_part("example_images", on_the_wire, "image/jpeg", wire.image.jpeg)
      assert.equal(part .. part .. wire.text_part("instructions", '{"prompt":"neon"}'), wire.body(request))
    end)
  end

  it("sends no folder name, also for given bytes", function()
    local request = sent {
      images = { write("a.jpg", wire.image.jpeg), { data = wire.image.jpeg, filename = "../some/where/b.jpg" } },
      prompt = "neon" }
    assert.equal(
      wire.file_part("example_images", "a.jpg", "image/jpeg", wire.image.jpeg)
      .. wire.file_part("example_images", "b.jpg", "image/jpeg", wire.image.jpeg)
      .. wire.text_part("instructions", '{"prompt":"neon"}'), wire.body(request))
  end)

  it("sends a prompt without escapes that JSON does not need", function()
    local prompt = "black/white \\/ \195\188ber \"alles\"\n"
    local request = sent { images = { write("a.jpg", wire.image.jpeg) }, prompt = prompt }
    assert.matches(wire.text_part("instructions", '{"prompt":"black/white \\\\/ \195\188ber \\"alles\\"\\n"}'),
      wire.body(request), 1, true)
  end)

  it("sends instructions as the JSON of the table", function()
    local request = sent { images = { write("a.jpg", wire.image.jpeg) },
      instructions = { prompt = "neon", style = { "wet/dry", 2 }, steps = 30 } }
    local text = wire.body(request):match('name="instructions"\r\n\r\n(.*)\r\n%-%-BOUNDARY%-%-\r\n$')
    assert.same({ prompt = "neon", style = { "wet/dry", 2 }, steps = 30 }, cjson.decode(text))
    assert.matches('"wet/dry"', text, 1, true)
    assert.matches('"steps":30[,}]', text)
  end)

  it("sends bytes that look like a boundary, a line end or a NUL unchanged", function()
    local bytes = wire.image.jpeg .. "\r\n--------------------------0123456789abcdef--\r\n\0\26\r\n.\r\n"
    local request = sent { images = { write("a.jpg", bytes), { data = bytes, filename = "b.jpg" } }, prompt = "neon" }
    assert.equal(
      wire.file_part("example_images", "a.jpg", "image/jpeg", bytes)
      .. wire.file_part("example_images", "b.jpg", "image/jpeg", bytes)
      .. wire.text_part("instructions", '{"prompt":"neon"}'), wire.body(request))
  end)

  it("streams five files of 10 MiB, byte for byte", function()
    local block = {}
    for i = 1, 64 * 1024 do block[i] = string.char(i % 251) end
    local bytes = wire.image.png .. table.concat(block):rep(160):sub(1, 10 * 1024 * 1024 - #wire.image.png)
    local path = write("a.png", bytes)
    local request = sent { images = { path, path, path, path, path }, prompt = "neon" }
    assert.equal(HEAD, wire.head(request)) -- no Expect header, which libcurl adds from 1 MiB on
    assert.equal(tostring(request.length), wire.header(request, "Content-Length"))
    local function with_boundary(text)
      return (text:gsub("BOUNDARY", (wire.boundary(request):gsub("%%", "%%%%"))))
    end
    local file = assert(io.open(folder .. "/expected", "wb"))
    for _ = 1, 5 do
      file:write(with_boundary(wire.file_part("example_images", "a.png", "image/png", "")):sub(1, -3), bytes, "\r\n")
    end
    file:write(with_boundary(wire.text_part("instructions", '{"prompt":"neon"}')))
    file:close()
    local pipe = assert(io.popen("sha256sum " .. folder .. "/expected"))
    assert.equal(pipe:read("*a"):match("^%x+"), request.sha256)
    pipe:close()
  end)

  it("sends the id and key of its own project, not those of the options", function()
    local project = client:project(OTHER)
    local gen, _, err = project:generate { images = { write("a.jpg", wire.image.jpeg) }, prompt = "neon" }
    assert.is_nil(gen) -- the key in the options is for another project
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.equal(0, #server:requests())
    assert(project:new_key "the first one")
    assert(project:generate { images = { folder .. "/a.jpg" }, prompt = "neon" })
    local request = server:requests()[2]
    assert.equal(OTHER, wire.header(request, "X-Project-ID"))
    assert.equal("pk_another", wire.header(request, "X-API-Key"))
  end)

  it("sends its status request with the headers of the end user and no body", function()
    local gen = assert(client:generation(ID):refresh())
    local request = server:requests()[1]
    assert.equal("pending", gen.status)
    assert.equal("GET " .. STATUS .. " HTTP/1.1" .. BEARER .. END_USER, wire.head(request))
    assert.equal("", request.body)
  end)

  it("sends a list request with the headers of the end user, no body, and the page, also by default", function()
    for _, object in ipairs { client, client:project(wire.sample.project_id) } do
      local gen = assert(object:generations():next())
      assert.same({ ID, "pending", false }, { gen.id, gen.status, gen.is_public })
    end
    for _, request in ipairs(server:requests()) do
      assert.equal("GET " .. LIST .. "1&per_page=20 HTTP/1.1" .. BEARER .. END_USER, wire.head(request))
      assert.equal("", request.body)
    end
    assert.equal(2, #server:requests())
  end)

  it("sends a public list request without a credential", function()
    assert.equal(ID, assert(client:public_generations { page = 3, per_page = 7 }:next()).id)
    assert.equal("GET " .. PUBLIC .. "3&per_page=7 HTTP/1.1", wire.head(server:requests()[1]))
  end)
end)
