--- Plans of calls: the part of an operation's requests that is the same in each call of a client.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local header_profiles = require "devkit4ai.api.header_profiles"
local limits = require "devkit4ai.api.limits"
local proxy = require "devkit4ai.request.proxy"

local M = {}

M.URLENCODED = "application/x-www-form-urlencoded"

local CONTENT_TYPES = { json = "application/json", urlencoded = M.URLENCODED } -- libcurl writes the one of a multipart form

---@class devkit4ai.Plan what all calls of an operation have in common; it has no secret
---@field name string of the operation
---@field row table of `operations`
---@field header_lines string[]
---@field request table for core.request; `compiled`: core.request's, where each request of the operation is the same
---@field inherit { __index: table } the metatable of a request that differs from it
---@field is_fixed boolean each request of the operation is the same
---@field has_parameters boolean the path has some
---@field body string? the type of the row's body: "json", "pairs", "form"
---@field needs_token boolean a header has the access token

local function header_lines_of(row, profile, client)
  local lines = { "User-Agent: " .. client._user_agent }
  for _, line in ipairs(header_profiles[profile]) do lines[#lines + 1] = line end
  local content_type = row.content_type or row.body and CONTENT_TYPES[next(row.body)]
  if content_type then lines[#lines + 1] = "Content-Type: " .. content_type end
  if row.empty_body then lines[#lines + 1] = "Content-Length: 0" end
  for _, line in ipairs(row.path and client._header_lines or {}) do lines[#lines + 1] = line end -- for the API only
  return lines
end

--- Makes the plan of an operation.
---@param client devkit4ai.Client
---@param name string of the operation
---@param row table
---@return devkit4ai.Plan?
---@return string? message
---@return devkit4ai.Error? err kind `config`: the client's role has no such call
function M.new(client, name, row)
  local profile = row.profile[client._role]
  if not profile then
    local what = ("a client with the role %s has no such call"):format(client._role)
    return errors.refuse("config", what, name, row.call_name)
  end
  local timeouts = row.billable and client._creating_limits or client._limits
  local lines, is_traced = header_lines_of(row, profile, client), client._trace ~= false
  local request = {
    method = row.method, url = row.path and client.base_url .. row.path, headers = core.headers(lines),
    ca_file = client._ca_file, proxy = row.path and proxy.of(client._proxy, client.base_url),
    once = row.method ~= "GET", head = row.returns_headers or is_traced, times = is_traced,
    max_answer = limits.MAX_RESPONSE_BYTES,
    connect = timeouts.connect, idle = timeouts.idle, total = timeouts.total,
  }
  local has_parameters = row.path ~= nil and row.path:find("{", 1, true) ~= nil
  local is_fixed = row.retry_class == "safe" and not row.query and row.path and not has_parameters
  if is_fixed then request.compiled = core.request(request) end
  return {
    name = name, row = row, header_lines = lines, request = request, inherit = { __index = request },
    is_fixed = is_fixed, has_parameters = has_parameters, body = row.body and next(row.body),
    needs_token = table.concat(header_profiles[profile]):find("{access_token}", 1, true) ~= nil,
  }
end

return M
