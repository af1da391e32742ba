--- Kong plugin studio-images: its consumers generate images with the studio's account. docs/hosts/kong-apisix.md explains it.
local studio_images = require "studio_images"

local Handler = {
  PRIORITY = 700, -- after authentication, acl and the limits of Kong
  VERSION = "1.0.0",
}

function Handler:access(conf)
  local consumer = kong.client.get_consumer()
  return kong.response.exit(studio_images.answer(conf, consumer and consumer.id))
end

return Handler
