-- The status of a generation over time, on the spec's clock.
describe("a generation in the sandbox", function()
  if not pcall(require, "openssl.digest") then
    pending "needs luaossl"
    return
  end

  local generations = require "devkit4ai.sandbox.state.generations"
  local now, all

  before_each(function()
    now = 1000
    all = generations.new(function() return now end, 2.5, require("devkit4ai.sandbox.state.records").none())
  end)

  local function create(prompt, ...)
    local images = {}
    for i, digest in ipairs { ... } do images[i] = { digest = digest } end
    return all:create("u", "p", { prompt = prompt, instructions = "{}", images = images })
  end

  it("is pending for a step, processing for a step, and then completed", function()
    local generation = create("x")
    for _, row in ipairs {
      { 1000, "pending" }, { 1002.4, "pending" }, { 1002.5, "processing", 1002.5 }, { 1004.9, "processing", 1002.5 },
      { 1005, "completed", 1005 }, { 100000, "completed", 1005 },
    } do
      now = row[1]
      assert.same({ row[2], row[3] }, { all:status(generation) })
    end
  end)

  it("counts as unfinished until it is completed or has failed", function()
    create("x")
    create("[fail]")
    assert.equal(2, all:count_unfinished("u"))
    assert.equal(0, all:count_unfinished("someone else"))
    now = 1005
    assert.equal(0, all:count_unfinished("u"))
  end)

  it("fails at its end when the prompt says so", function()
    local generation = create("a city [fail: no paint left ]")
    now = 1003
    assert.equal("processing", (all:status(generation)))
    now = 1005
    assert.equal("failed", (all:status(generation)))
    assert.equal("no paint left", generation.failure)
  end)

  it("has an image seed that depends on the prompt and on the images in their order", function()
    local seed = create("x", "1", "2").seed
    assert.equal(seed, create("x", "1", "2").seed)
    for _, other in ipairs { create("y", "1", "2"), create("x", "2", "1"), create("x", "1"), create("x") } do
      assert.not_equal(seed, other.seed)
    end
  end)

  it("is found for its user in its project only", function()
    local generation = create("x")
    assert.equal(generation, all:find("u", "p", generation.id:upper()))
    assert.is_nil(all:find("v", "p", generation.id))
    assert.is_nil(all:find("u", "q", generation.id))
  end)
end)
