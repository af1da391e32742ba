-- Promises without a test until now: the limits of a create call, a create call with others in flight, the key of another
-- project, the return of a retry budget, and the key that a new handle uses.
local concurrency_limit = require "devkit4ai.generation.concurrency_limit"
local core = require "devkit4ai.core"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID, OTHER = "990e8400-e29b-41d4-a716-446655440004", "880e8400-e29b-41d4-a716-446655440003"
local IMAGE = { data = wire.image.png, filename = "a.png" }
local ORDER = { images = { IMAGE }, prompt = "neon" }

local server, client

local function start(answer, more)
  server = raw.start { script = ([[
    local n = 0
    return function(conn)
      local request = conn:read_request()
      while request do
        n = n + 1
        %s
        request = conn:read_request()
      end
    end]]):format(answer) }
  client = assert(devkit4ai.new(wire.options(server.url, more)))
end

local function stop()
  client:close()
  server:stop()
end

local function last_key()
  return wire.header(server:last(), "X-API-Key")
end

describe("a create call", function()
  local compile, created

  before_each(function()
    compile, created = core.request, {}
    core.request = function(request)
      created[#created + 1] = { idle = request.idle or false, total = request.total or false }
      return compile(request)
    end
  end)
  after_each(function()
    core.request = compile
    stop()
  end)

  local ANSWER = ("conn:respond(200, { id = '%s', status = 'pending' })"):format(ID)

  for what, case in pairs {
    ["waits 120 s for an answer, and has no limit in all"] = { nil, nil, { idle = 120, total = false } },
    ["has the idle limit of the client"] = { { idle = 7, total = 9 }, nil, { idle = 7, total = false } },
    ["has the limit of its own arguments"] = { nil, 50, { idle = 120, total = 50 } },
  } do
    it(what, function()
      start(ANSWER, { timeout = case[1] })
      local order = { images = { IMAGE }, prompt = "neon", timeout = case[2] }
      for _, call in ipairs { client.generate, client.generate_anonymous } do
        assert(call(client, order))
        local request = created[#created]
        assert.equal(case[3].idle, request.idle)
        if case[2] then assert.is_true(request.total <= case[2] and request.total > case[2] - 10)
        else assert.equal(case[3].total, request.total) end
      end
    end)
  end

  it("has longer limits than a call that only reads", function()
    start(ANSWER)
    assert(client:generation(ID):refresh())
    assert.same({ idle = 30, total = 120 }, created[#created])
  end)
end)

describe("a create call with others in flight", function()
  after_each(stop)

  -- the longest pause that a create request may wait out after a 429
  local function max_wait_of()
    local asked
    concurrency_limit.run(client._client, nil, function(_, max_wait)
      asked = max_wait or "the client's"
      return {}
    end)
    return asked
  end

  it("does not wait out the time of a 429", function()
    start(("conn:respond(200, { id = '%s', status = 'pending' })"):format(ID))
    assert.equal("the client's", max_wait_of())
    local gen = assert(client:generate(ORDER))
    assert.equal(0, max_wait_of())
    assert(gen:delete())
    assert.equal("the client's", max_wait_of())
  end)
end)

describe("a client's retry budget", function()
  after_each(stop)

  it("gets back the cost of successful retries", function()
    start("conn:respond(n % 2 == 1 and 503 or 200, { id = 'x' })", { retry = { attempts = 2 } })
    for i = 1, 150 do assert(client:me(), i) end
    assert.equal(300, #server:requests())
  end)
end)

describe("a project's key", function()
  after_each(stop)

  local ACCOUNT = ([[conn:respond(200,
    { id = '%s', status = 'completed', project_id = '%s', api_key = 'pk_of_the_other' })]]):format(ID, OTHER)

  it("that comes with an account is not used for another project", function()
    start(ACCOUNT)
    local options = wire.options(server.url)
    options.project_key = nil
    local operator = assert(devkit4ai.new(options))
    assert(operator:register { email = "ann@example.com", password = "SecurePass123" })
    assert.equal("config", select(3, operator:generation(ID):refresh()).kind)
    assert.equal("config", select(3, operator:project():generation(ID):refresh()).kind)
    assert.equal(1, #server:requests())
    assert(operator:project(OTHER):generation(ID):refresh()) -- but for its own
    assert.equal("pk_of_the_other", last_key())
    operator:close()
  end)

  it("is used by a new handle: the last one that the client created or received", function()
    start [[local key = request.target:match("api%-keys$") and "pk_made_" .. n
      conn:respond(200, { id = "990e8400-e29b-41d4-a716-446655440004", key = key, status = "completed" })]]
    local a, b = client:project(OTHER), client:project(OTHER)
    local created = assert(a:new_key "k")
    local function uses(project)
      assert(project:generation(ID):refresh())
      return last_key()
    end
    assert.equal(created.key, uses(client:project(OTHER)))
    assert.equal(created.key, uses(client:project(OTHER:upper())))
    assert(b:use_key "pk_given")
    assert.equal("pk_given", uses(client:project(OTHER)))
    assert.equal(created.key, uses(a)) -- each handle keeps its own
    assert(b:new_key "not used") -- it has one
    assert.equal("pk_given", uses(client:project(OTHER)))
    assert.equal(wire.sample.project_key, uses(client:project())) -- and other projects theirs
    local user = assert(client:project(OTHER):end_user { access_token = "token-of-a-guest" })
    assert.equal("pk_given", uses(user))
    assert.equal("token-of-a-guest", wire.header(server:last(), "Authorization"):match("Bearer (.*)"))
  end)

  it("of an end user's client is not the developer's: no handle mixes their tokens", function()
    start("conn:respond(200, { id = '990e8400-e29b-41d4-a716-446655440004', status = 'completed' })")
    assert(client:project(OTHER):use_key "pk_given")
    local user = assert(client:project(OTHER):end_user { access_token = "token-of-a-guest" })
    assert(user:project():generation(ID):refresh())
    assert.equal("token-of-a-guest", wire.header(server:last(), "Authorization"):match("Bearer (.*)"))
    assert.equal("pk_given", last_key())
  end)

  it("is deleted with the client", function()
    start("conn:respond(200, { id = '990e8400-e29b-41d4-a716-446655440004', status = 'completed' })")
    local project = client:project(OTHER)
    assert(project:use_key "pk_one")
    local handle = client:project(OTHER)
    assert(project:use_key "pk_two")
    client:close()
    assert.is_false(handle._secrets:has("project_key"))
    assert.is_false(project._secrets:has("project_key"))
  end)
end)
