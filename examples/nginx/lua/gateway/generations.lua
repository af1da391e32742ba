--- Generations of the logged-in user. The API itself checks that a generation is the user's own.
local accounts = require "gateway.accounts"
local cjson = require "cjson.safe"
local failures = require "gateway.failures"
local images = require "gateway.images"

local M = {}
local PAGE_SIZE = 12

local function describe(gen)
  local instructions = cjson.decode(gen.instructions or "")
  local prompt = type(instructions) == "table" and instructions.prompt or gen.instructions
  return { id = gen.id, status = gen.status, prompt = prompt, error = gen.error, created_at = gen.created_at }
end

--- POST /api/generations: { images = ids of uploads, prompt = text }. It costs money, and is sent once.
function M.create(user, session, input)
  local is_complete = type(input.prompt) == "string" and type(input.images) == "table"
  if not is_complete then failures.refuse(422, "Describe the image.") end
  accounts.count(session, "generations")
  local paths = images.take(session, input.images)
  local gen, _, err = user:generate { images = paths, prompt = input.prompt }
  for _, path in ipairs(paths) do os.remove(path) end
  return describe(failures.try(gen, nil, err))
end

--- GET /api/generations?page=N: the newest first.
function M.list(user)
  local page = tonumber((ngx.var.arg_page or ""):match("^%d%d?%d?$")) or 1
  local list = failures.try(user:generations({ per_page = PAGE_SIZE }):page(page))
  for i, gen in ipairs(list) do list[i] = describe(gen) end
  return { items = list[1] and list, has_more = #list == PAGE_SIZE } -- lua-cjson can't write an empty array
end

local function send_event(value)
  if not ngx.headers_sent then ngx.header.content_type = "text/event-stream" end
  ngx.print("data: ", cjson.encode(value), "\n\n")
  ngx.flush()
end

--- GET /api/generations/ID/events: an event after each status request, until the generation has finished, or nginx stops.
function M.events(user, _, id)
  local started = ngx.now()
  local done, _, err = user:generation(id):wait { on_progress = function(gen)
    send_event { status = gen.status, error = gen.error, seconds = math.floor(ngx.now() - started) }
    if ngx.worker.exiting() then ngx.exit(ngx.OK) end -- the page connects again, to a new worker
  end }
  if done or err.kind == "failed" then return false end
  if not ngx.headers_sent then error(err, 0) end
  send_event { status = "lost", error = select(2, failures.describe(err)).error }
  return false
end

--- GET /api/generations/ID/image: saves it to a file, which nginx sends and then removes (location /results/).
function M.image(user, _, id)
  local name = accounts.random_id()
  local path = failures.try(user:generation(id):save(images.FOLDER .. name))
  ngx.header.content_type = images.type_of(path)
  ngx.header.cache_control = "private, max-age=86400, immutable"
  return "/results/" .. name
end

--- DELETE /api/generations/ID
function M.delete(user, _, id)
  return failures.try(user:generation(id):delete())
end

return M
