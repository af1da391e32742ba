-- A plugin of examples/kong or examples/apisix in a real nginx, against the sandbox. spec/support/plugins/kong.lua and apisix.lua stand
-- in for the gateway's own modules.
local child = require "spec.support.process.child"
local cjson = require "cjson"
local nginx = require "spec.support.servers.nginx"
local devkit_sandbox = require "devkit4ai.sandbox"

local M = {}

local HERE = assert(io.popen("pwd")):read("*l") -- the folder of the tree
local PASSWORD = "SecurePass123"
--- An image that nginx keeps in a file; its first 4000 bytes stay in memory.
M.PNG = "examples/images/neon.png"
local FIELDS = { "base_url", "project_id", "project_key", "developer_key" }

local HTTP = [[
init_by_lua_block {
  package.path = "HERE/examples/plugins/?.lua;FOLDER/?.lua;" .. package.path
  host = require "spec.support.plugins.HOST"
  host.install(function() return true end)
  conf = CONF
}
client_max_body_size 20m;]]

local SERVER = [[
location / { access_by_lua_block { host.access("NAME", conf) } content_by_lua_block { ngx.exit(500) } }
location = /change { content_by_lua_block {
  for name, value in pairs(ngx.req.get_uri_args()) do conf[name] = value end
  ngx.print("changed")
} }]]

---@class spec.StudioImages
---@field nginx spec.Nginx
---@field sandbox devkit4ai.Sandbox
---@field conf table<string, string> the plugin's configuration
local Studio = {}
Studio.__index = Studio

-- ---- the plugin's files ----

--- Loads a plugin outside of nginx.
---@param path string
---@return table plugin
function M.load(path)
  package.loaded.studio_images = {}
  local plugin = dofile(path)
  package.loaded.studio_images = nil
  return plugin
end

--- The names of FIELDS in examples/plugins/studio_images.lua.
---@return table<string, boolean>
function M.field_names()
  local names = {}
  local list = child.read("examples/plugins/studio_images.lua"):match("M%.FIELDS = {(.-)}")
  for name in list:gmatch('"([%l_]+)"') do names[name] = true end
  return names
end

--- The lines `name: value` that follow a line in a YAML file, as long as they have the same indentation.
---@param text string
---@param parent string pattern of the line's key
---@return table<string, string>
function M.yaml_fields(text, parent)
  local fields = {}
  local indentation, rest = text:match(parent .. ":\n( +)(.*)")
  for line in (indentation .. rest):gmatch("[^\n]+") do
    local name, value = line:match("^" .. indentation .. "([%l_]+): (.+)$")
    if not name then break end
    fields[name] = value
  end
  return fields
end

-- ---- a plugin that runs ----

--- A sandbox with a new account, and the plugin's configuration for it.
---@param email string
---@return devkit4ai.Sandbox
---@return table<string, string> conf
function M.account(email)
  local sandbox = assert(devkit_sandbox.start { step_time = 0 })
  local options = assert(sandbox:developer { email = email, password = PASSWORD })
  local conf = { email = email, password = PASSWORD }
  for _, name in ipairs(FIELDS) do conf[name] = options[name] end
  sandbox:clear_requests()
  return sandbox, conf
end

--- Starts nginx with a plugin of one host, and a sandbox.
---@param host string "kong" or "apisix"
---@param name string? of the plugin; default: studio-images
---@param folder string? of the plugin; default: that of the example
---@return spec.StudioImages
function M.start(host, name, folder)
  local self = setmetatable({}, Studio)
  self.sandbox, self.conf = M.account "studio@example.com"
  local lines = {}
  for field, value in pairs(self.conf) do lines[#lines + 1] = ("%s = %q"):format(field, value) end
  local values = {
    HERE = HERE, HOST = host, FOLDER = folder or ("%s/examples/%s"):format(HERE, host), NAME = name or "studio-images",
    CONF = "{ " .. table.concat(lines, ", ") .. " }",
  }
  self.nginx = nginx.start { http = HTTP:gsub("%f[%u]%u+%f[%U]", values), server = SERVER:gsub("NAME", values) }
  return self
end

--- Ends nginx and the sandbox.
function Studio:stop()
  self.nginx:stop { signal = "TERM" }
  self.sandbox:stop()
end

--- One request of a consumer.
---@param consumer string? nil: not authenticated
---@param path string
---@param arguments string? of curl
---@return integer status
---@return table answer
function Studio:request(consumer, path, arguments)
  local head = consumer and ("-H 'X-Consumer: %s' "):format(consumer) or ""
  local body, status = self.nginx:get(path, head .. (arguments or ""))
  return status, body:find("^{") and cjson.decode(body) or body
end

--- Sends an image.
---@param consumer string?
---@param prompt string already encoded
---@param file string? its path
function Studio:generate(consumer, prompt, file)
  return self:request(consumer, "/images/generate?prompt=" .. prompt,
    ("--data-binary @%s -H 'Content-Type: image/png'"):format(file or M.PNG))
end

--- Changes the plugin's configuration. Its table stays the same, as when Kong gets a rotated secret.
---@param fields table<string, string>
function Studio:change(fields)
  local query = {}
  for name, value in pairs(fields) do query[#query + 1] = name .. "=" .. value end
  assert(self.nginx:get("/change?" .. table.concat(query, "&")) == "changed")
end

--- How many requests of an operation the API has seen.
---@param operation string
---@return integer
function Studio:count(operation)
  local number = 0
  for _, request in ipairs(assert(self.sandbox:requests())) do
    if request.operation == operation then number = number + 1 end
  end
  return number
end

return M
