-- docs/hosts/nginx.md: its configuration and its module, as they are on the page, run in nginx with the sandbox as the API.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local child = require "spec.support.process.child"
local free_port = require "spec.support.servers.free_port"
local nginx = require "spec.support.servers.nginx"
local sandbox = require "devkit4ai.sandbox"

local PAGE = child.read "docs/hosts/nginx.md"

local function blocks(language)
  local list = {}
  for text in PAGE:gmatch("\n```" .. language .. "\n(.-)```") do list[#list + 1] = text end
  return list
end

describe("the program of docs/hosts/nginx.md", function()
  it("makes an image of a body in memory, and of a body in a file", function()
    local box = assert(sandbox.start { step_time = 0.05 })
    local account = { email = "dev@example.com", password = "SecurePass123" }
    local keys = assert(box:developer(account))
    local folder = child.folder()
    os.execute("chmod 755 " .. folder)
    local file = assert(io.open(folder .. "/studio.lua", "w"))
    file:write('require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.03 end\n')
    file:write((blocks "lua")[1])
    file:close()
    local conf, port = blocks("nginx"), free_port()
    local server = nginx.start {
      workers = 2, lua_path = folder .. "/?.lua", main = conf[1],
      http = conf[2]:gsub("127.0.0.1:8080;", ("127.0.0.1:%d;"):format(port)),
      env = {
        DEVKIT4AI_DEVELOPER_KEY = keys.developer_key, DEVKIT4AI_PROJECT_ID = keys.project_id,
        DEVKIT4AI_PROJECT_KEY = keys.project_key, DEVKIT4AI_BASE_URL = box.url, STUDIO_EMAIL = account.email,
        STUDIO_PASSWORD = account.password,
      },
    }
    server.url = "http://127.0.0.1:" .. port
    for _, image in ipairs { "neon.png", "mountains.png" } do
      local answer = nginx.wait("the login", function()
        local body = server:get("/generate", "--data-binary @examples/images/" .. image)
        return not body:find("call client:login first", 1, true) and body
      end)
      assert.equal("\137PNG", answer:sub(1, 4), answer)
    end
    local line = PAGE:match("\n(curl [^\n]*)"):gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port)
    local pipe = assert(io.popen((line:gsub("new%.png", folder .. "/%0") .. " 2> " .. folder .. "/progress")))
    assert.equal("200\n", pipe:read("*a"))
    pipe:close()
    assert.equal("\137PNG", child.read(folder .. "/new.png"):sub(1, 4))
    for _, bytes in ipairs { "nonsense", "''" } do
      local body, status = server:get("/generate", "--data-binary " .. bytes)
      assert.equal(400, status, body)
    end
    server:stop { expected = { "call client:login first", "not a JPEG", "it is empty" } }
    box:stop()
    child.remove(folder)
  end)
end)
