--- The operations, read from wire.md 3.1, group by group: each names its row. What differs between them is a column;
--- the way a request takes through the columns is in app.lua.
---
--- name       the operation                        profile    who may come in (gates.lua)
--- fields     what the JSON body holds             forbidden  the error for a token that may not (default wire.md E05)
--- form       what the form-encoded body holds     query      what the query may hold
--- upload     whose images the body holds          owned      the path's project must be the caller's
--- answer     state, request -> status, form, record, and where the record is a list its name; or an answer alone
--- limit      the setting that limits requests to the whole group (rates.lua)
local GROUPS = {
  { "health" }, { "accounts", limit = "auth_limit" }, { "developer_keys", limit = "auth_limit" },
  { "projects", limit = "management_limit" }, { "project_keys", limit = "management_limit" }, { "generations" },
}

---@type table[]
local routes = {}
for _, group in ipairs(GROUPS) do
  for _, route in ipairs(require("devkit4ai.sandbox.routes." .. group[1])) do
    route.limit = group.limit
    routes[#routes + 1] = route
  end
end
return routes
