-- The main workflow against every documented form of the API: each base of the sandbox's dialect, and each
-- value of each axis.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local dialect = require "devkit4ai.sandbox.dialect"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local sandbox = require "devkit4ai.sandbox"

local PASSWORD = "SecurePass123"
local IMAGE = "examples/images/neon.png"
local PNG = "\137PNG\r\n\26\n"

describe("the main workflow runs in the dialect", function()
  local folder, box, client, pause

  setup(function()
    folder, pause = child.folder(), poll_schedule.pause
    poll_schedule.pause = function() return 0.02 end
  end)
  teardown(function()
    poll_schedule.pause = pause
    child.remove(folder)
  end)
  after_each(function()
    if client then client:close() end
    if box then box:stop() end
    client, box = nil, nil
  end)

  local function start(given, request_limit)
    box = assert(sandbox.start { dialect = given, step_time = 0.02, request_limit = request_limit or 1000 })
    client = assert(devkit4ai.new { base_url = box.url, operator_key = box.operator_key })
  end

  -- Registers an account, and logs in if the response has no tokens.
  local function enter(who, email)
    local account = assert(who:register { email = email, password = PASSWORD })
    assert.equal(email, account.email)
    local me, _, err = who:me()
    if not me then
      assert.same({ "config", "not_sent" }, { err.kind, err.outcome }) -- there is no token yet
      assert(who:login(email, PASSWORD))
      me = assert(who:me())
    end
    assert.equal(account.id, me.id)
    return account, me
  end

  local function save(gen)
    local path = assert(gen:save(folder .. "/picture.png", { overwrite = true }))
    local file = assert(io.open(path, "rb"))
    assert.equal(PNG, file:read(#PNG))
    file:close()
  end

  -- Saves only if asked: the sandbox takes half a second to draw an image.
  local function make_picture(scope, prompt, saved)
    local gen = assert(scope:generate { images = { IMAGE }, prompt = prompt })
    assert.equal("pending", gen.status)
    assert(gen:wait { timeout = 30 })
    assert.truthy(gen.image_url)
    if saved then save(gen) end
    return gen
  end

  -- The server has each prompt once: the retry with another field name created no second generation.
  local function holds_once(scope, gen, prompt)
    local list = assert(scope:generations { per_page = 1 }:all())
    assert.same({ 1, gen.id }, { #list, list[1].id })
    assert.truthy(list[1].instructions:find(prompt, 1, true))
    assert.truthy(list[1].image_url)
  end

  local function renew_twice(who)
    for _ = 1, 2 do assert(who:refresh_token()) end
    assert(who:me())
  end

  local function do_the_job(values, saved)
    local account, me = enter(client, "dev@example.com")
    assert.equal("developer", me.role)
    for _, name in ipairs { "developer_key", "project_key", "project_id" } do assert.is_string(account[name]) end
    renew_twice(client)

    local project = assert(client:new_project { name = "My First AI App", description = "neon" })
    assert.same({ "My First AI App", "neon" }, { project.name, project.description })
    assert.equal(2, #assert(client:projects()))
    local key = assert(project:new_key "Production API Key")
    local keys = assert(project:keys())
    assert.same({ 1, key.id, "Production API Key" }, { #keys, keys[1].id, keys[1].name })

    if values.role_strictness == "strict" then
      local gen, _, err = project:generate { images = { IMAGE }, prompt = "a city" }
      assert.same({ nil, "forbidden", "refused" }, { gen, err.kind, err.outcome })
    else
      holds_once(project, make_picture(project, "a city"), "a city")
    end

    local user = assert(project:end_user())
    local _, own = enter(user, "user@example.com")
    assert.equal("end_user", own.role)
    renew_twice(user)
    holds_once(user, make_picture(user, "a harbour", saved), "a harbour")
    assert.same({}, client:public_generations():all())
  end

  for _, base in ipairs(dialect.bases) do
    it(base, function()
      start(base)
      do_the_job(dialect.resolve(base), true)
    end)
  end

  for _, axis in ipairs(dialect.axes) do
    for _, value in ipairs(axis.values) do
      local has_base = value == axis.seed or value == axis.openapi or value == axis.pages
      if not has_base then
        it(axis[1] .. "=" .. value, function()
          local given = { [axis[1]] = value }
          start(given)
          do_the_job(dialect.resolve(given))
        end)
      end
    end
  end

  describe("with a request limit, reported as", function()
    for _, axis in ipairs(dialect.axes) do
      for _, value in ipairs(axis[1] == "rate_headers" and axis.values or {}) do
        it(value, function()
          start({ rate_headers = value }, 1)
          assert(client:register { email = "dev@example.com", password = PASSWORD })
          local _, message, err = client:login("dev@example.com", PASSWORD)
          assert.same({ "rate_limited", "refused", 429 }, { err.kind, err.outcome, err.status })
          assert.is_true(err.retry_after > 3500 and err.retry_after <= 3601, message)
        end)
      end
    end
  end)
end)
