--- The upload of a generation: its reader and its validation (wire.md 5.1). Of each image it keeps the first bytes, the
--- size and the hash, so an upload of any size takes little memory.
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"
local json = require "devkit4ai.sandbox.util.json"
local request_body = require "devkit4ai.sandbox.api.request_body"

local M = {}

local BODY_LIMIT = 60 * 1024 * 1024 -- bytes of a whole upload: five images of the largest size, and some more
local FORM_LIMIT = 1024 * 1024 -- bytes of a form that can't hold an image
local IMAGE_LIMIT = 10 * 1024 * 1024 -- bytes, inclusive
local IMAGE_COUNT = 5
local TEXT_LIMIT = 1000 -- code points of the instructions
local TEXT_BYTES = 4 * TEXT_LIMIT + 4 -- bytes that are kept; 1,000 code points have at most 4,000
local SIGNATURE_BYTES = 12 -- of an image's beginning, which tell its format

-- value of the dialect's axis upload_part -> kind of upload -> the names of the parts that are images. A validation
-- error about missing images gives the first name (wire.md D36, E37).
local IMAGE_PARTS = {
  example_images = { project = { "example_images" }, anonymous = { "example_images" } },
  files = { project = { "files" }, anonymous = { "files" } },
  split = { project = { "example_images" }, anonymous = { "files" } },
  any = { project = { "example_images", "files" }, anonymous = { "files", "example_images" } },
}

---@class devkit4ai.sandbox.UploadedImage
---@field head string  the first bytes
---@field size integer  bytes
---@field digest string?  SHA-256 of its bytes, once the upload is valid

---@class devkit4ai.sandbox.GenerationUpload
---@field images devkit4ai.sandbox.UploadedImage[]
---@field instructions string  as sent
---@field prompt string

-- Whether the first bytes are those of a JPEG, PNG or WebP. The client's own type does not count.
local function is_supported_format(head)
  return head:sub(1, 3) == "\255\216\255" or head:sub(1, 8) == "\137PNG\r\n\26\n"
    or head:sub(1, 4) == "RIFF" and head:sub(9, 12) == "WEBP"
end

local function image_reader(image)
  return function(bytes)
    if #image.head < SIGNATURE_BYTES then image.head = image.head .. bytes:sub(1, SIGNATURE_BYTES) end
    image.size = image.size + #bytes
    image.hash:update(bytes)
  end
end

local function instructions_reader(form)
  form.instructions = ""
  return function(bytes)
    if #form.instructions < TEXT_BYTES then form.instructions = form.instructions .. bytes:sub(1, TEXT_BYTES) end
  end
end

local function ignore() end

-- The images and instructions of a body. Another form than multipart has no images, another body has nothing.
local function read_form(request, image_parts)
  if request_body.format(request) ~= "multipart" then
    local texts, error_response = request_body.read_form(request, FORM_LIMIT)
    if not texts then return nil, error_response end
    return { images = {}, instructions = texts.instructions }
  end
  local is_image = {}
  for _, name in ipairs(image_parts) do is_image[name] = true end
  local form = { images = {} }
  local error_response = request_body.read_multipart(request, BODY_LIMIT, function(part)
    if is_image[part.name] and part.filename then
      local image = { head = "", size = 0, hash = digest.new("sha256") }
      form.images[#form.images + 1] = image
      return image_reader(image)
    end
    if part.name == "instructions" and not part.filename then return instructions_reader(form) end
    return ignore
  end)
  if error_response then return nil, error_response end
  return form
end

local function check_fields(form, image_parts)
  local entries = {}
  if #form.images == 0 then entries[1] = errors.validation_entry("E37", { "body", image_parts[1] }) end
  if not form.instructions then entries[#entries + 1] = errors.validation_entry("E37", { "body", "instructions" }) end
  if #entries > 0 then return errors.validation_error(entries) end
end

local function check_images(images)
  if #images > IMAGE_COUNT then return errors.response("E38") end
  for _, image in ipairs(images) do
    if image.size > IMAGE_LIMIT then return errors.response("E39") end
  end
  for _, image in ipairs(images) do
    if not is_supported_format(image.head) then return errors.response("E40") end
  end
end

-- The prompt of the instructions; or nil and the error response.
local function parse_prompt(text)
  local length = encoding.count_code_points(text)
  if #text >= TEXT_BYTES or length and (length < 1 or length > TEXT_LIMIT) then return nil, errors.response("E42") end
  local function failed(id, loc, limit)
    return nil, errors.validation_error { errors.validation_entry(id, loc, limit) }
  end
  local decoded, offset = json.decode(text)
  if not length or offset or not json.is_object(decoded, text) then return failed("E41", { "body", "instructions" }) end
  local prompt, loc = decoded.prompt, { "body", "instructions", "prompt" }
  if prompt == nil then return failed("E37", loc) end
  if type(prompt) ~= "string" then return failed("not_text", loc) end
  if prompt == "" then return failed("E34", loc, 1) end
  return prompt
end

--- Reads and validates an upload.
---@param request devkit4ai.sandbox.Request
---@param kind "project"|"anonymous"
---@param dialect table<string, string>
---@return devkit4ai.sandbox.GenerationUpload?
---@return devkit4ai.sandbox.Response? error_response
function M.read(request, kind, dialect)
  local image_parts = IMAGE_PARTS[dialect.upload_part][kind]
  local form, error_response = read_form(request, image_parts)
  if not form then return nil, error_response end
  error_response = check_fields(form, image_parts) or check_images(form.images)
  if error_response then return nil, error_response end
  local prompt
  prompt, error_response = parse_prompt(form.instructions)
  if not prompt then return nil, error_response end
  local images = {}
  for i, image in ipairs(form.images) do
    images[i] = { head = image.head, size = image.size, digest = image.hash:final() }
  end
  return { images = images, instructions = form.instructions, prompt = prompt }
end

return M
