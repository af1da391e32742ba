-- The guides that are lists of numbers or names: each one is that of the code. claims_spec has those of single sentences.
local child = require "spec.support.child"
local operations = require "devkit4ai.api.operations"
local options = require "devkit4ai.sandbox.options"
local poll_schedule = require "devkit4ai.generation.poll_schedule"

local load_text = rawget(_G, "loadstring") or load -- Lua 5.1's load takes no text

-- The rows of a page's tables: first cell -> the other cells.
local function rows_of(path)
  local rows = {}
  for first, rest in child.read(path):gmatch "\n| ([^|]-) | ([^\n]*) |%f[\n]" do
    local cells = {}
    for cell in (rest .. " "):gmatch "([^|]*)|?" do cells[#cells + 1] = cell:match "^%s*(.-)%s*$" end
    rows[first] = cells
  end
  return rows
end

-- The value of a constant in a file: what stands behind `name =`, as a number.
local function constant(path, name)
  local text = child.read(path):match("%f[%w_]" .. name .. " = ([%d*/ ]+)")
  assert(text, path .. " has no " .. name)
  return assert(load_text("return " .. text))()
end

local function with_commas(number)
  local text = ("%d"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local MIB, KIB = 1024 * 1024, 1024
local FORM = operations.create_generation.body.form

describe("docs/limits.md", function()
  local rows = rows_of "docs/limits.md"
  local scope = child.read "lua/devkit4ai/request/context.lua"
  local waits = child.read "lua/devkit4ai/generation/poll_schedule.lua"
  local json = child.read "lua/devkit4ai/util/json.lua"
  local function seconds(path, name) return with_commas(constant(path, name)) end

  local WANTED = {
    ["example images"] = ("1 to %d"):format(FORM.most),
    ["one image"] = ("%d MiB"):format(FORM.max_bytes / MIB),
    instructions = with_commas(constant("lua/devkit4ai/generation/instructions.lua", "MOST")) .. " characters of JSON",
    ["a whole number in the instructions"] = json:match "LARGEST = (%d+ ^ %d+)":gsub(" ", ""),
    ["text fields in `client:request { form = ... }`"] =
      with_commas(constant("lua/devkit4ai/request/direct.lua", "MOST_FIELDS")),
    ["a response"] = ("%d MiB"):format(constant("lua/devkit4ai/request/build.lua", "MAX_ANSWER") / MIB),
    ["a result image"] = ("%d MiB"):format(constant("lua/devkit4ai/generation/download.lua", "MAX_BYTES") / MIB),
    ["the headers of a response"] = ("%d KiB"):format(constant("src/core/transfer.h", "DK_MAX_HEAD") / KIB),
    ["redirects to an image"] = tostring(operations.get_picture.redirects),
    ["the server's text in an error"] = with_commas(constant("lua/devkit4ai/util/display.lua", "MOST")) .. " bytes",
    ["`err.fields`"] = with_commas(constant("lua/devkit4ai/request/classify.lua", "FIELDS")) .. " entries",
    connect = seconds("lua/devkit4ai/request/context.lua", "connect"),
    ["idle: no byte is sent or received"] = scope:match "ORDINARY = {.-idle = (%d+)",
    ["idle, in `generate`, `generate_anonymous` and `client.payments:change`"] =
      scope:match "CREATING = {.-idle = (%d+)",
    ["a call, with its retries and pauses"] = seconds("lua/devkit4ai/request/context.lua", "total"),
    ["`gen:wait`"] = with_commas(poll_schedule.DEADLINE),
    ["the first pause of `gen:wait`"] = waits:match "FIRST, GROWTH, MOST = (%d+)",
    ["the longest pause of `gen:wait`"] = waits:match "FIRST, GROWTH, MOST = .-(%d+) %-%-",
    ["the longest pause that the server can request"] =
      child.read("lua/devkit4ai/config.lua"):match "given%.max_wait or (%d+)",
    ["attempts of a call"] = child.read("lua/devkit4ai/config.lua"):match "given%.attempts or (%d+)",
    ["calls at the same time in `devkit4ai.map`"] = with_commas(constant("lua/devkit4ai/loop/group.lua", "WIDTH")),
    ["items on a page of generations"] = with_commas(operations.list_generations.paging.default),
    ["items on a page of users or payments"] = with_commas(operations.list_project_users.paging.default),
    ["the size of a file store"] = ("%d MiB"):format(constant("src/binding/file_lua.c", "MAX_FILE") / MIB),
  }

  it("has the numbers of the code, and no number that is not checked", function()
    local said = {}
    for name, cells in pairs(rows) do
      if cells[1]:find "%d" then said[name] = cells[1] end
    end
    assert.same(WANTED, said)
  end)
end)

describe("docs/limits.md: calls without a total limit", function()
  it("are the ones that create something paid", function()
    local names = {}
    for name, row in pairs(operations.all()) do
      if row.creates then names[#names + 1] = name end
    end
    table.sort(names)
    assert.same({ "create_anonymous_generation", "create_generation", "update_subscription" }, names)
  end)
end)

describe("docs/costs.md", function()
  it("has the plans as the sandbox has them", function()
    local rows = rows_of "docs/costs.md"
    local names = {
      monthly_generation_limit = "generations a month", generation_limit = "generations at the same time",
      anonymous_limit = "anonymous generations a day", daily_request_limit = "requests a day",
      auth_limit = "requests to `/api/v1/auth/` an hour", project_limit = "projects",
      user_limit = "end users in a project", key_limit = "keys in a project",
    }
    for _, row in ipairs(options.rows) do
      local cells = rows[names[row[1]]]
      if cells then
        for i, tier in ipairs { "free", "starter", "premium" } do
          local wanted = row[tier] and with_commas(row[tier]) or ""
          assert.equal(wanted, cells[i] == "unlimited" and "" or cells[i], row[1] .. " of " .. tier)
        end
        names[row[1]] = nil
      end
    end
    assert.same({}, names)
  end)
end)

describe("docs/instructions.md", function()
  local most = constant("lua/devkit4ai/generation/instructions.lua", "MOST")
  local frame = #'{"prompt":""}'
  local text = child.read("docs/instructions.md"):gsub("%s+", " ")

  it("has the numbers of the code", function()
    for _, sentence in ipairs {
      ("At most %s characters, counted in the JSON text"):format(with_commas(most)),
      ("A short form uses %d characters for them, so a prompt has at most %d."):format(frame, most - frame),
      ("a whole number up to %s (2^53)"):format(with_commas(2 ^ 53)),
    } do
      assert.is_truthy(text:find(sentence, 1, true), sentence)
    end
  end)
end)

describe("docs/logging.md", function()
  it("has each type of event, and whether DEVKIT4AI_LOG=info writes it", function()
    local written, said = {}, {}
    local levels = assert(child.read("lua/devkit4ai/request/events.lua"):match "\nlocal WRITTEN = {(.-)}")
    for name, level in levels:gmatch "([%l_]+) = (%d)" do written[name] = level == "1" and "yes" or "no" end
    for first, cells in pairs(rows_of "docs/logging.md") do
      local name = first:match "^`([%l_]+)`$"
      if name and name ~= "type" then said[name] = cells[2] end
    end
    assert.same(written, said)
  end)
end)
