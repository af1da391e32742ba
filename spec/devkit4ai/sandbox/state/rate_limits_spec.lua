-- Tiers, quotas and limits (wire.md 4.5).
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local options = require "devkit4ai.sandbox.options"

local ME, PROJECTS, REGISTER = "/api/v1/auth/me", "/api/v1/projects/", "/api/v1/auth/register"
local HOUR, DAY = 3600, 24 * 3600
local RATE = "^Rate limit exceeded%. Try again in %d+ seconds%.$"

describe("a sandbox's limit", function()
  local box, developer, dev

  local function start(settings)
    box = helper.start(settings)
    box:clock { frozen = true }
    developer = helper.developer(box)
    dev = helper.developer_headers(developer)
  end
  after_each(helper.stop_all)

  local function post(path, body, headers)
    return helper.request("POST", box.url .. path,
      helper.with(headers or dev, { ["Content-Type"] = "application/json" }), "-d", body)
  end

  local function join(project_id)
    return post(REGISTER, ('{"email": "%s", "password": "%s"}'):format(helper.email(), helper.PASSWORD),
      { ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = project_id or developer.project_id })
  end

  local function get(path, headers)
    return helper.request("GET", box.url .. path, headers or dev)
  end

  local function generate(who)
    return helper.generate(who or developer, "-F", "example_images=@" .. helper.PNG,
      "-F", 'instructions={"prompt": "x"}')
  end

  local function anonymous()
    return helper.request("POST", box.url .. "/api/v1/generation/generate-anonymous-v2", {},
      "-F", "example_images=@" .. helper.PNG, "-F", 'instructions={"prompt": "x"}')
  end

  -- Checks a limit of 2: the third request is refused until the window ends.
  local function check_limit(seconds, ask, detail, wait)
    for _ = 1, 2 do assert.is_true(ask().status ~= 429) end
    box:advance(seconds - 1)
    local answer = ask()
    assert.equal(429, answer.status)
    assert.truthy(answer.detail:find(detail))
    assert.same({ wait or 1, tostring(wait or 1) }, { answer.json.retry_after, answer.headers["retry-after"] })
    box:advance(1)
    assert.is_true(ask().status ~= 429)
  end

  it("of requests a day counts all requests", function()
    start { daily_request_limit = 2, access_life = 10 * DAY }
    local paths = { "/health", ME, PROJECTS, "/health" }
    check_limit(DAY, function() return get(table.remove(paths)) end, RATE)
  end)

  it("of authentication counts the requests under /api/v1/auth/ only", function()
    start { auth_limit = 2, access_life = DAY }
    check_limit(HOUR, function()
      assert.equal(200, get(PROJECTS).status)
      assert.equal(200, get("/health", {}).status)
      return get "/api/v1/auth/developer-keys"
    end, RATE)
  end)

  it("of project management counts the requests under /api/v1/projects/ only", function()
    start { management_limit = 2, access_life = 10 * DAY }
    check_limit(DAY, function()
      assert.equal(200, get(ME).status)
      return get(PROJECTS .. developer.project_id .. "/api-keys")
    end, RATE)
  end)

  it("that refuses a request is the one in the headers", function()
    start { auth_limit = 1, daily_request_limit = 10, dialect = { rate_headers = "limits" } }
    local function shown(answer)
      return { answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"],
        tonumber(answer.headers["x-ratelimit-reset"]) - math.floor(box:clock().now) }
    end
    assert.same({ "10", "9", DAY }, shown(get(ME)))
    assert.same({ "1", "0", HOUR }, shown(get(ME)))
    assert.same({ "10", "7", DAY }, shown(get "/health"))
  end)

  it("of generations a month counts those of all projects and users of a developer, but not refused ones", function()
    start { monthly_generation_limit = 2, step_time = 0, access_life = 100 * DAY }
    local second = post(PROJECTS, '{"name": "Second"}').json.id
    local key = post(PROJECTS .. second .. "/api-keys", "{}").json.key
    local user = helper.with(developer, { project_id = second, project_key = key,
      access_token = join(second).json.access_token })
    local turns = { developer, developer, user, developer }
    assert.equal(422, helper.generate(developer, "-F", "x=y").status)
    local function ask() return generate(table.remove(turns)) end
    check_limit(30 * DAY, ask, "^AI generation rate limit exceeded", 3600)
    assert.equal(200, generate(helper.developer(box)).status)
    assert.equal(200, anonymous().status)
  end)

  it("of anonymous generations a day counts those of all clients", function()
    start { anonymous_limit = 2, step_time = 0 }
    check_limit(DAY, anonymous, "^AI generation rate limit exceeded", 3600)
  end)

  it("of unfinished generations allows the next one when one has ended", function()
    start { generation_limit = 1, step_time = 100 }
    assert.equal(200, generate().status)
    assert.equal(429, generate().status)
    assert.equal(200, generate(helper.with(developer, { access_token = join().json.access_token })).status)
    box:advance(200)
    assert.equal(200, generate().status)
  end)

  it("of keys counts the active keys of a project", function()
    start { key_limit = 2 }
    local path = PROJECTS .. developer.project_id .. "/api-keys"
    local created = post(path, "{}")
    assert.equal(201, created.status)
    local answer = post(path, "{}")
    assert.equal(403, answer.status)
    assert.equal("Maximum number of API keys reached for your subscription tier. Upgrade to create more API keys.",
      answer.detail)
    assert.equal(204, helper.request("DELETE", box.url .. path .. "/" .. created.json.id, dev).status)
    assert.equal(201, post(path, "{}").status)
    assert.equal(201, post("/api/v1/auth/developer-keys", "{}").status)
  end)

  it("of end users counts those of a project", function()
    start { user_limit = 1 }
    assert.equal(201, join().status)
    local answer = join()
    assert.equal(403, answer.status)
    assert.equal("Maximum number of end users reached for your subscription tier. Upgrade to add more end users.",
      answer.detail)
    assert.equal(201, join(post(PROJECTS, '{"name": "Second"}').json.id).status)
  end)

  it("of projects does not count deleted ones", function()
    start { project_limit = 1 }
    assert.equal(403, post(PROJECTS, '{"name": "Second"}').status)
    assert.equal(204, helper.request("DELETE", box.url .. PROJECTS .. developer.project_id, dev).status)
    assert.equal(201, post(PROJECTS, '{"name": "Second"}').status)
  end)
end)

