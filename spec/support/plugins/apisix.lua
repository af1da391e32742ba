-- A stand-in for APISIX inside nginx, which Debian does not have. It has what the plugin of examples/apisix uses, and sends
-- what the access phase returns. The header X-Consumer takes the place of an authentication plugin.
local cjson = require "cjson"

local M = {}

--- Makes the module apisix.core known. check: called for core.schema.check
---@param check fun(schema: table, conf: table): boolean?, string?
function M.install(check)
  package.loaded["apisix.core"] = {
    schema = { check = check },
    log = { error = function(...) ngx.log(ngx.ERR, ...) end },
    response = { set_header = function(name, value) ngx.header[name] = value end },
  }
end

--- Runs a plugin in the access phase.
---@param name string
---@param conf table
function M.access(name, conf)
  local ctx = { consumer_name = ngx.req.get_headers()["x-consumer"] }
  local status, body = require("apisix.plugins." .. name).access(conf, ctx)
  if not status then return end
  ngx.status = status
  ngx.print(cjson.encode(body), "\n")
  ngx.exit(status)
end

return M
