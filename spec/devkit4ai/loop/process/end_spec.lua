-- The end of a program while transfers are under way: at its last line, by os.exit with and without closing the state,
-- with the caller stepping and with a thread. The one right outcome is the exit code asked for, and silence.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local SCRIPT = [[
  local url, ca_file, mark, gear, phase, ending = (table.unpack or unpack)(arg)
  local devkit4ai = require "devkit4ai"
  local waits = require "devkit4ai.loop.waits"
  local client = assert(devkit4ai.new { base_url = url, ca_file = ca_file ~= "" and ca_file or nil, access_token = "t",
    developer_key = "d", project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" })
  if gear == "thread" then devkit4ai.update() end
  local image = { data = "\255\216\255" .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }
  for i = 1, 3 do
    devkit4ai.spawn(function()
      if phase == "upload" then client:generate { images = { image }, prompt = "neon" } else client:me() end
    end)
  end
  local function is_there()
    local file = io.open(mark)
    if file then file:close() end
    return file
  end
  while not is_there() do
    if gear == "thread" then devkit4ai.update() else waits.sleep(0.005) end
  end
  if ending == "exit" then os.exit(7) end
  if ending == "exit and close" then os.exit(7, true) end
  if ending == "error" then error("the program's own", 0) end
]]

-- reads a head, makes the mark, and no more
local SERVER = [[return function(conn)
  conn:read_head()
  io.open(%q, "w"):close()
  conn:sleep(1000)
end]]

local CODES = { ["last line"] = 0, exit = 7, ["exit and close"] = 7, error = 1 }

describe("a program that ends", function()
  local folder
  before_each(function() folder = child.folder() end)
  after_each(function() child.remove(folder) end)

  local function ends(ending, options)
    local ended = child.run(SCRIPT, options)
    assert.equal(CODES[ending], ended.code, ended.err)
    if ending == "error" then assert.is_truthy(ended.err:find("the program's own", 1, true))
    else assert.equal("", ended.err) end
  end

  for ending in pairs(CODES) do
    for _, gear in ipairs { "caller", "thread" } do
      for _, kind in ipairs { "plain", "tls" } do
        for _, phase in ipairs { "upload", "wait" } do
          it(("with its %s during %s over %s, stepped by the %s"):format(ending, phase, kind, gear), function()
            local mark = folder .. "/mark"
            local server = raw.start { tls = kind == "tls", script = SERVER:format(mark) }
            finally(function() server:stop() end)
            ends(ending, { args = { server.url, server.ca_file or "", mark, gear, phase, ending } })
          end)
        end
      end

      it(("with its %s while a resolver's thread sleeps, stepped by the %s"):format(ending, gear), function()
        local mark = folder .. "/mark"
        ends(ending, { args = { "https://slow.test", "", mark, gear, "look-up", ending }, preload = "slow_getaddrinfo",
          env = { SLOW_RESOLVE_NAME = "slow.test", SLOW_RESOLVE_SECONDS = "1000", SLOW_RESOLVE_MARK = mark } })
      end)
    end
  end
end)
