-- What a client's calls share, the budget of repeats; and what the waits of a process share, the pace.
local devkit4ai = require "spec.support.quick"
local raw = require "spec.support.raw"
local retry = require "devkit4ai.retry"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local server, clients

local function serve(answer)
  server = raw.start { script = ([[
    local looks, refused_at = 0, nil
    return function(conn)
      local request = conn:read_request()
      while request do
        ANSWER
        request = conn:read_request()
      end
    end]]):gsub("ANSWER", function() return answer end) }
end

local function new(on_event)
  local client = assert(devkit4ai.new { base_url = server.url, access_token = "t", developer_key = "d", project_id = ID,
    project_key = "p", on_event = on_event })
  clients[#clients + 1] = client
  return client
end

before_each(function() clients = {} end)

after_each(function()
  for _, client in ipairs(clients) do client:close() end
  server:stop()
end)

describe("a client's calls", function()
  local COST = 2 * retry.cost {} -- of a call that fails three times
  local FULL = retry.FULL / COST -- such calls that a new client may make

  it("share a budget of repeats: first tries go on, and what is worth it is earned anew", function()
    serve [[
      if request.target:find "me$" then conn:respond(503, {}) else conn:respond(200, {}) end]]
    local client = new()
    local function requests_of(calls)
      local before = #server:requests()
      for _ = 1, calls do assert.is_nil(client:me()) end
      return #server:requests() - before
    end
    assert.equal(3 * FULL, requests_of(FULL))
    assert.equal(7, requests_of(7))
    for _ = 1, COST do assert(client:request { method = "GET", path = "/other" }) end
    assert.equal(3 + 1, requests_of(2))
  end)

  it("do not take from another client's", function()
    serve [[conn:respond(503, {})]]
    local one, other = new(), new()
    for _ = 1, FULL + 1 do one:me() end
    local before = #server:requests()
    other:me()
    assert.equal(3, #server:requests() - before)
  end)
end)

describe("the waits of a process", function()
  it("are all held back by the 429 that one of them met, also those of another client", function()
    serve [[
      looks = looks + 1
      local now = require("cqueues").monotime()
      if looks == 1 then
        refused_at = now
        conn:respond(429, { detail = "later" }, { ["Retry-After"] = "0.3" })
      else
        local when = now - refused_at >= 0.3 and "later" or "at once"
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", status = "completed", message = when })
      end]]
    local rests = false
    local client = new(function(event) rests = rests or event.type == "wait" end)
    local first = devkit4ai.spawn(function() return client:generation(ID):wait { interval = 0.01 } end)
    repeat devkit4ai.update() until rests
    local gen = assert(new():generation(ID):wait())
    assert.equal("later", gen.message)
    assert.equal("later", assert(first:join()).message)
  end)
end)
