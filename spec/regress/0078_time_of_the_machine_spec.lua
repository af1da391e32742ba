-- The sandbox's clock starts with the machine's time and its fraction of a second. Without the fraction, created_at and every
-- other time were up to a second behind.
if not pcall(require, "cqueues") then return end

local clocks = require "devkit4ai.sandbox.state.clock"
local cqueues = require "cqueues"
local records = require "devkit4ai.sandbox.state.records"

describe("the sandbox's clock", function()
  local monotime, socket = cqueues.monotime, package.loaded.socket
  before_each(function() cqueues.monotime = function() return 50 end end)
  after_each(function()
    cqueues.monotime, package.loaded.socket = monotime, socket
  end)

  it("starts with the machine's time to the fraction of a second", function()
    for _, now in ipairs { 1700000000, 1700000000.25, 1700000000.999 } do
      package.loaded.socket = { gettime = function() return now end }
      assert.equal(now, clocks.new(records.none()).now())
    end
  end)

  it("starts with the whole second if the machine has no fraction", function()
    local preload = package.preload.socket
    finally(function() package.preload.socket = preload end)
    package.loaded.socket = nil
    package.preload.socket = function() error "module 'socket' not found:" end
    local before = os.time()
    local now = clocks.new(records.none()).now()
    assert.is_true(before <= now and now <= os.time())
  end)
end)
