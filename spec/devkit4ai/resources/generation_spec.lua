-- Projects, keys and generations against the sandbox, from the key to the image on disk.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local sandbox = require "devkit4ai.sandbox"

local IMAGES = { "examples/images/neon.png", "examples/images/mountains.png" }

describe("a project", function()
  local box, client, pause
  setup(function()
    pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.02 end
    box = assert(sandbox.start { step_time = 0.05 })
    client = assert(devkit4ai.new(assert(box:developer { email = "dev@example.com", password = "SecurePass123" })))
  end)
  teardown(function()
    poll_schedule.pause = pause
    client:close()
    box:stop()
  end)

  local function project()
    return assert(client:new_project { name = "My First AI App" })
  end

  it("creates a key, which is shown once, and lists its keys", function()
    local it_is = project()
    local key = assert(it_is:new_key "Production API Key")
    assert.same({ "Production API Key", it_is.id, true, key.key:sub(1, 8) },
      { key.name, key.project_id, key.is_active, key.key_prefix })
    assert.is_nil(key.last_used_at)
    local unnamed = assert(it_is:new_key())
    assert.is_nil(unnamed.name)
    local list = assert(it_is:keys())
    assert.equal(2, #list)
    for _, one in ipairs(list) do assert.is_nil(one.key) end
    assert.is_nil(tostring(key):find(key.key, 1, true))
  end)

  it("generates with the first key that it received, also after a second one", function()
    local it_is = project()
    local _, message, err = it_is:generate { images = IMAGES, prompt = "neon" }
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("project:new_key", 1, true))
    local key = assert(it_is:new_key "first")
    assert(it_is:new_key "second")
    local gen = assert(it_is:generate { images = IMAGES, prompt = "neon" })
    assert.equal("pending", gen.status)
    local used = {}
    for _, one in ipairs(assert(it_is:keys())) do
      if one.last_used_at then used[#used + 1] = one.id end
    end
    assert.same({ key.id }, used)
  end)

  it("creates a generation, waits for it and saves its image", function()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local it_is = project()
    assert(it_is:new_key "k")
    local gen = assert(it_is:generate { images = IMAGES, instructions = { prompt = "neon", style = "noir" } })
    local seen = {}
    assert.equal(gen, assert(gen:wait { on_progress = function(one) seen[one.status] = true end }))
    assert.is_true(seen.completed)
    assert.is_string(gen.image_url)
    assert.is_false(gen.is_public)
    assert.equal(folder .. "/a.png", assert(gen:save(folder .. "/a.png")))
    local file = assert(io.open(folder .. "/a.png", "rb"))
    local saved = file:read("*a")
    file:close()
    local bytes, kind = gen:bytes()
    assert.equal("png", kind)
    assert.is_true(bytes == saved)
    assert(client:project(it_is.id):generation(gen.id):refresh()) -- a new handle uses the key that the client made
    local other = assert(devkit4ai.new(assert(box:developer { email = "o@example.com", password = "SecurePass123" })))
    assert.equal("config", select(3, other:project(it_is.id):generation(gen.id):refresh()).kind) -- which does not know it
    other:close()
  end)

  it("reports a failed generation with its reason", function()
    local it_is = project()
    assert(it_is:new_key "k")
    local gen = assert(it_is:generate { images = IMAGES, prompt = "neon [fail: no GPU left]" })
    local _, message, err = gen:wait()
    assert.same({ "failed", gen.id, "no GPU left" }, { err.kind, err.generation_id, err.detail })
    assert.is_truthy(message:find(gen.id .. " failed: no GPU left", 1, true))
    assert.equal("failed", gen.status)
  end)

  it("reports a generation that does not exist", function()
    local it_is = project()
    assert(it_is:new_key "k")
    local _, _, err = it_is:generation("990e8400-e29b-41d4-a716-446655440004"):refresh()
    assert.same({ "not_found", "refused", 404, "990e8400-e29b-41d4-a716-446655440004" },
      { err.kind, err.outcome, err.status, err.generation_id })
  end)

  it("of another account is refused", function()
    local other = assert(devkit4ai.new(assert(box:developer {
      email = "other@example.com", password = "SecurePass123" })))
    local _, _, err = other:project(project().id):keys()
    assert.same({ "forbidden", "refused", 403, "list_api_keys" }, { err.kind, err.outcome, err.status, err.operation })
  end)

  it("in the options is used by client:generate and client:generation", function()
    local gen = assert(client:generate { images = { IMAGES[1] }, prompt = "neon" })
    assert.equal("completed", assert(client:generation(gen.id):wait()).status)
  end)
end)
