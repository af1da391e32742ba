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

local IS_KNOWN = [[
# %s has this developer already. The keys are those that the first start printed.]]

local TEXT = [[
# The Dev Kit for AI sandbox listens on %s
# Result images come from %s
# Paste these lines into another terminal:

%s

%s
# %s]]

local FORGETS = "The sandbox forgets everything when it ends (Ctrl-C)."
local KEEPS = "The next sandbox with --data %s continues from here."

local function quote(value)
  if value:find "^[%w_./:@-]+$" then return value end
  return "'" .. value:gsub("'", [['\'']]) .. "'"
end

-- The user of an address, and what can be told of the account: a sandbox that has it from a data folder has only the
-- hashes of its keys.
local function find_or_register(state, email)
  local user, credentials = state:register_active_developer { email = email, password = M.PASSWORD }
  if user then return user, credentials end
  user = state.accounts:authenticate(email, M.PASSWORD)
  return user, {}
end

--- What a user needs to call a sandbox.
---@param state devkit4ai.sandbox.State
---@param url string
---@param email string? of a developer to register, if the data folder does not have it yet
---@return table<string, string>? facts
---@return string? reason
function M.facts(state, url, email)
  local facts = {}
  if email then
    local user
    user, facts = find_or_register(state, email)
    if not user then return nil, ("%s has another password in the data folder"):format(email) end
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
---@param data string? the data folder
---@return string
function M.text(facts, image_origin, data)
  local lines = {}
  for _, row in ipairs(VARIABLES) do
    local value = facts[row[2]]
    if value then lines[#lines + 1] = ("export %s=%s"):format(row[1], quote(value)) end
  end
  local how = facts.email and HOW_TO_GENERATE or HOW_TO_REGISTER
  if facts.email and not facts.developer_key then how = IS_KNOWN:format(data) .. "\n" .. how end
  return TEXT:format(facts.url, image_origin, table.concat(lines, "\n"), how,
    data and KEEPS:format(quote(data)) or FORGETS)
end

return M
