--- APISIX plugin studio-images: its consumers generate images with the studio's account. docs/hosts/kong-apisix.md explains it.
local core = require "apisix.core"
local studio_images = require "studio_images"

local TEXT = { type = "string", minLength = 1 } -- a reference such as $ENV://NAME is a text, too

local schema = {
  type = "object",
  properties = {
    base_url = { type = "string", minLength = 1, default = "https://api.vibecoding.ad" },
    project_id = TEXT, project_key = TEXT, developer_key = TEXT, email = TEXT, password = TEXT,
  },
  required = { "project_id", "project_key", "developer_key", "email", "password" },
  encrypt_fields = { "project_key", "developer_key", "password" }, -- in etcd
}

local M = {
  version = 0.1,
  priority = 50, -- after authentication and the limits of APISIX
  name = "studio-images",
  schema = schema,
}

function M.check_schema(conf)
  return core.schema.check(schema, conf)
end

function M.access(conf, ctx)
  local status, body, headers = studio_images.answer(conf, ctx.consumer_name)
  for name, value in pairs(headers or {}) do core.response.set_header(name, value) end
  return status, body
end

return M
