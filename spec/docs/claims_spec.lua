-- Claims of the pages: their numbers, lists, quoted messages and commands are compared with the code.
-- A new claim gets a row in CLAIMS.
if _VERSION ~= "Lua 5.4" then return end -- the pages do not depend on the Lua version

local child = require "spec.support.process.child"
local classify = require "devkit4ai.request.classify"
local config = require "devkit4ai.config"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local statuses = require "devkit4ai.util.errors.statuses"
local failure_table = require "spec.support.calls.failure_table"
local redact = require "devkit4ai.util.redact"
local limits = require "devkit4ai.api.limits"
local operations = require "devkit4ai.api.operations"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local retry = require "devkit4ai.request.retry"
local sandbox_options = require "devkit4ai.sandbox.options"

local texts = {}

-- The text of a file, with single blanks in place of line ends and repeated blanks.
local function text_of(path)
  texts[path] = texts[path] or child.read(path):gsub("%s+", " ")
  return texts[path]
end

-- ---- values of the code ----

-- A constant of a Lua file: `local NAME, OTHER = 1, 2 * 60 -- comment`.
local function constant(path, wanted)
  for line in child.read(path):gmatch("[^\n]+") do
    local names, values = line:match("^local ([%u%d_, ]+) = ([^-]*)")
    local index = 1
    for name in (names or ""):gmatch("[%u%d_]+") do
      if name == wanted then return (select(index, assert(load("return " .. values))())) end
      index = index + 1
    end
  end
  error(("%s has no constant %s"):format(path, wanted))
end

