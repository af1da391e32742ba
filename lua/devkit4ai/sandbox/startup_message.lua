--- What `devkit4ai sandbox` writes when it listens. A shell can read all of it: `export` lines, and comments.
local control = require "devkit4ai.sandbox.control.stdio"

local M = {}

M.PASSWORD = "SecurePass123" -- of the developer that --developer registers

-- Facts under the names of the variables that the client and the command read. Others are left out.
local VARIABLES = {
  { "DEVKIT4AI_BASE_URL", "url" }, { "DEVKIT4AI_OPERATOR_KEY", "operator_key" },
  { "DEVKIT4AI_DEVELOPER_KEY", "developer_key" }, { "DEVKIT4AI_PROJECT_ID", "project_id" },
  { "DEVKIT4AI_PROJECT_KEY", "project_key" }, { "DEVKIT4AI_JWT_TOKEN", "access_token" },
  { "DEVKIT4AI_EMAIL", "email" }, { "DEVKIT4AI_PASSWORD", "password" },
}

local REGISTER = [[
# Register a developer: devkit4ai register --email me@example.com
# Or start the sandbox with --developer me@example.com.]]

local GENERATE = [[
# The developer is logged in. Generate an image:
#   devkit4ai generate a.png --prompt "a city at night" --out city.png]]

local TEXT = [[
# The Dev Kit for AI sandbox listens on %s
# Result pictures come from %s
# Paste these lines into another terminal:

%s

%s
# The sandbox forgets everything when it ends (Ctrl-C).]]

local function quote(value)
  if value:find "^[%w_./:@-]+$" then return value end
  return "'" .. value:gsub("'", [['\'']]) .. "'"
end

--- What a user needs of a sandbox; with an address: registers a developer.
---@param state table
---@param url string
---@param email string? of the developer
---@return table<string, string> facts
function M.facts(state, url, email)
  local facts = {}
  if email then
    local user
    user, facts = control.register(state, { email = email, password = M.PASSWORD })
    facts.email, facts.password = email, M.PASSWORD
    -- nothing renews a token of the environment, so it lives as long as a login
    facts.access_token = state.tokens:issue("access", user, state.settings.refresh_life)
  end
  facts.url, facts.operator_key = url, state.operator_key
  return facts
end

--- The text for a person.
---@param facts table<string, string>
---@param origin string where the pictures come from
---@return string
function M.text(facts, origin)
  local lines = {}
  for _, row in ipairs(VARIABLES) do
    local value = facts[row[2]]
    if value then lines[#lines + 1] = ("export %s=%s"):format(row[1], quote(value)) end
  end
  return TEXT:format(facts.url, origin, table.concat(lines, "\n"), facts.email and GENERATE or REGISTER)
end

return M
