--- Dialects: the ten axes on which the documents disagree (wire.md 6.2), and the value of each in a sandbox. Plain
--- Lua, since start{} runs in the user's program.
local M = {}

--- The documents. Each is a base: it has a value for every axis.
M.bases = { "seed", "openapi", "pages" }

---@class devkit4ai.sandbox.Axis
---@field [1] string name
---@field values string[]
---@field seed string  the value in the vendor's guide, and the default
---@field openapi string  in the OpenAPI file
---@field pages string  in the reference pages
---@field help string

---@type devkit4ai.sandbox.Axis[]
M.axes = {
  { "provisioning", values = { "both", "nested", "flat" }, seed = "both", openapi = "nested", pages = "nested",
    help = "where the response to a registration has a developer's keys: under provisioning, beside the id, or both" },
  { "refresh_rotation", values = { "reuse", "null", "absent", "rotate", "single_use" },
    seed = "reuse", openapi = "null", pages = "rotate",
    help = "the refresh token in the response to a refresh: the one sent, null, absent, a new one, or a new one "
      .. "that revokes the old one" },
  { "reg_tokens", values = { "end_users", "both", "none" }, seed = "end_users", openapi = "both", pages = "end_users",
    help = "the accounts that get tokens at registration; both: developers too" },
  { "role_strictness", values = { "lenient", "strict" }, seed = "lenient", openapi = "lenient", pages = "strict",
    help = "lenient: a developer's token may generate in the developer's projects; strict: only an end user's "
      .. "token may" },
  { "project_create_body", values = { "full", "id" }, seed = "full", openapi = "id", pages = "full",
    help = "the response to a new project: the project with its owner_id, or its id only" },
  { "list_envelope", values = { "array", "named", "items" }, seed = "array", openapi = "array", pages = "named",
    help = "lists of projects and keys: bare, under projects or api_keys, or under items with total and has_more" },
  { "slash", values = { "307", "accept", "404" }, seed = "307", openapi = "307", pages = "accept",
    help = "a path with a wrong slash at the end: redirected, accepted, or not found" },
  { "upload_part", values = { "example_images", "files", "split", "any" },
    seed = "example_images", openapi = "files", pages = "split",
    help = "the parts that are images; split: files for anonymous generations, otherwise example_images; any: both "
      .. "names" },
  { "generation_status_body", values = { "result_image_url", "generated_image_url", "result" },
    seed = "result_image_url", openapi = "generated_image_url", pages = "result",
    help = "the field of a generation's status with the image's address; the other fields are those of the same "
      .. "document" },
  { "rate_headers",
    values = { "retry_after+body", "body", "limits+body", "retry_after", "limits", "date" },
    seed = "retry_after+body", openapi = "body", pages = "limits+body",
    help = "how a 429 gives the time: Retry-After (date: as a date), retry_after in the body; limits: X-RateLimit-* on "
      .. "every response, of the window that refused, otherwise of request_limit or daily_request_limit" },
}

local AXES_BY_NAME, NAMES = {}, {}
for i, axis in ipairs(M.axes) do
  local known = {}
  for _, value in ipairs(axis.values) do known[value] = true end
  AXES_BY_NAME[axis[1]], NAMES[i] = { row = axis, known = known }, axis[1]
end

local function find_base(name)
  for _, base in ipairs(M.bases) do
    if base == name then return base end
  end
end

local function unknown(what, name, known)
  return nil, ("unknown %s '%s' (known: %s)"):format(what, tostring(name), table.concat(known, ", "))
end

-- Turns "seed,upload_part=files" into the table that start{} takes.
local function parse(text)
  local given = {}
  for word in (text .. ","):gmatch("(.-),") do
    local axis, value = word:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
    if axis then given[axis] = value else given[#given + 1] = word:match("^%s*(.-)%s*$") end
  end
  return given
end

--- The value of each axis. Axes that are not given have the base's value; the default base is seed.
---@param given string|table a base, "seed,upload_part=files", or { "seed", upload_part = "files" }
---@return table<string, string>? dialect
---@return string? problem
function M.resolve(given)
  if type(given) == "string" then given = parse(given) end
  if type(given) ~= "table" then return nil, "dialect must be a string or a table" end
  local base = find_base(given[1] == nil and "seed" or given[1])
  if not base then return unknown("dialect", given[1], M.bases) end
  if given[2] ~= nil then
    return nil, ("a dialect has one base, not '%s' and '%s'"):format(base, tostring(given[2]))
  end
  local dialect = {}
  for _, axis in ipairs(M.axes) do dialect[axis[1]] = axis[base] end
  for name, value in pairs(given) do
    if name ~= 1 then
      local axis = AXES_BY_NAME[name]
      if not axis then return unknown("dialect axis", name, NAMES) end
      value = tostring(value) -- slash = 404
      if not axis.known[value] then return unknown("value of dialect axis " .. name, value, axis.row.values) end
      dialect[name] = value
    end
  end
  return dialect
end

--- Formats a dialect for the command line.
---@param dialect table<string, string>
---@return string
function M.format(dialect)
  local words = { "seed" }
  for _, axis in ipairs(M.axes) do
    local value = dialect[axis[1]]
    if value ~= axis.seed then words[#words + 1] = axis[1] .. "=" .. value end
  end
  return table.concat(words, ",")
end

--- The help text: each axis with its values, and the bases that have them.
---@return string
function M.help()
  local lines = { "Dialects: --dialect BASE,AXIS=VALUE,... with the base " .. table.concat(M.bases, ", ")
    .. " (default: seed) and any of these axes:" }
  for _, axis in ipairs(M.axes) do
    local values = {}
    for i, value in ipairs(axis.values) do
      local bases = {}
      for _, base in ipairs(M.bases) do
        if axis[base] == value then bases[#bases + 1] = base end
      end
      values[i] = value .. (bases[1] and " (" .. table.concat(bases, ", ") .. ")" or "")
    end
    lines[#lines + 1] = ("  %s\n      %s\n      %s"):format(axis[1], table.concat(values, ", "), axis.help)
  end
  return table.concat(lines, "\n")
end

return M
