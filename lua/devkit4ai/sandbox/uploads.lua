--- The upload of a generation (wire.md 5.1): read as it arrives and judged. Of an image its first bytes, its
--- size and its hash are kept, so that an upload of any size takes no memory.
local content = require "devkit4ai.sandbox.content"
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"
local json = require "devkit4ai.sandbox.json"

local M = {}

local BODY_LIMIT = 60 * 1024 * 1024 -- bytes of a whole upload: five images of the allowed size and something over
local FORM_LIMIT = 1024 * 1024 -- bytes of a form that can't hold an image
local IMAGE_LIMIT = 10 * 1024 * 1024 -- bytes, inclusive
local IMAGE_COUNT = 5
local TEXT_LIMIT = 1000 -- code points of the instructions
local TEXT_KEPT = 4 * TEXT_LIMIT + 4 -- bytes; 1,000 code points have at most 4,000

-- value of the dialect's axis upload_part -> kind of upload -> the names of the parts that are images; an answer
-- that misses them names the first (wire.md D36, E37)
local FILE_PARTS = {
  example_images = { own = { "example_images" }, anonymous = { "example_images" } },
  files = { own = { "files" }, anonymous = { "files" } },
  split = { own = { "example_images" }, anonymous = { "files" } },
  any = { own = { "example_images", "files" }, anonymous = { "files", "example_images" } },
}

---@class devkit4ai.sandbox.Submission
---@field images { digest: string }[]
---@field instructions string  as sent
---@field prompt string

-- Whether the first 12 bytes are those of a JPEG, PNG or WebP; what the client calls it does not count.
local function is_picture(head)
  return head:sub(1, 3) == "\255\216\255" or head:sub(1, 8) == "\137PNG\r\n\26\n"
    or head:sub(1, 4) == "RIFF" and head:sub(9, 12) == "WEBP"
end

local function image_sink(image)
  return function(bytes)
    if #image.head < 12 then image.head = image.head .. bytes:sub(1, 12) end
    image.size = image.size + #bytes
    image.hash:update(bytes)
  end
end

local function text_sink(form, name)
  form[name] = ""
  return function(bytes)
    if #form[name] < TEXT_KEPT then form[name] = form[name] .. bytes:sub(1, TEXT_KEPT) end
  end
end

local function ignore() end

-- The parts of a request's body: images and the text; or nil and why not.
local function receive(request, file_parts)
  local is_file = {}
  for _, name in ipairs(file_parts) do is_file[name] = true end
  local form = { images = {} }
  if content.kind(request) ~= "multipart" then -- another form has the text alone, another body nothing
    local texts, refusal = content.texts(request, FORM_LIMIT)
    if not texts then return nil, refusal end
    form.instructions = texts.instructions
    return form
  end
  local refusal = content.read_parts(request, BODY_LIMIT, function(part)
    if is_file[part.name] and part.filename then
      local image = { head = "", size = 0, hash = digest.new("sha256") }
      form.images[#form.images + 1] = image
      return image_sink(image)
    end
    if part.name == "instructions" and not part.filename then return text_sink(form, "instructions") end
    return ignore
  end)
  if refusal then return nil, refusal end
  return form
end

-- What is wrong with the images, or nil.
local function judge_images(images)
  if #images > IMAGE_COUNT then return errors.of("E38") end
  for _, image in ipairs(images) do
    if image.size > IMAGE_LIMIT then return errors.of("E39") end
  end
  for _, image in ipairs(images) do
    if not is_picture(image.head) then return errors.of("E40") end
  end
end

-- The prompt of the instructions, or nil and what is wrong with them.
local function read_instructions(text)
  local length = encoding.code_points(text)
  if #text >= TEXT_KEPT or length and (length < 1 or length > TEXT_LIMIT) then return nil, errors.of("E42") end
  local loc = { "body", "instructions" }
  local decoded, offset = json.decode(text)
  if not length or offset or not json.is_object(decoded, text) then
    return nil, errors.invalid { errors.finding("E41", loc) }
  end
  loc[3] = "prompt"
  if decoded.prompt == nil then return nil, errors.invalid { errors.finding("E37", loc) } end
  if type(decoded.prompt) ~= "string" then return nil, errors.invalid { errors.finding("not_text", loc) } end
  if decoded.prompt == "" then return nil, errors.invalid { errors.finding("E34", loc, 1) } end
  return decoded.prompt
end

--- Reads and judges an upload.
---@param request devkit4ai.sandbox.Request
---@param kind "own"|"anonymous" of upload
---@param dialect table<string, string>
---@return devkit4ai.sandbox.Submission?
---@return devkit4ai.sandbox.Answer? refusal
function M.read(request, kind, dialect)
  local file_parts = FILE_PARTS[dialect.upload_part][kind]
  local form, refusal = receive(request, file_parts)
  if not form then return nil, refusal end
  local missing = {}
  if #form.images == 0 then missing[1] = errors.finding("E37", { "body", file_parts[1] }) end
  if not form.instructions then missing[#missing + 1] = errors.finding("E37", { "body", "instructions" }) end
  if #missing > 0 then return nil, errors.invalid(missing) end
  refusal = judge_images(form.images)
  if refusal then return nil, refusal end
  local prompt
  prompt, refusal = read_instructions(form.instructions)
  if not prompt then return nil, refusal end
  for _, image in ipairs(form.images) do image.digest = image.hash:final() end
  return { images = form.images, instructions = form.instructions, prompt = prompt }
end

return M
