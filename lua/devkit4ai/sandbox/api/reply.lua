--- The responses of route handlers: a record, a list, a page of a list, or nothing.
local json = require "devkit4ai.sandbox.util.json"

local M = {}

--- 204, without a body. Every caller gets this table.
M.NO_CONTENT = { status = 204, body = "" }

--- A response with a record.
---@param status integer
---@param schema devkit4ai.sandbox.Schema
---@param record table
---@return devkit4ai.sandbox.Response
function M.record(status, schema, record)
  return { status = status, body = json.encode_object(schema, record) }
end

-- Axis list_envelope (wire.md D30): how the body holds a list that has a name.
local ENVELOPES = {
  array = json.encode_list,
  named = function(schema, records, name)
    return json.encode_object({ { name, schema, list = true } }, { [name] = records })
  end,
  items = function(schema, records)
    return json.encode_object({ { "items", schema, list = true }, "total", "has_more" },
      { items = records, total = #records, has_more = false })
  end,
}

--- A response with a list.
---@param envelope string the value of the dialect's axis list_envelope
---@param schema devkit4ai.sandbox.Schema of one item
---@param records table[]
---@param name string? of the list
---@return devkit4ai.sandbox.Response
function M.list(envelope, schema, records, name)
  return { status = 200, body = ENVELOPES[envelope](schema, records, name) }
end

--- The records of one page of a list. A page after the last one is empty.
---@generic T
---@param items T[]
---@param number number from 1
---@param size integer
---@param to_record fun(item: T): table
---@return table[]
function M.page_records(items, number, size, to_record)
  local before, records = math.min((number - 1.0) * size, #items), {}
  for i = before + 1, math.min(before + size, #items) do records[#records + 1] = to_record(items[i]) end
  return records
end

return M
