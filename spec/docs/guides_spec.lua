-- Guides with lists of numbers or names, compared with the code. claims_spec checks single sentences.
local child = require "spec.support.process.child"
local limits = require "devkit4ai.api.limits"
local operations = require "devkit4ai.api.operations"
local options = require "devkit4ai.sandbox.options"

local load_text = rawget(_G, "loadstring") or load -- Lua 5.1's load takes no text

-- The table rows of a page: first cell -> other cells.
local function rows_of(path)
  local rows = {}
  for first, rest in child.read(path):gmatch "\n| ([^|]-) | ([^\n]*) |%f[\n]" do
    local cells = {}
    for cell in (rest .. " "):gmatch "([^|]*)|?" do cells[#cells + 1] = cell:match "^%s*(.-)%s*$" end
    rows[first] = cells
  end
  return rows
end

-- The number after `name =` in a file.
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

describe("docs/limits.md", function()
  local rows = rows_of "docs/limits.md"
  local json = child.read "lua/devkit4ai/util/json.lua"

  local WANTED = {
    ["example images"] = ("1 to %d"):format(limits.MAX_IMAGES),
    ["one image"] = ("%d MiB"):format(limits.MAX_IMAGE_BYTES / MIB),
    instructions = with_commas(limits.MAX_INSTRUCTIONS) .. " characters of JSON",
    ["a whole number in the instructions"] = json:match "LARGEST = (%d+ ^ %d+)":gsub(" ", ""),
    ["text fields in `client:request { form = ... }`"] = with_commas(limits.MAX_FORM_FIELDS),
    ["a response"] = ("%d MiB"):format(limits.MAX_RESPONSE_BYTES / MIB),
    ["a result image"] = ("%d MiB"):format(limits.MAX_RESULT_IMAGE_BYTES / MIB),
    ["the headers of a response"] = ("%d KiB"):format(constant("src/core/transfer/transfer.h", "DK_MAX_HEADERS") / KIB),
    ["redirects to an image"] = tostring(operations.get("get_picture").max_redirects),
    ["the server's text in an error"] =
      with_commas(constant("lua/devkit4ai/util/display.lua", "MAX_BYTES")) .. " bytes",
    ["`err.fields`"] = with_commas(constant("lua/devkit4ai/request/failures.lua", "FIELDS")) .. " entries",
    connect = with_commas(limits.CONNECT_TIMEOUT),
    ["idle: no byte is sent or received"] = with_commas(limits.IDLE_TIMEOUT),
    ["idle, in `generate`, `generate_anonymous` and `client.payments:change`"] =
      with_commas(limits.BILLABLE_IDLE_TIMEOUT),
    ["a call, with its retries and pauses"] = with_commas(limits.TOTAL_TIMEOUT),
    ["`gen:wait`"] = with_commas(limits.MAX_GENERATION_TIME),
    ["the first pause of `gen:wait`"] = with_commas(limits.FIRST_POLL),
    ["the longest pause of `gen:wait`"] = with_commas(limits.MAX_POLL),
    ["the longest pause that the server can request"] = with_commas(limits.MAX_RETRY_WAIT),
    ["attempts of a call"] = with_commas(limits.MAX_ATTEMPTS),
    ["calls at the same time in `devkit4ai.map`"] = with_commas(constant("lua/devkit4ai/loop/group.lua", "WIDTH")),
    ["items on a page of generations"] = with_commas(operations.get("list_generations").paging.default),
    ["items on a page of users or payments"] = with_commas(operations.get("list_project_users").paging.default),
    ["the size of a file store"] = ("%d MiB"):format(constant("src/binding/file_lua.c", "MAX_FILE") / MIB),
  }

  it("has the numbers of the code, and each number is checked", function()
    local said = {}
    for name, cells in pairs(rows) do
      if cells[1]:find "%d" then said[name] = cells[1] end
    end
    assert.same(WANTED, said)
  end)
end)

describe("docs/limits.md: calls without a total timeout", function()
  it("are the billable ones", function()
    local names = {}
    for name, row in pairs(operations.all()) do
      if row.billable then names[#names + 1] = name end
    end
    table.sort(names)
    assert.same({ "create_anonymous_generation", "create_generation", "update_subscription" }, names)
  end)
end)

describe("docs/costs.md", function()
  it("has the plans of the sandbox", function()
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
  local most = limits.MAX_INSTRUCTIONS
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
    local levels = assert(child.read("lua/devkit4ai/request/events.lua"):match "\nlocal LOG_LEVEL = {(.-)}")
    for name, level in levels:gmatch "([%l_]+) = (%d)" do written[name] = level == "1" and "yes" or "no" end
    for first, cells in pairs(rows_of "docs/logging.md") do
      local name = first:match "^`([%l_]+)`$"
      if name and name ~= "type" then said[name] = cells[2] end
    end
    assert.same(written, said)
  end)
end)
