--- Helpers of the sandbox specs: start sandboxes, run curl, send raw bytes.
local cjson = require("cjson").new()
local sandbox = require "devkit4ai.sandbox"

local M = {}

M.PASSWORD = "SecurePass123"
M.JSON = "Content-Type: application/json"
M.PNG = "examples/images/neon.png"
M.PNG2 = "examples/images/mountains.png"

local boxes = {}

--- Starts a sandbox, which M.stop_all stops.
function M.start(options)
  local box = assert(sandbox.start(options or { step_time = 0.05 }))
  boxes[#boxes + 1] = box
  return box
end

function M.stop_all()
  for _, box in ipairs(boxes) do box:stop() end
  boxes = {}
end

-- The outer shell would say "Killed".
local KILLABLE = [[
exec 2>FOLDER/said
sh -c 'echo $$ >FOLDER/pid; exec devkit4ai "$@"' sh "$@"
exit $?]]

--- A command for sandbox.start whose sandbox M.kill can kill.
---@param folder string that has the process id; the caller removes it
---@return string
function M.killable_command(folder)
  local file = assert(io.open(folder .. "/command", "w"))
  file:write((KILLABLE:gsub("FOLDER", folder)))
  file:close()
  return ("sh %s/command"):format(folder)
end

--- Kills the sandbox of M.killable_command with -9.
---@param folder string
function M.kill(folder)
  M.shell(("kill -9 $(cat %s/pid) 2>&1"):format(folder))
end

local count = 0

--- A new email address.
function M.email()
  count = count + 1
  return ("someone%d@example.com"):format(count)
end

function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a shell command and gives its output.
function M.shell(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- Makes a temporary file, which the caller removes.
function M.file(content)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

-- Parses a response: status, headers by lower-case name, and body.
local function parse(text)
  text = text:gsub("^HTTP/1%.1 100 Continue\r\n\r\n", "")
  local head, body = text:match("^(.-)\r\n\r\n(.*)$")
  local headers = {}
  for name, value in (head or ""):gmatch("\r\n([^:]+): ([^\r\n]*)") do headers[name:lower()] = value end
  local answer = { status = tonumber(text:match("^HTTP/1%.1 (%d+)")), headers = headers, body = body, text = text }
  local ok, json = pcall(cjson.decode, body or "")
  answer.json = ok and json or nil
  answer.detail = ok and type(json) == "table" and json.detail or nil
  return answer
end

--- Runs a curl command line with -si and gives the response.
function M.run_curl(command)
  return parse(M.shell(command:gsub("^curl ", "curl -si -m 60 ")))
end

--- Runs curl with a list of arguments and gives the response.
function M.curl(...)
  local arguments = { "curl" }
  for _, word in ipairs { ... } do arguments[#arguments + 1] = M.quote(word) end
  return M.run_curl(table.concat(arguments, " "))
end

--- Sends a request by curl, with headers { name = value, ... } and more of curl's arguments.
function M.request(method, url, headers, ...)
  local arguments = { "-X", method, url }
  for name, value in pairs(headers) do
    arguments[#arguments + 1] = "-H"
    arguments[#arguments + 1] = name .. ": " .. value
  end
  for _, word in ipairs { ... } do arguments[#arguments + 1] = word end
  return M.curl((table.unpack or unpack)(arguments)) -- luacheck: ignore
end

--- A raw connection to a sandbox; needs cqueues. silent(): no byte has come yet. finish(): closes the sending side and
--- gives all bytes that come.
function M.connect(url)
  local socket = require "cqueues.socket"
  local connection = socket.connect("127.0.0.1", tonumber(url:match("^http://127%.0%.0%.1:(%d+)")))
  connection:setmode("b", "bn")
  connection:onerror(function(_, _, why) return why end)
  return {
    send = function(_, bytes) connection:write(bytes) end,
    line = function() return connection:read("*L") end,
    silent = function() return connection:recv(-1) == nil end,
    finish = function()
      connection:shutdown("w")
      local text = connection:read("*a") or ""
      connection:close()
      return text
    end,
  }
end

--- Sends raw bytes and gives the response.
function M.raw(box, bytes)
  local connection = M.connect(box.url)
  connection:send(bytes)
  return parse(connection:finish())
end

--- The headers of a developer (profile dev of wire.md 1.4).
function M.developer_headers(developer)
  return {
    Authorization = "Bearer " .. developer.access_token, ["X-User-Role"] = "developer",
    ["X-Developer-Key"] = developer.developer_key,
  }
end

--- The headers of an end user (profile end).
function M.end_user_headers(developer)
  return {
    Authorization = "Bearer " .. developer.access_token, ["X-User-Role"] = "end_user",
    ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id,
    ["X-API-Key"] = developer.project_key,
  }
end

--- A copy of a table with changes; false removes a key.
function M.with(record, changes)
  local copy = {}
  for name, value in pairs(record) do copy[name] = value end
  for name, value in pairs(changes) do copy[name] = value or nil end
  return copy
end

--- Registers a developer, logged in.
function M.developer(box)
  return assert(box:developer { email = M.email(), password = M.PASSWORD })
end

--- Sends a generation, with curl's form arguments.
function M.generate(developer, ...)
  return M.request("POST", developer.base_url .. "/api/v1/generation/generate-v2", M.end_user_headers(developer), ...)
end

--- Waits until a generation has ended, and gives its status response.
function M.wait(developer, id)
  local url = developer.base_url .. "/api/v1/generation/generations-v2/" .. id .. "/status"
  while true do
    local answer = M.request("GET", url, M.end_user_headers(developer))
    if answer.status ~= 200 then return answer end
    if answer.json.status == "completed" or answer.json.status == "failed" then return answer end
  end
end

return M