describe("a rate window", function()
  local rate_window = require "devkit4ai.sandbox.state.rate_window"
  local records = require("devkit4ai.sandbox.state.records").none()

  it("begins with its first event, and ends on a whole second", function()
    local now = 100.5
    local window = rate_window.new(1, 10, function() return now end, records, "a_limit")
    assert.same({ 1, 110 }, { window:remaining(), window:reset_time() })
    now = 103.5
    assert.is_nil(window:hit())
    assert.same({ 0, 113 }, { window:remaining(), window:reset_time() })
    now = 112.5
    assert.equal(1, window:hit())
    assert.is_nil(window:hit "another")
    now = 113
    assert.same({ 1, 123 }, { window:remaining(), window:reset_time() })
    assert.is_nil(window:hit())
  end)

  it("does not exist without a limit", function()
    assert.is_nil(rate_window.new(nil, 10, os.time, records, "a_limit"))
  end)
end)

describe("a sandbox's tier", function()
  teardown(helper.stop_all)

  -- wire.md 4.5; nil: no limit.
  local TIERS = {
    none = {},
    free = { project_limit = 5, key_limit = 3, user_limit = 100, generation_limit = 1, monthly_generation_limit = 100,
      anonymous_limit = 10, daily_request_limit = 1000, auth_limit = 100, management_limit = 1000 },
    starter = { project_limit = 20, key_limit = 10, user_limit = 10000, generation_limit = 3,
      monthly_generation_limit = 1000, daily_request_limit = 10000, auth_limit = 500, management_limit = 10000 },
    premium = { generation_limit = 10, daily_request_limit = 100000, auth_limit = 2000 },
  }

  it("has the numbers of the documents, and options override them", function()
    for tier, numbers in pairs(TIERS) do
      local settings = options.with_defaults { tier = tier }
      for _, row in ipairs(options.rows) do
        if row[1]:find "_limit$" then assert.equal(numbers[row[1]], settings[row[1]], tier .. " " .. row[1]) end
      end
    end
    assert.same({ 2, 3, nil, 2 }, { options.with_defaults { tier = "free", project_limit = 2 }.project_limit,
      options.with_defaults { tier = "free", project_limit = 2 }.key_limit, options.with_defaults({}).key_limit,
      options.with_defaults({}).step_time })
  end)

  it("is in docs/sandbox.md, row by row", function()
    local docs, written, rows = child.read "docs/sandbox.md", {}, {}
    for line in docs:match("\n## Limits\n(.-)\n## "):gmatch "\n(| `[^\n]*)" do written[#written + 1] = line end
    for _, row in ipairs(options.rows) do
      if row[1]:find "_limit$" then
        local line = ("| `%s` | %s | %s | %s | %s |"):format(row[1], row.help, row.free or "", row.starter or "",
          row.premium or "")
        rows[#rows + 1] = line:gsub("|  ", "| ")
      end
    end
    assert.same(rows, written)
  end)

  it("limits the sandbox that has it", function()
    local box = helper.start { tier = "free", key_limit = 1 }
    local headers = helper.developer_headers(helper.developer(box))
    local function create()
      return helper.request("POST", box.url .. PROJECTS, headers, "-H", helper.JSON, "-d", '{"name": "abc"}')
    end
    local id
    for _ = 1, 4 do
      local created = create()
      assert.equal(201, created.status)
      id = created.json.id
    end
    assert.equal(403, create().status)
    local path = box.url .. PROJECTS .. id .. "/api-keys"
    assert.equal(201, helper.request("POST", path, headers, "-H", helper.JSON, "-d", "{}").status)
    assert.equal(403, helper.request("POST", path, headers, "-H", helper.JSON, "-d", "{}").status)
  end)
end)
