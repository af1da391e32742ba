--- Downloading the image of a generation: asks for its URL if that is unknown or expired, and fetches it.
local call = require "devkit4ai.request.call"
local limits = require "devkit4ai.api.limits"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local failures = require "devkit4ai.generation.failures"
local image_url = require "devkit4ai.generation.image_url"
local operations = require "devkit4ai.api.operations"
local status = require "devkit4ai.generation.status"
local time_limit = require "devkit4ai.request.time.time_limit"

local M = {}


local function url_of(gen)
  return image_url.resolve(gen._scope._client.base_url, gen.image_url)
end

-- What the response has in the place of a URL.
local function describe_url(gen)
  local raw = gen.raw or {}
  local value = raw.result_image_url or raw.generated_image_url or raw.result
  if type(value) == "table" then return value[1] ~= nil and "a list" or "an object" end
  return value == nil and "none" or type(value) == "string" and "a text that is not a URL" or "a " .. type(value)
end

local function no_url(gen, call_name)
  if gen.status == "completed" then
    return errors.fail({
      kind = "protocol", outcome = "not_sent", operation = "get_picture", generation_id = gen.id,
      call_name = call_name,
      what = ("the generation %s is completed, but the response has no image URL that can be used (%s)"):format(
        gen.id, describe_url(gen)),
    })
  end
  local has_failed = gen.status == "failed"
  return errors.fail({
    kind = "invalid", outcome = "not_sent", operation = "get_picture", generation_id = gen.id, call_name = call_name,
    what = (has_failed and "the generation %s has no image: it %s" or "the generation %s has no image yet (%s)"):format(
      gen.id, gen.status),
    advice = not has_failed and "call gen:wait() first" or nil, hint = "wait_first",
  })
end

-- Fetches the image once. new_url: asks for the URL first, even if one is known.
local function fetch_once(gen, extra, remaining, new_url)
  if new_url or not url_of(gen) then
    local status_extra = { total = remaining(), headers = extra.headers, call_name = extra.call_name }
    local updated, message, err = status.request(gen, status_extra)
    if not updated then return nil, message, err end
  end
  local url = url_of(gen)
  if not url then return no_url(gen, extra.call_name) end
  extra.total, extra.url = remaining(), url
  return call.run(gen._scope, "get_picture", {}, extra)
end

-- Fetches the image; with a new URL if the known one has expired.
local function fetch(gen, extra, retry_line)
  local remaining = time_limit.start(extra.total)
  local image, message, err = fetch_once(gen, extra, remaining)
  if not image and err.operation == "get_picture" and operations.get("get_picture").expired_statuses[err.status] then
    local second, second_message, second_err = fetch_once(gen, extra, remaining, true)
    if second or second_err.operation == "get_picture" then
      image, message, err = second, second_message, second_err
    end
  end
  if image then return image end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  if gen.status == "failed" then return nil, message, err end
  local is_unfinished = gen.status and gen.status ~= "completed" and not gen.image_url
  local advice = is_unfinished and failures.wait_advice(gen) or "go on with " .. retry_line(gen, err)
  return failures.with_advice(gen, err, advice)
end

--- Downloads the image.
---@param gen devkit4ai.Generation
---@param call_name string "gen:save"
---@param extra table for call.run
---@param retry_line fun(gen: devkit4ai.Generation, err: table): string the line of code for the message of a failure
---@return table? image
---@return string? message
---@return devkit4ai.Error? err
function M.run(gen, call_name, extra, retry_line)
  extra.max_answer, extra.call_name = limits.MAX_RESULT_IMAGE_BYTES, call_name
  return failures.protect(gen, call_name, "go on with " .. retry_line(gen, {}), fetch, gen, extra, retry_line)
end

return M
