--- What the documents disagree about, where a client's behaviour over several requests depends on it: the ten axes
--- of wire.md 6.2 as rows. The server looks its answers up by them, --help and the docs show them. Needs nothing but
--- plain Lua, since start{} runs in the user's program.
local M = {}

--- The documents, each a base that gives every axis its value.
M.bases = { "seed", "openapi", "pages" }

---@class devkit4ai.sandbox.Axis
---@field [1] string name
---@field values string[]
---@field seed string  its value in the vendor's guide, and where nobody says otherwise
---@field openapi string  in the OpenAPI file
---@field pages string  in the reference pages
---@field help string

---@type devkit4ai.sandbox.Axis[]
M.axes = {
  { "provisioning", values = { "both", "nested", "flat" }, seed = "both", openapi = "nested", pages = "nested",
    help = "where a registered developer's keys stand: under provisioning, beside the id, or both" },
  { "refresh_rotation", values = { "reuse", "null", "absent", "rotate", "single_use" },
    seed = "reuse", openapi = "null", pages = "rotate",
    help = "the refresh token of a refresh: the one sent, null, none, a new one, or a new one that ends the old" },
  { "reg_tokens", values = { "end_users", "both", "none" }, seed = "end_users", openapi = "both", pages = "end_users",
    help = "who gets tokens at registration; both: developers too" },
  { "role_strictness", values = { "lenient", "strict" }, seed = "lenient", openapi = "lenient", pages = "strict",
    help = "lenient: a developer's token may generate in the developer's projects; strict: an end user's alone" },
  { "project_create_body", values = { "full", "id" }, seed = "full", openapi = "id", pages = "full",
    help = "what the answer to a new project holds: the project with its owner_id, or its id" },
  { "list_envelope", values = { "array", "named", "items" }, seed = "array", openapi = "array", pages = "named",
    help = "lists of projects and keys: bare, under projects or api_keys, or under items with total and has_more" },
  { "slash", values = { "307", "accept", "404" }, seed = "307", openapi = "307", pages = "accept",
    help = "a path whose last slash is wrong: sent to the right one, taken, or not found" },
  { "upload_part", values = { "example_images", "files", "split", "any" },
    seed = "example_images", openapi = "files", pages = "split",
    help = "the parts that are images; split: files for anonymous generations, else example_images; any: both names" },
  { "generation_status_body", values = { "result_image_url", "generated_image_url", "result" },
    seed = "result_image_url", openapi = "generated_image_url", pages = "result",
    help = "where a generation's status has the picture's address, and the other fields of that document" },
  { "rate_headers",
    values = { "retry_after+body", "body", "limits+body", "retry_after", "limits", "date" },
    seed = "retry_after+body", openapi = "body", pages = "limits+body",
    help = "how 429 says when: Retry-After (date: as a date), retry_after in the body; limits: X-RateLimit-* on every "
      .. "answer, of the window that refused, else of request_limit or daily_request_limit" },
}

local AXES, NAMES = {}, {}
for i, axis in ipairs(M.axes) do
  local known = {}
  for _, value in ipairs(axis.values) do known[value] = true end
  AXES[axis[1]], NAMES[i] = { row = axis, known = known }, axis[1]
end

local function base_of(name)
  for _, base in ipairs(M.bases) do
    if base == name then return base end
  end
end

local function unknown(what, name, known)
  return nil, ("unknown %s '%s' (known: %s)"):format(what, tostring(name), table.concat(known, ", "))
end

-- "seed,upload_part=files" as the table that start{} takes.
local function parse(text)
  local given = {}
  for word in (text .. ","):gmatch("(.-),") do
    local axis, value = word:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
    if axis then given[axis] = value else given[#given + 1] = word:match("^%s*(.-)%s*$") end
  end
  return given
end

--- A dialect as one value of each axis. Given as a base's name, as "seed,upload_part=files", or as
--- { "seed", upload_part = "files" }; what is not said is the base's, and the base is the seed.
---@param given string|table
---@return table<string, string>? dialect
---@return string? complaint
function M.resolve(given)
  if type(given) == "string" then given = parse(given) end
  if type(given) ~= "table" then return nil, "dialect must be a string or a table" end
  local base = base_of(given[1] == nil and "seed" or given[1])
  if not base then return unknown("dialect", given[1], M.bases) end
  if given[2] ~= nil then
    return nil, ("a dialect has one base, not '%s' and '%s'"):format(base, tostring(given[2]))
  end
  local dialect = {}
  for _, axis in ipairs(M.axes) do dialect[axis[1]] = axis[base] end
  for name, value in pairs(given) do
    if name ~= 1 then
      local axis = AXES[name]
      if not axis then return unknown("dialect axis", name, NAMES) end
      value = tostring(value) -- slash = 404
      if not axis.known[value] then return unknown("value of dialect axis " .. name, value, axis.row.values) end
      dialect[name] = value
    end
  end
  return dialect
end

--- The command line's words for a dialect.
---@param dialect table<string, string>
---@return string
function M.text(dialect)
  local words = { "seed" }
  for _, axis in ipairs(M.axes) do
    local value = dialect[axis[1]]
    if value ~= axis.seed then words[#words + 1] = axis[1] .. "=" .. value end
  end
  return table.concat(words, ",")
end

--- The axes as lines for a person: each value, with the bases that have it.
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
