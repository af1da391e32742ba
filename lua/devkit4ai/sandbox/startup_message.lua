--- The text that `devkit4ai sandbox` prints when it listens: `export` lines and comments, which a shell can read.
local M = {}

M.PASSWORD = "SecurePass123" -- of the developer that --developer registers

-- The environment variables of the client and the command, and the fact that each has.
local VARIABLES = {
  { "DEVKIT4AI_BASE_URL", "url" }, { "DEVKIT4AI_OPERATOR_KEY", "operator_key" },
  { "DEVKIT4AI_DEVELOPER_KEY", "developer_key" }, { "DEVKIT4AI_PROJECT_ID", "project_id" },
  { "DEVKIT4AI_PROJECT_KEY", "project_key" }, { "DEVKIT4AI_JWT_TOKEN", "access_token" },
  { "DEVKIT4AI_EMAIL", "email" }, { "DEVKIT4AI_PASSWORD", "password" },
}

local HOW_TO_REGISTER = [[
# Register a developer: devkit4ai register --email me@example.com
# Or start the sandbox with --developer me@example.com.]]

local HOW_TO_GENERATE = [[
# The developer is logged in. Generate an image:
#   devkit4ai generate a.png --prompt "a city at night" --out city.png]]

local TEXT = [[
# The Dev Kit for AI sandbox listens on %s
# Result images come from %s
# Paste these lines into another terminal:

%s

%s
# The sandbox forgets everything when it ends (Ctrl-C).]]

local function quote(value)
  if value:find "^[%w_./:@-]+$" then return value end
  return "'" .. value:gsub("'", [['\'']]) .. "'"
end

--- What a user needs to call a sandbox.
---@param state devkit4ai.sandbox.State
---@param url string
---@param email string? of a developer to register
---@return table<string, string> facts
function M.facts(state, url, email)
  local facts = {}
  if email then
    local user
    user, facts = state:register_active_developer { email = email, password = M.PASSWORD }
    facts.email, facts.password = email, M.PASSWORD
    -- the client can't refresh a token from the environment, so it lives as long as a refresh token
    facts.access_token = state.tokens:issue("access", user, state.settings.refresh_life)
  end
  facts.url, facts.operator_key = url, state.operator_key
  return facts
end

--- The text for a person.
---@param facts table<string, string>
---@param image_origin string where result images are served
---@return string
function M.text(facts, image_origin)
  local lines = {}
  for _, row in ipairs(VARIABLES) do
    local value = facts[row[2]]
    if value then lines[#lines + 1] = ("export %s=%s"):format(row[1], quote(value)) end
  end
  return TEXT:format(facts.url, image_origin, table.concat(lines, "\n"),
    facts.email and HOW_TO_GENERATE or HOW_TO_REGISTER)
end

return M
