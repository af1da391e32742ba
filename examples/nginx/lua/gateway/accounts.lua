--- Accounts of end users, and their sessions: the cookie has a random id, which no script can read; the tokens stay here.
local cjson = require "cjson.safe"
local failures = require "gateway.failures"

local M = {}
local LIFE = 7 * 86400 -- seconds, as long as the API's refresh token
local LIMITS = { generations = { most = 20, seconds = 3600 }, images = { most = 60, seconds = 900 } } -- of one user
local sessions, counters = ngx.shared.sessions, ngx.shared.counters

--- 32 hexadecimal digits that nobody can guess.
function M.random_id()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(16)
  file:close()
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

--- The session of the current request: user_id, email, tokens. nil: nobody is logged in.
function M.session()
  return cjson.decode(sessions:get(ngx.var.cookie_session or "") or "")
end

-- Ends the session of the current request, and starts another one, always with a new id. nil: none.
local function replace_session(session)
  local id = session and M.random_id() or ""
  sessions:delete(ngx.var.cookie_session or "")
  if session then sessions:set(id, cjson.encode(session), LIFE) end
  local cookie = "session=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s"
  ngx.header.set_cookie = cookie:format(id, session and LIFE or 0, ngx.var.cookie_secure)
end

--- POST /api/log-in: { email, password }
function M.log_in(user, _, input)
  failures.try(user:login(tostring(input.email), tostring(input.password)))
  local account = failures.try(user:me())
  replace_session { user_id = account.id, email = account.email, tokens = failures.try(user:tokens()) }
  return { email = account.email }
end

--- POST /api/sign-up: { email, password }
function M.sign_up(user, _, input)
  local given = { email = tostring(input.email), password = tostring(input.password) }
  local account = failures.try(user:register(given))
  if not account.is_active then failures.refuse(403, "The account is made. Use the link in your mail, then log in.") end
  return M.log_in(user, nil, given)
end

--- POST /api/log-out
function M.log_out(user)
  replace_session(nil)
  return failures.try(user:logout())
end

--- Counts what a user sends, for all workers. The API limits the project: one user could use up its plan.
function M.count(session, what)
  local limit, key = LIMITS[what], what .. session.user_id
  if counters:incr(key, 1, 0, limit.seconds) <= limit.most then return end
  local text = ("You may send %d %s in %d minutes. Try again later."):format(limit.most, what, limit.seconds / 60)
  failures.refuse(429, text, counters:ttl(key))
end

return M
