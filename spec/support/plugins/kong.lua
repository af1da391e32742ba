-- A stand-in for Kong inside nginx, which Debian does not have. It has what the plugin of examples/kong uses, and runs the
-- handler as Kong 3 does: in a coroutine of its own in the access phase, which kong.response.exit ends. The header X-Consumer
-- takes the place of an authentication plugin.
local cjson = require "cjson"

local M = {}

local ENDED = {} -- what the handler's coroutine yields

-- A typedef is a field that can be called to add attributes.
local function typedef(field)
  return setmetatable(field, { __call = function(_, more)
    local copy = {}
    for name, value in pairs(field) do copy[name] = value end
    for name, value in pairs(more) do copy[name] = value end
    return copy
  end })
end

--- Makes `kong` and the module of the typedefs known.
function M.install()
  package.loaded["kong.db.schema.typedefs"] = {
    protocols_http = typedef { type = "set", required = true, elements = { type = "string" } },
    url = typedef { type = "string", description = "A string representing a URL." },
  }
  rawset(_G, "kong", {
    client = { get_consumer = function()
      local name = ngx.req.get_headers()["x-consumer"]
      return name and { id = name, username = name } or nil
    end },
    log = { err = function(...) ngx.log(ngx.ERR, ...) end },
    response = { exit = function(status, body, headers)
      ngx.ctx.response = { status = status, body = body, headers = headers }
      coroutine.yield(ENDED)
    end },
  })
end

--- Runs a plugin in the access phase.
---@param name string
---@param conf table
function M.access(name, conf)
  local handler = require("kong.plugins." .. name .. ".handler")
  local co = coroutine.create(handler.access)
  local ok, why = coroutine.resume(co, handler, conf)
  if not ok then
    ngx.log(ngx.ERR, "the handler raised: ", why)
    return ngx.exit(500)
  end
  local response = assert(ngx.ctx.response, "the handler gave no response")
  ngx.status = response.status
  for header, value in pairs(response.headers or {}) do ngx.header[header] = value end
  ngx.header["Content-Type"] = "application/json; charset=utf-8"
  ngx.print(cjson.encode(response.body))
  ngx.exit(response.status)
end

return M
