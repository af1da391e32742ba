-- The calls: an account at the gateway, an order, and its result. The game draws what is in this table.
local helper = require "devkit4ai.love" -- before devkit4ai: it finds the C modules of a packaged game
local devkit4ai = require "devkit4ai"

local M = { images = {}, message = "" } -- images: { path, picture }; busy: { text, started, sent, total }; result, user
local client
local SENTENCES = { -- by the operation and the kind, or by the kind
  ["login auth"] = "The address or the password is wrong.", auth = "Your session is over. Please log in again.",
  conflict = "There is already an account with this address.", network = "The server can't be reached. Is it running?",
  tls = "The connection to the server is not secure.", timeout = "The server takes too long. Please try again later.",
  rate_limited = "Too many requests. Please try again later.", too_large = "An image has more than 10 MB.",
  ["list_generations not_found"] = "Your last order did not arrive, and costs nothing.",
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
  if not gen then return nil, message, err end
  local function show() M.busy.text = gen.status == "pending" and "In the queue" or "The image is being made" end
  M.busy.sent = nil
  local bytes, kind
  message, err = select(2, gen:wait { on_progress = show })
  if not err then bytes, kind, err = gen:bytes() end
  if err and err.kind == "failed" then helper.forget() end
  if err then return nil, message or kind, err end
  M.result = { bytes = bytes, name = gen.id .. "." .. kind, time = love.timer.getTime() }
  local pixels, why = helper.decode(bytes)
  if not pixels then return nil, why .. ". You can save the image." end
  M.result.picture = love.graphics.newImage(pixels)
end

function M.order(prompt)
  run("Sending", function()
    local paths = {}
    for i, image in ipairs(M.images) do paths[i] = image.path end
    local function show(sent, total) M.busy.sent, M.busy.total = sent, total end
    return finish(helper.generate(client, { images = paths, prompt = prompt, on_upload = show }))
  end)
end

function M.load(gateway)
  client, M.message = helper.client(gateway)
  M.message, M.user = M.message or "", client and client:tokens() and "you"
  if M.user then run("Looking for your last order", function() return finish(helper.resume(client)) end) end
end

function M.log_in(email, password, is_new)
  run(is_new and "Signing up" or "Logging in", function()
    local done, message, err = true, nil, nil
    if is_new then done, message, err = client:register { email = email, password = password } end
    if done then done, message, err = client:login(email, password) end
    if not done then return nil, message, err end
    M.user = email
    return finish(helper.resume(client))
  end)
end

function M.drop(file)
  local image = { path = file:getFilename() }
  M.images[math.min(#M.images + 1, 5)] = image
  devkit4ai.spawn(function()
    local pixels = helper.decode(file)
    image.picture = pixels and love.graphics.newImage(pixels)
  end)
end

function M.save()
  local done, why = love.filesystem.write(M.result.name, M.result.bytes)
  local path = love.filesystem.getSaveDirectory() .. "/" .. M.result.name
  M.message = done and "Saved as " .. path or "The save folder can't be written: " .. why
end

return M
