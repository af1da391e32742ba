--- Table of the API's operations: one row per operation, in groups that are loaded on demand.
---
--- Columns of a row:
---   method, path: {name} in the path is an argument that must be a UUID
---   profile: client role -> header profile
---   query: names of the arguments in the query string
---   uuids: names of other arguments that must be UUIDs
---   paging: of a list in pages: { size_argument: name of the page size, default, max }
---   body: { json = argument names }, { urlencoded = argument names }, or { multipart = { file_fields: names that the
---     field of the files may have, text_field: name of the text field, max_bytes: of one file } }
---   secret_fields: secret arguments in the JSON body, masked for the time of the call; "?name" is optional
---   empty_body: a POST that sends Content-Length: 0
---   defaults: values of arguments that are always sent
---   response: a function of api/responses, or "image", "raw", "none"
---   list_field: name of the list in a response of records
---   nullable: the response may be a bare null
---   id_argument: argument that must equal the id in the response
---   returns_headers: the call also returns the response headers
---   max_redirects: redirects that the call follows
---   retry_class: a class of request/retry (wire.md 7)
---   done_statuses: on a retry, these statuses mean that the first request succeeded
---   unknown_statuses: these statuses leave the outcome unknown
---   expired_statuses: after these statuses, a new image URL may help
---   status_corrections: status -> { words: of the server's message, status: what the server means }
---   billable: the call may cost money, so it has no total timeout
---   creates_object: the kind of object that the call creates, for the report of a task
---   listed: client:find_generation can find the generation that the call creates
---   call_name: the call as the user types it
---   unknown_advice: what to do when the outcome is unknown
---   advice: error kind -> advice, in place of the general one
---   hint: the name of that advice, for which the command has its own text
local GROUPS = { "accounts", "projects", "generations", "health", "payments" }

local M = {}

local rows, loaded = {}, 0 -- loaded: number of groups

local function load_next_group()
  for name, row in pairs(require("devkit4ai.api.operations." .. GROUPS[loaded + 1])) do rows[name] = row end
  loaded = loaded + 1 -- last: after a lack of memory, the next call loads it again
end

--- The row of an operation. Loads groups only until it is found.
---@param name string
---@return table? row
function M.get(name)
  while not rows[name] and loaded < #GROUPS do load_next_group() end
  return rows[name]
end

--- All rows, by name.
---@return table<string, table>
function M.all()
  while loaded < #GROUPS do load_next_group() end
  return rows
end

return M
