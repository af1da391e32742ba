-- batch_run.lua OPTIONS: one run of a batch, in a process of its own that may be killed. OPTIONS: JSON of client (options of new), jobs,
-- image, out, clock (seconds by which this machine's clock is wrong). Prints the summary as JSON.
local cjson = require "cjson"
local options = cjson.decode(arg[1])

local real_time = os.time
os.time = function(...) return real_time(...) + (select("#", ...) == 0 and options.clock or 0) end -- luacheck: ignore 122

require("devkit4ai.api.limits").FIRST_POLL = 0.05
require("devkit4ai.batch.run.look").PAUSES = { 0, 0.05, 0.1, 0.2 }
local devkit4ai = require "devkit4ai"

local client = assert(devkit4ai.new(options.client))
local position = 0
local batch = assert(client:batch {
  jobs = function()
    position = position + 1
    if position <= options.jobs then return { number = position } end
  end,
  images = options.image, prompt = "a lighthouse", name = "{row.number}.png", out = options.out, concurrency = 16,
})
local summary, message = batch:run()
summary = summary or batch.summary
summary.message = message
print(cjson.encode(summary))
