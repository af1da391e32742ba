--- Request bodies by their Content-Type, as the API's framework (FastAPI) reads them: JSON only where the type says so
--- or is absent, a form only where the type is one of the two form types.
local errors = require "devkit4ai.sandbox.api.errors"
local fields = require "devkit4ai.sandbox.api.validation"
local multipart = require "devkit4ai.sandbox.http.multipart"

local M = {}

local KINDS = { ["multipart/form-data"] = "multipart", ["application/x-www-form-urlencoded"] = "form" }

--- What a request's Content-Type names.
---@param request devkit4ai.sandbox.Request
---@return "json"|"form"|"multipart"|"other"
function M.kind(request)
  local header = request.headers["content-type"]
  if not header or header == "" then return "json" end
  local name = header:lower():match("^%s*([^;]-)%s*$") or header:lower():match("^%s*([^;]-)%s*;")
  if name == "application/json" or name:find("^application/[^/]*%+json$") then return "json" end
  return KINDS[name] or "other"
end

--- Reads a multipart body as it arrives.
---@param request devkit4ai.sandbox.Request
---@param limit integer bytes
---@param on_part fun(part: devkit4ai.sandbox.Part): fun(bytes: string) gives what takes the bytes of a part
---@return devkit4ai.sandbox.Answer? refusal
function M.read_parts(request, limit, on_part)
  local boundary = multipart.boundary(request.headers["content-type"])
  if not boundary then return errors.of("multipart_broken") end
  local parser = multipart.parser(boundary, on_part)
  while true do
    local bytes, status = request:read(limit)
    if status then return errors.of(status == 413 and "E39" or "multipart_broken") end
    if not bytes then break end
    if not parser:feed(bytes) then return errors.of("multipart_broken") end
  end
  if not parser:finished() then return errors.of("multipart_broken") end
end

local function ignore() end

local READERS = {
  form = function(request, limit)
    local body, status, reason = request:body(limit)
    if not body then return nil, errors.answer(status, reason) end
    return fields.decode(body)
  end,
  multipart = function(request, limit)
    local texts = {}
    local refusal = M.read_parts(request, limit, function(part)
      if part.filename then return ignore end
      local pieces = {}
      texts[part.name] = pieces
      return function(bytes) pieces[#pieces + 1] = bytes end
    end)
    if refusal then return nil, refusal end
    for name, pieces in pairs(texts) do texts[name] = table.concat(pieces) end
    return texts
  end,
}

--- The text fields of a form; none where the body is no form.
---@param request devkit4ai.sandbox.Request
---@param limit integer bytes
---@return table<string, string>? texts
---@return devkit4ai.sandbox.Answer? refusal
function M.texts(request, limit)
  local read = READERS[M.kind(request)]
  if not read then return {} end
  return read(request, limit)
end

return M
