-- Response forms on which the documents disagree (wire.md 6.2, "fixture rows"), one file per row:
-- the client converts each one to the same normal form.
local cjson = require("cjson").new()
local classify = require "devkit4ai.request.classify"
local core = require "devkit4ai.core"
local operations = require "devkit4ai.api.operations"
local retry = require "devkit4ai.request.retry"
local iso8601 = require "devkit4ai.util.iso8601"

local FOLDER = "spec/fixtures/dialects/"

local ROWS = { "D01", "D02", "D03", "D15", "D16", "D17", "D18", "D21", "D22", "D29", "D31", "D37", "D39", "D41", "D44",
  "D45", "D51", "D54", "D56", "D58", "D59", "D64" }

local HEAD = "HTTP/1.1 %d Any\r\nContent-Type: application/json\r\n\r\n"

-- The forms of a file, each with the text of its response.
local function read(row)
  local file = assert(io.open(FOLDER .. row .. ".json", "rb"))
  local source = file:read("*a")
  file:close()
  local fixture, i = cjson.decode(source), 0
  for place in source:gmatch '"answer": ()' do
    i = i + 1
    fixture.forms[i].text = source:match("^%b{}", place) or source:match("^%b[]", place)
      or assert(source:match('^""', place)):sub(2, -2)
  end
  assert.equal(#fixture.forms, i)
  return fixture
end

-- A result without its decoded response.
local function plain(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, item in pairs(value) do
    if name ~= "raw" and name ~= "headers" and name ~= "body" then copy[name] = plain(item) end
  end
  return copy
end

describe("the client accepts every documented form of", function()
  for _, row in ipairs(ROWS) do
    local fixture = read(row)
    assert.equal(row, fixture.row)
    for _, form in ipairs(fixture.forms) do
      it(("%s (%s): %s"):format(fixture.topic, row, form.form), function()
        local secrets = core.secrets()
        local operation = operations.get(form.operation)
        local head = HEAD:format(form.status)
        local answer, failure = classify.answered(operation, {}, secrets, form.status, form.text, head)
        if form.normal then
          assert.is_nil(failure)
          assert.same(form.normal, plain(answer))
          for name, unix in pairs(form.unix or {}) do assert.equal(unix, iso8601.parse(answer[name])) end
        else
          assert.is_nil(answer)
          for name, value in pairs(form.failure) do
            if name ~= "repeated" then assert.same(value, failure[name]) end
          end
          assert.equal(form.failure.fields == nil, failure.fields == nil)
          if form.failure.repeated == false then
            local clock = { left = 1000, tries = 3, budget = 500, max_wait = 60 }
            failure.attempts = 1
            assert.is_nil((retry.decide(operation, failure, clock, math.random)))
          end
        end
        secrets:wipe()
      end)
    end
  end

  it("each row with a file, and each file has a row here", function()
    local pipe = assert(io.popen("ls " .. FOLDER))
    local listed = pipe:read("*a")
    pipe:close()
    local names = {}
    for name in listed:gmatch "(%w+)%.json" do names[#names + 1] = name end
    assert.same(ROWS, names)
  end)
end)
