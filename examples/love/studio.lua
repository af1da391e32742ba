-- The calls: an account at the gateway, an order, and its result. The game draws what is in this table.
local helper = require "devkit4ai.love" -- before devkit4ai: it finds the C modules of a packaged game
local devkit4ai = require "devkit4ai"

local M, client = { images = {}, pictures = {}, message = "" }, nil -- images: paths; busy: { text, started, sent, total }
local SENTENCES = { -- by the operation and the kind, or by the kind
  ["login auth"] = "The address or the password is wrong.", auth = "Your session is over. Please log in again.",
  network = "The server can't be reached.", rate_limited = "Too many requests. Please try again later.",
  not_found = "The server does not have your last order. Please make it again.",
}
-- Runs fn as a task. Its failure becomes a sentence.
local function run(text, fn)
  if M.busy or not client then return end
  M.busy, M.message = { text = text, started = love.timer.getTime() }, ""
  devkit4ai.spawn(function()
    local _, message, err = fn()
    M.busy, err = nil, err or {}
    if err.kind == "auth" then M.user = nil end
    local known = SENTENCES[("%s %s"):format(err.operation, err.kind)] or SENTENCES[err.kind]
    M.message = message and (known or err.detail or message) or ""
  end)
end
-- Waits for a generation, and shows its image.
local function finish(gen, message, err)
  if not gen then return gen, message, err end
  local function show() M.busy.text = gen.status == "pending" and "In the queue" or "The image is being made" end
  M.busy.sent = nil
  message, err = select(2, gen:wait { on_progress = show })
  if err and (err.kind == "failed" or err.kind == "not_found") then helper.forget(gen) end
  if err then return nil, message, err end
  local bytes, kind, failure = gen:bytes()
  if not bytes then return nil, kind, failure end
  M.result = { gen = gen, bytes = bytes, name = gen.id .. "." .. kind, time = love.timer.getTime() }
  local pixels, why = helper.decode(bytes)
  M.result.picture = pixels and love.graphics.newImage(pixels)
  return pixels, why
end

function M.order(prompt)
  run("Sending", function()
    if M.result then helper.forget(M.result.gen) end
    local done, message, err = finish(helper.resume(client)) -- what may be paid already comes first
    if done or message then return done, message or "This is your last order. Now you can make the next one.", err end
    local busy = M.busy
    local function on_upload(sent, total) busy.sent, busy.total = sent, total end
    return finish(helper.generate(client, { images = M.images, prompt = prompt, on_upload = on_upload }))
  end)
end
function M.load(gateway)
  client, M.message = helper.client(gateway)
  M.message, M.user = M.message or "", client and client:tokens() and "you"
  if M.user then run("Looking for your last order", function() return finish(helper.resume(client)) end) end
end
function M.log_in(email, password, is_new)
  run(is_new and "Signing up" or "Logging in", function()
    local _, message, err
    if is_new then _, message, err = client:register { email = email, password = password } end
    if not err then _, message, err = client:login(email, password) end
    if err then return nil, message, err end
    M.user = email
    return finish(helper.resume(client))
  end)
end
function M.drop(file)
  local path = file:getFilename()
  M.images[math.min(#M.images + 1, 5)] = path
  devkit4ai.spawn(function()
    local pixels = helper.decode(file)
    M.pictures[path] = pixels and love.graphics.newImage(pixels)
  end)
end
function M.save()
  local done, why = love.filesystem.write(M.result.name, M.result.bytes)
  M.message = done and ("Saved as %s/%s"):format(love.filesystem.getSaveDirectory(), M.result.name) or why
end

return M
