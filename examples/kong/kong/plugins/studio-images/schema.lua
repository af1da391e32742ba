--- Configuration of the Kong plugin studio-images.
local typedefs = require "kong.db.schema.typedefs"

-- A secret: a reference to a vault can be its value. Only Kong Enterprise encrypts it in the database.
local function secret(description)
  return { type = "string", required = true, referenceable = true, encrypted = true, description = description }
end

return {
  name = "studio-images",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = {
      type = "record",
      fields = {
        { base_url = typedefs.url { required = true, default = "https://api.vibecoding.ad" } },
        { project_id = { type = "string", required = true, uuid = true, description = "The project of the studio." } },
        { project_key = secret "The key of the project: pk_..." },
        { developer_key = secret "The key of the developer: ak_..." },
        { email = {
          type = "string", required = true, referenceable = true, description = "The account of the studio.",
        } },
        { password = secret "The password of the account." },
      },
    } },
  },
}
