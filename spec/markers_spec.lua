-- No secret shows: all of them carry a mark, all operations run with the log on against servers that repeat what they hear,
-- and the mark is looked for in what is returned, told, logged and printed, in URLs, at a proxy and at another origin.
local child = require "spec.support.child"
local raw = require "spec.support.raw"

local ID = "770e8400-e29b-41d4-a716-446655440002"

-- A server that gives back what it hears. heard: head and body, a JSON body's texts decoded as well; one: one secret of it.
local ECHO = [[
  local cjson = require "cjson"
  local function respond(conn, status, reason, body, headers)
    local lines = { ("HTTP/1.1 %d %s"):format(status, reason), "Content-Length: " .. #body }
    for name, value in pairs(headers or {}) do lines[#lines + 1] = name .. ": " .. value end
    conn:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
  end
  return function(conn)
    local request = conn:read_request()
    while request do
      local heard = request.head .. request.body
      local ok, values = pcall(cjson.decode, request.body)
      for _, value in pairs(ok and values or {}) do heard = heard .. " " .. tostring(value) end
      local one = request.head:match "MARK[%w-]+" or request.body:match "MARK[%w-]+" or "none"
      ANSWER
      request = conn:read_request()
    end
  end
]]

-- Success as the operations want it, with echoes beside it.
local SUCCESS = ([[
  local function answer_with(fields)
    fields.id, fields.name, fields.status, fields.is_active = "ID", "neon", "completed", true
    fields.image_url = "http://127.0.0.1:1/picture.png"
    if request.method == "GET" and not request.target:find "/me$" and not request.target:find "status$" then
      fields = { fields }
    end
    return fields
  end
]]):gsub("ID", ID)

local ANSWERS = {
  ["as a detail"] = [[conn:respond(400, { detail = heard })]],
  ["as a detail of a 401"] = [[conn:respond(401, { detail = heard })]],
  ["as a detail of a 403, with a request id"] = [[conn:respond(403, { detail = heard }, { ["X-Request-ID"] = one })]],
  ["in each field of a 422"] = [[conn:respond(422, { detail = {
    { loc = { "body", one, heard }, msg = heard, type = heard, input = heard, ctx = { heard } }, heard } })]],
  ["in a 429"] = [[conn:respond(429, { detail = heard, error = { heard } }, { ["Retry-After"] = "0.01",
    ["X-Request-ID"] = one })]],
  ["in the reason and the page of a 502"] = [[respond(conn, 502, one, "<html>" .. heard, { Server = one })]],
  ["as what is no JSON"] = [[conn:respond(200, heard)]],
  ["in JSON that breaks off"] = [[conn:respond(200, cjson.encode({ echo = heard }):sub(1, -3))]],
  ["in a page that ends in the middle of a secret"] = [[conn:respond(500, "bad " .. one:sub(1, #one // 2 + 3))]],
  ["as a detail that ends in the middle of a secret"] =
    [[conn:respond(400, { detail = "bad " .. one:sub(1, #one // 2 + 3) })]],
  ["in JSON that ends in the middle of a secret"] =
    [[conn:respond(200, '{"detail":"' .. one:sub(1, #one // 2 + 3))]],
  ["in an answer that is cut in the middle of a secret"] =
    [[conn:write("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nbad " .. one:sub(1, #one // 2 + 3))
    conn:close() do return end]],
  ["in a redirect"] = [[respond(conn, 302, one, heard, { Location = "/" .. one .. "?key=" .. one })]],
  ["under other names of a success"] = SUCCESS .. [[
    local headers = {}
    for name, value in request.head:gmatch "\n([%w-]+): ([^\r]*)" do headers[name], headers[value] = value, name end
    conn:respond(200, answer_with { echo = heard, headers = headers, error = heard, message = one, description = heard,
      email = one, access_token = "MARK-new-access", refresh_token = "MARK-new-refresh" }, { ["X-Echo"] = one })]],
  ["beside new secrets of its own"] = SUCCESS .. [[
    conn:respond(200, answer_with { access_token = "MARK-new,ac}cess\"", refresh_token = "MARK-new refresh",
      key = "MARK-key", note = "your key is MARK-key", jwt = "MARK-new,ac}cess\"",
      provisioning = { api_key = "MARK-api-key", developer_key = "MARK-dev-key", project_id = "]] .. ID .. [[",
        example = "curl -H 'X-API-Key: MARK-api-key' -H 'X-Developer-Key: MARK-dev-key'" } })]],
  ["with new secrets, broken"] = [[
    conn:respond(200, '{"access_token":"MARK-new,ac}cess\\"more","refresh_token":"MARK-new refresh","key":"MARK-k')]],
  ["by a reset"] = [[conn:reset() do return end]],
}

local function serve(answer)
  return raw.start { script = (ECHO:gsub("ANSWER", function() return answer end)) }
end

-- Runs a script with the log on; what it wrote, both ways, must not have the mark.
local function run(script, ...)
  local ended = child.run(script, { args = { ... }, env = { DEVKIT4AI_LOG = "debug" } })
  assert.equal(0, ended.code, ended.err:sub(-2000))
  assert.is_truthy(ended.err:find("devkit4ai: ", 1, true))
  for line in ended.err:gmatch("[^\n]*MARK[^\n]*") do assert.equal("", line) end
  assert.equal("all was looked at\n", ended.out)
  return ended
end

local RUN = [[require("spec.support.marker_run").run(...)]]

local function without_urls_that_show(server)
  for _, request in ipairs(server:requests()) do
    assert.is_nil(request.target:find("MARK", 1, true), request.target)
  end
end

describe("no secret shows", function()
  for how, answer in pairs(ANSWERS) do
    it("that a server gives back " .. how, function()
      local server = serve(answer)
      finally(function() server:stop() end)
      run(RUN, server.url, server.url)
      assert.is_true(#server:requests() > 10)
      without_urls_that_show(server)
    end)
  end
end)
