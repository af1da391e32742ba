--- Readers of request bodies, by Content-Type, as the API's framework (FastAPI) has them: JSON needs a JSON type or none,
--- a form needs one of the two form types.
local errors = require "devkit4ai.sandbox.api.errors"
local multipart = require "devkit4ai.sandbox.http.multipart"
local query_string = require "devkit4ai.sandbox.http.query_string"
local responses = require "devkit4ai.sandbox.http.response"

local M = {}

local FORM_TYPES = { ["multipart/form-data"] = "multipart", ["application/x-www-form-urlencoded"] = "urlencoded" }

--- The format of a request's body, by its Content-Type.
---@param request devkit4ai.sandbox.Request
---@return "json"|"urlencoded"|"multipart"|"other"
function M.format(request)
  local header = request.headers["content-type"]
  if not header or header == "" then return "json" end
  local name = header:lower():match("^%s*([^;]-)%s*$") or header:lower():match("^%s*([^;]-)%s*;")
  if name == "application/json" or name:find("^application/[^/]*%+json$") then return "json" end
  return FORM_TYPES[name] or "other"
end

--- Reads a multipart body as it arrives.
---@param request devkit4ai.sandbox.Request
---@param limit integer bytes
---@param on_part fun(part: devkit4ai.sandbox.Part): fun(bytes: string) called for each part; returns the consumer of its content
---@return devkit4ai.sandbox.Response? error_response
function M.read_multipart(request, limit, on_part)
  local boundary = multipart.boundary(request.headers["content-type"])
  if not boundary then return errors.response("multipart_malformed") end
  local parser = multipart.parser(boundary, on_part)
  while true do
    local bytes, status = request:read(limit)
    if status then return errors.response(status == 413 and "E39" or "multipart_malformed") end
    if not bytes then break end
    if not parser:feed(bytes) then return errors.response("multipart_malformed") end
  end
  if not parser:finished() then return errors.response("multipart_malformed") end
end

local function ignore() end

local READERS = {}

function READERS.urlencoded(request, limit)
  local body, status, reason = request:read_all(limit)
  if not body then return nil, responses.detail(status, reason) end
  return query_string.decode(body)
end

function READERS.multipart(request, limit)
  local pieces_by_name, texts = {}, {}
  local error_response = M.read_multipart(request, limit, function(part)
    if part.filename then return ignore end
    local pieces = {}
    pieces_by_name[part.name] = pieces
    return function(bytes) pieces[#pieces + 1] = bytes end
  end)
  if error_response then return nil, error_response end
  for name, pieces in pairs(pieces_by_name) do texts[name] = table.concat(pieces) end
  return texts
end

--- Reads the text fields of a form. A body that is not a form has none.
---@param request devkit4ai.sandbox.Request
---@param limit integer bytes
---@return table<string, string>? texts
---@return devkit4ai.sandbox.Response? error_response
function M.read_form(request, limit)
  local read = READERS[M.format(request)]
  if not read then return {} end
  return read(request, limit)
end

return M
