-- A server responds before it has the whole upload, and then closes the connection: a complete response counts.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local PROJECT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
local IMAGE = "\137PNG\r\n\26\n" .. ("\0"):rep(9000000) -- more than the buffers of a connection take
local CREATED = '{"id":"11111111-2222-4333-8444-555555555555","status":"pending"}'

-- The response | kind, outcome, status; nil: the generation came. The server waits before it ends the connection.
local RESPONSES = {
  { "HTTP/1.1 413 Too Large\r\nContent-Length: 16\r\n\r\n{\"detail\":\"big\"}", "too_large", "refused", 413 },
  { "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", "too_large", "refused", 413 },
  { "HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "too_large", "refused", 413 },
  { "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", "auth", "refused", 401 },
  { "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}", "server", "unknown", 503 },
  { ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#CREATED, CREATED) },
  { ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#CREATED, CREATED) },
  { ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"):format(#CREATED, CREATED),
    "network", "unknown", 200 },
  { ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n"):format(#CREATED, CREATED),
    "network", "unknown", 200 },
  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "protocol", "unknown", 200 },
  { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "protocol", "unknown", 200 },
  { ("HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s"):format(#CREATED, CREATED) },
  { ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#CREATED + 1, CREATED), "network", "unknown", 200 },
  { "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\n{}", "network", "unknown", 413 },
  { "HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "network", "unknown", 413 },
}

-- The n-th connection gets the n-th response. What comes of the upload after it is not read.
local SCRIPT = [[
local RESPONSES = { %s }
return function(conn, n)
  conn:read_head()
  conn:write(RESPONSES[n])
  conn:sleep(0.1)
  conn:%s()
end]]

local function start(tls, ending)
  local texts = {}
  for i, row in ipairs(RESPONSES) do texts[i] = ("%q"):format(row[1]) end
  return raw.start { tls = tls, script = SCRIPT:format(table.concat(texts, ","), ending) }
end

local function project_of(server)
  local client = assert(devkit4ai.new { base_url = server.url, ca_file = server.ca_file, access_token = "MARKER-TOKEN",
    developer_key = "MARKER-KEY", retry = { attempts = 1 } })
  local project = client:project(PROJECT)
  project:use_key "MARKER-PROJECT"
  return project, client
end

describe("an upload with an early response", function()
  for _, tls in ipairs { false, true } do
    for _, ending in ipairs { "close", "reset" } do
      it(("counts over %s, before a %s"):format(tls and "TLS" or "plain HTTP", ending), function()
        local server = start(tls, ending)
        finally(function() server:stop() end)
        local project, client = project_of(server)
        for i, row in ipairs(RESPONSES) do
          local generation, message, err = project:generate { images = { { data = IMAGE, filename = "i.png" } },
            prompt = "x" }
          if row[2] then
            assert.is_nil(generation, row[1])
            assert.same({ row[2], row[3], row[4] }, { err.kind, err.outcome, err.status }, row[1] .. message)
          else
            assert.equal("11111111-2222-4333-8444-555555555555", assert(generation, message).id)
          end
          assert.equal(i, server:connections()) -- each was sent once
        end
        client:close()
      end)
    end
  end
end)
