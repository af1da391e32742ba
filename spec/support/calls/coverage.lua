-- Coverage check: compares received requests with the vendor's OpenAPI file, and finds parameters that the client can't send.
local cjson = require("cjson").new()
local openapi = require "spec.support.calls.openapi"
local wire = require "spec.support.calls.wire"

local M = {}

-- Fields for which the client follows another document.
M.RENAMED = { ["POST /api/v1/generation/generate-v2"] = { example_images = "files" } } -- wire.md D36: as the guide has it
M.ALWAYS_SENT = { -- optional in the file, with a default, but sent by every call
  test_mode = "wire.md D53: one document calls it required",
  page = "wire.md D50: defaults differ between the documents", page_size = "D50", per_page = "D50",
}

local function decode(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function pairs_of(text)
  local fields = {}
  for name, value in text:gmatch("([^&=]+)=([^&]*)") do fields[decode(name)] = decode(value) end
  return fields
end

-- A number as it is in the JSON text.
local function literal(body, name, value)
  return type(value) == "number" and body:match('"' .. name .. '":(%-?[%d.eE+-]+)') or tostring(value)
end

local READERS = {
  ["application/json"] = function(request)
    local fields = {}
    assert(request.body:find("^{"), "the body is no JSON object: " .. request.body)
    for name, value in pairs(cjson.decode(request.body)) do fields[name] = literal(request.body, name, value) end
    return fields
  end,
  ["application/x-www-form-urlencoded"] = function(request) return pairs_of(request.body) end,
  ["multipart/form-data"] = function(request)
    local fields = {}
    for name in request.body:gmatch('Content%-Disposition: form%-data; name="([^"]*)"') do fields[name] = "" end
    return fields
  end,
}

local function body_fields(operation, request, complain)
  local content_type = (wire.header(request, "Content-Type") or ""):match("^[^;]*")
  if content_type ~= (operation.content_type or "") then
    complain(("the body is %s, not %s"):format(content_type, operation.content_type or "absent"))
    return {}
  end
  if not operation.content_type then return {} end
  local fields, names = {}, M.RENAMED[operation.method .. " " .. operation.path] or {}
  for name, value in pairs(READERS[content_type](request)) do fields[names[name] or name] = value end
  return fields
end

-- Checks one declared field in all requests of its operation.
local function judge_field(name, field, sent, complain)
  local given, left_out, values = false, false, {}
  for _, fields in ipairs(sent) do
    local value = fields[name]
    if value == nil then
      left_out = true
    else
      given, values[value] = true, true
      if not openapi.fits(field.schema, value) then complain(("%s is sent as %s"):format(name, value)) end
    end
  end
  if not given then return complain(name .. " can't be given") end
  if field.required and left_out then complain(name .. " is required, and not sent") end
  local exempt = M.ALWAYS_SENT[name] and field.schema.default ~= nil
  if not (field.required or left_out or exempt) then complain(name .. " can't be left out") end
  for _, value in ipairs(openapi.enumerated(field.schema)) do
    if not values[value] then complain(("%s can't be %s"):format(name, value)) end
  end
end

local function judge_fields(declared, sent, complain)
  for name, field in pairs(declared) do judge_field(name, field, sent, complain) end
  for _, fields in ipairs(sent) do
    for name in pairs(fields) do
      if not declared[name] then complain(name .. " is not in the file") end
    end
  end
end

local function judge_operation(operation, requests, complain)
  local queries, bodies = {}, {}
  for i, request in ipairs(requests) do
    queries[i] = pairs_of(request.target:match("%?(.*)$") or "")
    bodies[i] = body_fields(operation, request, complain)
  end
  judge_fields(operation.query, queries, complain)
  judge_fields(operation.body, bodies, complain)
end

-- The rows by method and path; complains about rows without an operation.
local function rows_by_place(operations, rows, complain)
  local places, by_place = {}, {}
  for _, operation in ipairs(operations) do places[operation.method .. " " .. operation.path] = true end
  for name, row in pairs(rows) do
    local place = row.path and row.method .. " " .. row.path -- the URL of an image comes from a generation
    if place and not places[place] then complain(("row %s: no operation %s"):format(name, place)) end
    if place then by_place[place] = name end
  end
  return by_place
end

--- The complaints, sorted.
---@param operations table[] openapi.operations'
---@param rows table<string, table> the client's
---@param requests table<string, table[]> by a row's name, what its calls sent to its method and path
---@param without_method table<string, string>
---@return string[]
function M.complaints(operations, rows, requests, without_method)
  local list, seen = {}, {}
  local function complain(text)
    if not seen[text] then list[#list + 1], seen[text] = text, true end
  end
  local by_place = rows_by_place(operations, rows, complain)
  for _, operation in ipairs(operations) do
    local place = operation.method .. " " .. operation.path
    local name = by_place[place]
    local sent = name and requests[name]
    if not name then
      complain(place .. ": no row")
    elseif not without_method[name] then
      if not sent or #sent == 0 then
        complain(("row %s: no method sends it"):format(name))
      else
        judge_operation(operation, sent, function(text) complain(name .. ": " .. text) end)
      end
    elseif sent then
      complain(("row %s: listed as having no method, and has one"):format(name))
    end
  end
  table.sort(list)
  return list
end

return M