-- The texts of a list in a Lua file: `local NAME = { "a", "b" }`.
local function list_of(path, name)
  local body = assert(child.read(path):match("\nlocal " .. name .. " = (%b{})"), name)
  local list = {}
  for text in body:gmatch('"([^"]+)"') do list[#list + 1] = text end
  return list
end

local function c_constant(path, name)
  return tonumber((assert(child.read(path):match("enum { " .. name .. " = (%d+) }"), name)))
end

local NAMES = { [2] = "two", [3] = "three", [5] = "five" }
local function word(number) return NAMES[number] end

-- 10485760 -> 10,485,760
local function grouped(number)
  local digits = ("%d"):format(number)
  repeat
    local count
    digits, count = digits:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until count == 0
  return digits
end

local function library(name) return "lua/devkit4ai/" .. name .. ".lua" end

local function most_pause(attempts)
  local failure = { kind = "server", outcome = "unknown", attempts = attempts, transient = true }
  local clock = { left = math.huge, tries = 99, max_wait = 60, budget = limits.RETRY_BUDGET }
  return (retry.decide({ retry_class = "safe" }, failure, clock, function() return 1 end))
end

local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1" })
local timeouts, billable, tries = client._limits, client._creating_limits, client._retry

-- The calls without a total timeout, as a user types them.
local function billable_calls()
  local list = {}
  for _, row in pairs(operations.all()) do
    if row.billable then list[#list + 1] = row.call_name:gsub("^project:", ""):gsub("^client[:.]", "") end
  end
  table.sort(list)
  return list
end

local calls = billable_calls()

-- The failure of a 429 without a time.
local limited = { plan = { name = "get_me", row = operations.get("get_me") }, request = {}, secrets = core.secrets() }
local _, unnamed = classify.response(limited, 429, "{}", "HTTP/1.1 429 Too Many\r\n\r\n")

local ahead = constant(library "auth/session", "AHEAD") / 60 -- minutes
local budget = constant(library "loop/hosts/own", "BUDGET")
local exchanges = grouped(constant(library "sandbox/control/journal", "CAPACITY"))

local PACING = library "generation/pacing/request_pacing"

-- ---- claims: page, sentence, values in order ----

local function pages_of(size, name)
  local row = operations.get(name).paging
  assert(row.size_argument == size)
  return row.max, row.default
end

local CLAIMS = {
  { "docs/waiting.md", "after %s s, and each pause is %s times the last, up to %s s.",
    poll_schedule.pause(1), poll_schedule.pause(2) / poll_schedule.pause(1), poll_schedule.pause(100) },
  { "docs/reference/generation.md", "then after %s s; the pause grows by a factor of %s, up to %s s.",
    poll_schedule.pause(1), poll_schedule.pause(2) / poll_schedule.pause(1), poll_schedule.pause(100) },
  { "docs/waiting.md", "a 404 in the first %s s after", limits.NOT_FOUND_TIME },
  { "docs/retries.md", "up to %s status requests a second, %s of them at one moment", 1 / constant(PACING, "MIN_GAP"),
    constant(PACING, "TOGETHER") },
  { "docs/waiting.md", "It gives up after %s s;", limits.MAX_GENERATION_TIME },
  { "docs/reference/generation.md", "seconds, default %s -", limits.MAX_GENERATION_TIME },
  { "docs/waiting.md", "runs the tasks that are ready for %s ms", budget * 1000 },
  { "docs/hosts.md", "The default is [%s ms]", budget * 1000 },
  { "docs/reference/devkit4ai.md", "for the responses and tasks of one frame, default %s;", ("%.5f"):format(budget) },
  { "docs/reference/devkit4ai.md", "how many at a time, default %s ", constant(library "loop/group", "WIDTH") },
  { "docs/reference/task.md", "A task that begins %s waits after its cancel",
    constant(library "loop/waits", "MOST_REFUSED") },
  { "docs/tokens-and-keys.md", "It refreshes the access token %s minutes before it expires", word(ahead) },
  { "docs/reference/client.md", "by itself %s minutes before the access token expires", word(ahead) },
  { "docs/tokens-and-keys.md", "with a lifetime of less than %s minutes is refreshed at half its lifetime", ahead * 2 },
  { "docs/tokens-and-keys.md", "the next try comes after %s s.", constant(library "auth/refresh", "AGAIN") },
  { "docs/tokens-and-keys.md", "the caller | %s minutes |", constant(library "auth/jwt", "LIFE") / 60 },
  { "docs/tokens-and-keys.md", "tries again every %s s, for %s seconds at most",
    constant(library "auth/stored_session", "PAUSE"), word(constant(library "auth/stored_session", "PATIENCE")) },
  { "docs/errors.md", "A text of more than %s bytes ends with",
    grouped(constant(library "util/display", "MAX_BYTES")) },
  { "docs/errors.md", "`fields` has %s entries at most", constant(library "request/failures", "FIELDS") },
  { "docs/retries.md", "`retry.attempts`, %s; of the refresh %s |", tries.attempts,
    failure_table.expected("refresh_token", failure_table.FAILURES[1]).attempts },
  { "docs/retries.md", "random (full jitter), from 0 to %s s, then up to %s s, %s s, ... %s s,",
    most_pause(1), most_pause(2), most_pause(3), most_pause(50) },
  { "docs/retries.md", "than `retry.max_wait`, %s s |", tries.max_wait },
  { "docs/retries.md", "a 429 without one: %s s |", unnamed.retry_after },
  { "docs/errors.md", "asks you to wait; %s after a 429 that names no time", unnamed.retry_after },
  { "docs/reference/errors.md", "the server said; %s after a 429 that names no time", unnamed.retry_after },
  { "docs/retries.md", "each retry costs %s, after a timeout %s, out of %s that", retry.cost { kind = "network" },
    retry.cost { kind = "timeout" }, limits.RETRY_BUDGET },
  { "docs/uploads.md", "there are 1 to %s images |", limits.MAX_IMAGES },
  { "docs/uploads.md", "none has more than %s MiB (%s bytes)", limits.MAX_IMAGE_BYTES / 2 ^ 20,
    grouped(limits.MAX_IMAGE_BYTES) },
  { "docs/uploads.md", "the instructions have at most %s characters as JSON, the %s around a bare prompt",
    grouped(limits.MAX_INSTRUCTIONS), #'{"prompt":""}' },
  { "docs/command.md", "a file of more than %s bytes",
    grouped(constant(library "cli/settings/env_file", "MAX_BYTES")) },
  { "docs/command.md", "one line of at most %s bytes", grouped(constant(library "cli/input/user_input", "MAX_LINE")) },
  { "docs/uploads.md", "Such a form takes at most %s other values", limits.MAX_FORM_FIELDS },
  { "docs/reference/client.md", "a list of 1 to %s images, with at most %s other values", limits.MAX_IMAGES,
    limits.MAX_FORM_FIELDS },
  { "docs/uploads.md", "of the whole request every %s s while", constant(library "loop/exchange", "SLICE") },
  { "docs/uploads.md", "It ends when no byte moves for %s s", billable.idle },
  { "docs/uploads.md", "These are `%s`, `%s`, `%s`, and `client:request`", calls[1], calls[2], calls[3] },
  { "docs/reference/options.md", "default %s; of %s, %s and %s %s -", timeouts.idle, calls[1], calls[2], calls[3],
    billable.idle },
  { "docs/reference/options.md", "the whole call; default %s; those %s have no total timeout",
    timeouts.total, word(#calls) },
  { "docs/reference/options.md", "connecting and TLS; default %s ", timeouts.connect },
  { "docs/reference/options.md", "total tries of a call; default %s ", tries.attempts },
  { "docs/reference/options.md", "fails with err.retry_after; default %s ", tries.max_wait },
  { "docs/reference/options.md", "called with the bytes every %s s while", constant(library "loop/exchange", "SLICE") },
  { "docs/reference/generation.md", "1 to %s example images: paths", limits.MAX_IMAGES },
  { "docs/reference/generation.md", "at most %s MiB each -", limits.MAX_IMAGE_BYTES / 2 ^ 20 },
  { "docs/reference/client.md", "in the line of a message; the %s s before it count as well",
    constant(library "generation/find", "MARGIN") },
  { "docs/reference/stores.md", "the session tries again for %s seconds",
    word(constant(library "auth/stored_session", "PATIENCE")) },
  { "docs/security.md", "of your own headers from %s characters on", constant(library "request/headers", "HIDDEN") },
  { "docs/security.md", "a part of a value, %s bytes or more:", c_constant("src/core/secrets/secrets_mask.c", "PART") },
  { "docs/security.md", "at most %s redirects", word(operations.get("get_picture").max_redirects) },
  { "docs/pages.md", "Generations have `per_page` (1 to %s, %s by default), users", pages_of("per_page",
    "list_generations") },
  { "docs/pages.md", "users and payments `page_size` (1 to %s, %s by default)", pages_of("page_size",
    "list_all_users") },
  { "docs/pages.md", "payments `page_size` (1 to %s, %s by default)", pages_of("page_size", "list_my_payments") },
  { "docs/upgrading.md", "was written from version %s of its OpenAPI file",
    child.read("spec/fixtures/contract/openapi.json"):match('"version":"([^"]+)"') },
  { "docs/building.md", "libcurl %s or newer with its headers",
    child.read("CMakeLists.txt"):match("libcurl>=([%d.]+)") },
  { "docs/building.md", "make, cmake %s and", child.read("CMakeLists.txt"):match("VERSION ([%d.]+)") },
  { "docs/building.md", "an upload sends %s KiB at most",
    child.read("src/core/handle/handle.c"):match("FORM_BUFFER = (%d+) %* 1024") },
  { "docs/testing.md", "`requests` are the last %s requests", exchanges },
  { "docs/sandbox.md", "The last %s requests to both ports", exchanges },
  { "docs/sandbox.md", "a form of up to %s KiB", constant(library "sandbox/control/journal", "BODY_LIMIT") / 1024 },
  { "docs/sandbox.md", "if it has more than %s levels", constant(library "sandbox/util/json_text", "MAX_DEPTH") },
  { "docs/sandbox.md", "is valid once, for %s hours",
    constant(library "sandbox/state/outbox", "TOKEN_LIFETIME") / 3600 },
  { "docs/sandbox.md", "is a PNG of %s x %s, always", grouped(require("devkit4ai.sandbox.images.image_scene").SIZE),
    grouped(require("devkit4ai.sandbox.images.image_scene").SIZE) },
  { "docs/sandbox.md", "It takes %s rounds", grouped(constant(library "sandbox/state/accounts", "ROUNDS")) },
  { "docs/sandbox.md", "up to %s MiB each",
    constant(library "sandbox/api/generation_upload", "IMAGE_LIMIT") / 1024 / 1024 },
  { "docs/sandbox.md", "an object with a `prompt`, 1 to %s characters",
    grouped(constant(library "sandbox/api/generation_upload", "TEXT_LIMIT")) },
  { "README.md", " Version %s,", devkit4ai.version },
  { "docs/overview.md", "{ connect = %s, idle = %s, total = %s }` in seconds",
    timeouts.connect, timeouts.idle, timeouts.total },
  { "docs/overview.md", "(`%s`, `%s` and `%s`: %s idle, no total)", calls[1], calls[2], calls[3], billable.idle },
  { "docs/overview.md", "retry = { attempts = %s, max_wait = %s }", tries.attempts, tries.max_wait },
  { "CONTRIBUTING.md", "has finished for %s seconds", child.read("tools/test"):match("\nSTALL=(%d+)") },
}

client:close()

local function shown(value)
  return type(value) == "number" and ("%.14g"):format(value) or value
end

describe("the numbers of the pages", function()
  for _, claim in ipairs(CLAIMS) do
    local path, sentence = claim[1], claim[2]
    it(("equal those of the code: %s: %s"):format(path, sentence), function()
      local values = {}
      for i = 3, #claim do values[i - 2] = shown(claim[i]) end
      local _, places = sentence:gsub("%%s", "")
      assert.equal(places, #values)
      local pattern = sentence:gsub("%%s", "\0"):gsub("%p", "%%%0"):gsub("%z", "(%%S-)")
      local found = { text_of(path):match(pattern) }
      assert.is_true(#found > 0, "the page has no such sentence: change the row")
      assert.same(values, found)
    end)
  end
end)

describe("the lists of the pages", function()
  it("name the statuses that end each call, in the table of retries", function()
    local final = {}
    for status = 400, 499 do
      local _, outcome, _, transient = statuses.classify_status(status)
      if outcome == "refused" and not transient and status ~= 401 then final[#final + 1] = status end
    end
    assert.is_truthy(text_of("docs/retries.md"):find("| " .. table.concat(final, ", ") .. " |", 1, true))
  end)

  it("name each environment variable and default of an option", function()
    local page = child.read "docs/reference/options.md" .. "- "
    for _, row in ipairs(config.settings()) do
      local entry = assert(page:match("\n(%- `" .. row.name .. "`.-)\n%- "), row.name)
      for _, name in ipairs(row.env) do assert.is_truthy(entry:find(name, 1, true), name) end
      if type(row.default) == "string" then assert.is_truthy(entry:find(row.default, 1, true), row.name) end
    end
  end)

  it("name exactly the fields that a debug log hides", function()
    local sentence = assert(text_of("docs/security.md"):match("fields whose name has (.-)%. Upper case"))
    local named, hidden = {}, {}
    for name in sentence:gmatch("`([^`]+)`") do
      named[#named + 1] = name
      assert.is_true(redact.is_secret_name(name), name)
    end
    for _, list in ipairs { "PARTS", "ENDINGS" } do
      for _, name in ipairs(list_of(library "util/redact", list)) do hidden[#hidden + 1] = name end
    end
    table.sort(named)
    table.sort(hidden)
    assert.same(hidden, named)
  end)

  it("name the schemes of a proxy", function()
    local page = text_of "docs/security.md"
    local sentence = assert(page:match("The schemes are (.-)%. "))
    local body, count = assert(child.read(library "request/proxy/init"):match("\nlocal SCHEMES = (%b{})")), 0
    for name in body:gmatch("(%w+) = true") do
      count = count + 1
      assert.is_truthy(sentence:find("`" .. name .. "`", 1, true), name)
    end
    assert.equal(count, select(2, sentence:gsub("`%w+`", "")))
  end)

  it("name each kind of error, in the comment and in the table", function()
    local comment = assert(child.read(library "util/errors/init"):match("field kind string the cause: ([%l_, ]+)"))
    local kinds, told = {}, {}
    for kind in comment:gmatch("[%l_]+") do kinds[kind] = true end
    local rows = child.read("docs/errors.md"):match("\n## By kind\n.-\n| %-%-%-(.-)\n## ")
    for row in rows:gmatch("\n| `([%l_]+)` |") do told[row] = true end
    assert.same(kinds, told)
    for status = 300, 599 do assert.is_true(kinds[statuses.classify_status(status)]) end
    for name in child.read("src/core/base/status.h"):gmatch('X%(DK_[%u_]+, "([%l_]+)"') do
      if name ~= "ok" then assert.is_true(kinds[statuses.classify_core_status(name)], name) end
    end
  end)

  it("name each field of an error", function()
    local table_of = child.read("docs/errors.md"):match("\n## The fields of `err`\n(.-)\n## ")
    for name in child.read(library "util/errors/init"):gmatch("%-%-%-@field ([%l_]+) ") do
      assert.is_truthy(table_of:find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("name the functions of a loop", function()
    local page, has = text_of "CONTRIBUTING.md", {}
    local sentence = assert(page:match("in `loop/hosts/` with its six functions, (.-), and a row"))
    for name, value in pairs(require "devkit4ai.loop.hosts.own") do
      if type(value) == "function" and name ~= "update" then -- update: of frames alone
        has[#has + 1] = name
        assert.is_truthy(sentence:find("`" .. name .. "`", 1, true), name)
      end
    end
    assert.equal(#has, select(2, sentence:gsub("`[%w_]+`", "")))
  end)

  it("name the types of events", function()
    local body = assert(child.read(library "request/events"):match("\nlocal LOG_LEVEL = (%b{})"))
    local page = text_of "docs/reference/events.md"
    for name in body:gmatch("([%l_]+) = %d") do
      assert.is_truthy(page:find('"' .. name .. '"', 1, true), name)
    end
  end)

  it("name each option and limit of the sandbox, with its default and tiers", function()
    local page = child.read "docs/sandbox.md"
    for _, row in ipairs(sandbox_options.rows) do
      if row[1]:find("_limit$") then
        local free, starter, premium = page:match("\n| `" .. row[1] .. "` | [^|]+ | (%d*) ?| (%d*) ?| (%d*) ?|")
        local wanted = {}
        for i, tier in ipairs { "free", "starter", "premium" } do wanted[i] = tostring(row[tier] or "") end
        assert.same(wanted, { free, starter, premium }, row[1])
      else
        local default = page:match("\n| `%-%-[%l%-]+[^`]*` | `" .. row[1] .. "` | .- | ([^|\n]+) |\n")
        assert.equal(shown(row.default) or "none", default, row[1])
      end
    end
  end)

  it("name the libcurl versions that read freed memory", function()
    local stepper = child.read "src/core/engine/stepper.c"
    local low, high = stepper:match "version >= 0x(%x%x%x%x)00 && version < 0x(%x%x%x%x)00"
    local function number(hex) return ("%d.%d"):format(tonumber(hex:sub(1, 2), 16), tonumber(hex:sub(3), 16)) end
    assert.same({ "7.83", "8.1" }, { number(low), number(high) })
    assert.is_truthy(text_of("docs/security.md"):find("libcurl from 7.83 to 8.0", 1, true))
  end)
end)

-- Messages that a page quotes, with the source file.
local QUOTES = {
  { "docs/building.md", "libcurl is too old: version 7.80.0 or newer is needed", "src/core/transfer/curl_compat.h" },
  { "docs/building.md", "looks up names while the program waits", "src/core/transfer/curl_check.c" },
  { "docs/building.md", "does not start safely beside other threads", "src/core/transfer/curl_check.c" },
  { "docs/building.md", "does not take", "src/core/handle/handle.c" },
  { "docs/building.md", "no Lua headers found", "cmake/luas.cmake" },
  { "docs/building.md", "the sandbox did not start: the shell finds no command '", library "sandbox/init" },
  { "docs/building.md", " does not find", library "util/dependencies" },
  { "docs/tokens-and-keys.md", "the session is over: the server refused the refresh token", library "auth/refresh" },
  { "docs/waiting.md", ": an error ended the call", library "generation/failures" },
  { "docs/waiting.md", "the image ended early", "src/core/image/image_scanner.c" },
  { "docs/sandbox.md", "value is not a valid dict", library "sandbox/api/errors" },
  { "docs/sandbox.md", "Account not activated", library "sandbox/api/errors" },
}

describe("the messages that pages quote", function()
  for _, quote in ipairs(QUOTES) do
    it(("are in the code: %s: %s"):format(quote[1], quote[2]), function()
      assert.is_truthy(text_of(quote[1]):find(quote[2], 1, true), quote[1])
      assert.is_truthy(text_of(quote[3]):find(quote[2], 1, true), quote[3])
    end)
  end

  it("equal the error of a compiler with the headers of an old libcurl", function()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    os.execute(("mkdir -p '%s/curl'"):format(folder))
    local file = assert(io.open(folder .. "/curl/curl.h", "w"))
    file:write("#define LIBCURL_VERSION_NUM 0x074F01\n")
    file:close()
    local pipe = assert(io.popen(("cc -fsyntax-only -Isrc/core -I'%s' src/core/handle/handle.c 2>&1"):format(folder)))
    local said = pipe:read("*a")
    pipe:close()
    assert.is_truthy(said:find(QUOTES[1][2], 1, true), said)
  end)
end)

describe("the commands of the pages", function()
  it("that run tests name existing files", function()
    local pipe, count = assert(io.popen("ls README.md SECURITY.md CONTRIBUTING.md docs/*.md")), 0
    for path in pipe:lines() do
      for arguments in child.read(path):gmatch("tools/test ([^`\n]+)") do
        for parts in arguments:gmatch("%f[%S][%l%d.%-]+=(%S+)") do
          for name in parts:gmatch("[^,]+") do
            local place = name:find("%.lua$") and name or ("spec/core/*/%s.c"):format(name)
            local found = assert(io.popen("ls " .. place))
            assert.is_truthy(found:read(), ("%s: %s"):format(path, place))
            found:close()
            count = count + 1
          end
        end
      end
    end
    pipe:close()
    assert.is_true(count > 10)
  end)
end)

describe("the fields of objects", function()
  it("are all in the reference", function()
    local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0 })
    finally(function() sandbox:stop() end)
    local account = { email = "dev@example.com", password = "SecurePass123" }
    local one = assert(devkit4ai.new(assert(sandbox:developer(account))))
    finally(function()
      one:close()
      sandbox:stop()
    end)
    local project = assert(one:project():refresh())
    local gen = assert(one:generate { images = { "examples/images/neon.png" }, prompt = "neon" })
    assert(gen:wait())
    local user = assert(project:end_user())
    local guest = assert(user:register { email = "guest@example.com", password = "SecurePass123" })
    local task = devkit4ai.spawn(function() error "on purpose" end)
    pcall(task.join, task)
    local pages = one:generations()
    assert(pages:all())
    local _, _, err = one:login("dev@example.com", "WrongPass123")
    local objects = {
      { one, "client" }, { user, "client" }, { project, "project" }, { gen, "generation" }, { task, "task" },
      { pages, "pages" }, { assert(project:new_key "k"), "key" }, { one:developer_keys()[1], "key" },
      { guest, "records" }, { one:me(), "records" }, { one:stats(), "records" }, { one:users():next(), "records" },
      { one:health(), "records" }, { one:request { method = "GET", path = "/" }, "response" }, { err, "errors" },
    }
    for _, object in ipairs(objects) do
      local page = child.read(("docs/reference/%s.md"):format(object[2]))
      for name in pairs(object[1]) do
        local is_there = page:find("\n- `" .. name .. "` (", 1, true) or name:find("^_")
        assert.is_truthy(is_there, object[2] .. ": " .. name)
      end
    end
  end)
end)
