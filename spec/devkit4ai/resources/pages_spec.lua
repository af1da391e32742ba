-- Paginated lists from a correct server and from faulty servers. The server counts the requests.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local PATH = "/api/v1/generation/public-generations-v2"

describe("pages", function()
  local server, client

  -- answers: Lua that sets `answer` from page, per_page and n, the request's number; item(i) is one generation, of(a, b) several
  local function start(answers)
    server = raw.start { script = [[
      local n = 0
      local function item(i)
        return { id = ("00000000-0000-4000-8000-%012d"):format(i), status = "completed", instructions = "p" }
      end
      local function of(a, b)
        local list = {}
        for i = a, b do list[#list + 1] = item(i) end
        return setmetatable(list, require("cjson").array_mt)
      end
      return function(conn)
        local request = conn:read_request()
        while request do
          n = n + 1
          local page, per_page = request.target:match("page=(%d+)&per_page=(%d+)$")
          page, per_page = tonumber(page), tonumber(per_page)
          local status, answer = 200, nil
          ]] .. answers .. [[

          conn:respond(status, answer)
          request = conn:read_request()
        end
      end
    ]] }
    client = assert(devkit4ai.new { base_url = server.url, retry = { attempts = 1 } })
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local RIGHT = [[answer = { generations = of((page - 1) * per_page + 1, math.min(page * per_page, 5)), total = 5,
    page = page, per_page = per_page }]]

  local function numbers(list)
    local out = {}
    for i, gen in ipairs(list) do out[i] = tonumber(gen.id:sub(-12)) end
    return out
  end

  local function list(options)
    return client:public_generations(options or { per_page = 2 })
  end

  it("return one item after the other, and nil at the end", function()
    start(RIGHT)
    local pages, got = list(), {}
    assert.is_nil(pages.total)
    assert.equal(0, #server:requests())
    local gen = pages:next()
    while gen do
      got[#got + 1] = gen
      gen = pages:next()
    end
    assert.same({ 1, 2, 3, 4, 5 }, numbers(got))
    assert.equal(5, pages.total)
    assert.is_nil(pages:next())
    local targets = {}
    for i, request in ipairs(server:requests()) do targets[i] = request.target end
    assert.same({ PATH .. "?page=1&per_page=2", PATH .. "?page=2&per_page=2", PATH .. "?page=3&per_page=2" }, targets)
    assert.equal("completed", got[1].status)
    assert.equal("devkit4ai.Generation " .. got[1].id .. " (completed)", tostring(got[1]))
  end)

  it("can be read by a for loop", function()
    start(RIGHT)
    local got = {}
    for gen in list() do got[#got + 1] = gen end
    assert.same({ 1, 2, 3, 4, 5 }, numbers(got))
  end)

  it("return all items at once, also those read before, and next continues where it was", function()
    start(RIGHT)
    local pages = list()
    assert.same({ 1 }, numbers { pages:next() })
    assert.same({ 1, 2, 3, 4, 5 }, numbers(assert(pages:all())))
    assert.same({ 2 }, numbers { pages:next() })
  end)

  it("return one page alone, and next continues where it was", function()
    start(RIGHT)
    local pages = list()
    assert.same({ 1 }, numbers { pages:next() })
    assert.same({ 5 }, numbers(assert(pages:page(3))))
    assert.same({}, assert(pages:page(9)))
    for i = 2, 5 do assert.same({ i }, numbers { pages:next() }) end
  end)

  it("begin with the requested page", function()
    start(RIGHT)
    assert.same({ 3, 4, 5 }, numbers(assert(list { page = 2, per_page = 2 }:all())))
    assert.equal(2, #server:requests())
  end)

  it("request twenty items if no size is given", function()
    start(RIGHT)
    assert.equal(5, #assert(client:public_generations():all()))
    assert.equal(PATH .. "?page=1&per_page=20", server:requests()[1].target)
    assert.equal(1, #server:requests()) -- a short page is the last
  end)

  -- the server's behaviour; the items that must result; the number of requests
  for what, case in pairs {
    ["has no items"] = { [[answer = { generations = of(1, 0), total = 0 }]], {}, 1 },
    ["reports no total"] = {
      [[answer = { generations = page > 3 and of(1, 0) or of(page * 2 - 1, math.min(page * 2, 5)) }]],
      { 1, 2, 3, 4, 5 }, 4 },
    ["returns an empty page after full ones"] = {
      [[answer = { generations = page == 3 and of(1, 0) or of(page * 2 - 1, page * 2), total = 4 }]],
      { 1, 2, 3, 4 }, 3 },
    ["returns the same page again and again"] = {
      [[answer = { generations = of(1, 2), total = 1000, page = page }]], { 1, 2 }, 3 },
    ["returns page one for every page"] = {
      [[answer = { generations = of(1, 2), total = 4, page = 1, per_page = 2 }]], { 1, 2 }, 3 },
    ["reports 0 and returns items"] = {
      [[answer = { generations = of(page * 2 - 1, math.min(page * 2, 3)), total = 0 }]], { 1, 2, 3 }, 2 },
    ["reports the page's count as the total"] = {
      [[answer = { generations = of(page * 2 - 1, math.min(page * 2, 5)), total = 2 }]], { 1, 2, 3, 4, 5 }, 3 },
    ["reports far too many"] = {
      [[answer = { generations = page > 2 and of(1, 0) or of(page * 2 - 1, page == 1 and 2 or 3), total = 1e9 }]],
      { 1, 2, 3 }, 3 },
    ["reports an invalid total"] = {
      [[answer = { generations = of(1, 1), total = "many", per_page = -3 }]], { 1 }, 3 },
    ["returns more than requested"] = {
      [[answer = { generations = of(page * 4 - 3, math.min(page * 4, 6)), total = 6 }]], { 1, 2, 3, 4, 5, 6 }, 3 },
    ["returns fewer than requested, and reports that size"] = {
      [[answer = { generations = of(page, page < 4 and page or 3), total = 3, per_page = 1 }]], { 1, 2, 3 }, 4 },
    ["returns fewer than requested, with a total"] = {
      [[answer = { generations = of(page, math.min(page, 3)), total = 3 }]], { 1, 2, 3 }, 3 },
    ["returns fewer than requested, with has_more"] = {
      [[answer = { items = of(page, page), has_more = page < 3 }]], { 1, 2, 3 }, 3 },
    ["receives a new item meanwhile, which moves all others"] = {
      [[answer = { generations = page == 1 and of(2, 3) or page == 2 and of(3, 4) or of(5, 5), total = 5 }]],
      { 2, 3, 4, 5 }, 3 },
    ["receives as many new items as a page holds"] = {
      [[answer = { generations = page < 3 and of(1, 2) or of(3, 3), total = 3 }]], { 1, 2, 3 }, 3 },
    ["returns an item twice on a page"] = {
      [[answer = { generations = { item(1), item(1) }, total = 1 }]], { 1 }, 3 },
    ["returns a bare list"] = { [[answer = page == 1 and of(1, 1) or of(1, 0)]], { 1 }, 2 },
    ["returns fewer than requested, and nothing about the whole"] = {
      [[answer = of(page, page < 4 and page or 0)]], { 1, 2, 3 }, 4 },
    ["returns fewer than requested, and reports the requested size"] = {
      [[answer = { generations = of(page, page < 4 and page or 0), per_page = 2 }]], { 1, 2, 3 }, 4 },
    ["reports that no page follows"] = { [[answer = { items = of(1, 1), has_more = false }]], { 1 }, 1 },
    ["loses an item meanwhile, which moves the others up"] = {
      [[answer = { generations = n == 1 and of(1, 2) or n == 2 and of(4, 5) or n == 3 and of(2, 3) or of(1, 0),
        total = n == 1 and 5 or 4 }]], { 1, 2, 3, 4, 5 }, 4 },
    ["reports only the remaining items as the total"] = {
      [[answer = { generations = of(page * 2 - 1, math.min(page * 2, 5)), total = 6 - page }]], { 1, 2, 3, 4, 5 }, 5 },
    ["reports another page's number"] = {
      [[answer = { generations = of(page * 2 - 1, math.min(page * 2, 3)), total = 3, page = 77 }]], { 1, 2, 3 }, 2 },
  } do
    it("end, with every item once, if the server " .. what, function()
      start(case[1])
      local pages, got = list(), {}
      local gen, message = pages:next()
      while gen do
        got[#got + 1] = gen
        gen, message = pages:next()
      end
      assert.is_nil(message)
      assert.same(case[2], numbers(got))
      assert.equal(case[3], #server:requests())
      assert.is_nil(pages:next())
      assert.equal(case[3], #server:requests())
    end)
  end

  it("report a failure, and the next call tries that page again", function()
    start([[if n == 2 then status, answer = 500, { detail = "no" } else ]] .. RIGHT .. [[ end]])
    local pages = list()
    assert(pages:next())
    assert(pages:next())
    local gen, message, err = pages:next()
    assert.is_nil(gen)
    assert.same({ "server", 500, "list_public_generations", message },
      { err.kind, err.status, err.operation, err.message })
    assert.is_truthy(message:find("client:public_generations: ", 1, true))
    assert.same({ 3 }, numbers { pages:next() })
    assert.equal(PATH .. "?page=2&per_page=2", server:requests()[3].target)
  end)

  it("raise the message of a failure in a for loop", function()
    start [[status, answer = 500, { detail = "no" }]]
    local ran, why = pcall(function()
      for _ in list() do error("never") end
    end)
    assert.is_false(ran)
    assert.is_truthy(why:find("^client:public_generations: the server answered 500: no"))
  end)

  it("report a failure of all", function()
    start [[if page == 2 then status, answer = 403, { detail = "no" } else answer = { generations = of(1, 2) } end]]
    local all, message, err = list():all()
    assert.is_nil(all)
    assert.same({ "forbidden", message }, { err.kind, err.message })
  end)

  it("report a response without a list, or with an item without an id", function()
    start [[answer = page == 1 and { total = 3 } or { generations = { { status = "completed" } } }]]
    for page, missing in ipairs { "generations", "generations[1].id" } do
      local _, message, err = list():page(page)
      assert.equal("protocol", err.kind)
      assert.is_truthy(message:find("it has no " .. missing, 1, true))
    end
  end)

  it("refuse sizes and numbers that are out of range, with nothing sent", function()
    start(RIGHT)
    for _, options in ipairs {
      { per_page = 0 }, { per_page = 101 }, { per_page = 2.5 }, { per_page = 0 / 0 }, { per_page = math.huge },
      { page = 0 }, { page = -1 }, { page = 1.5 }, { page = 1e10 }, { page = 0 / 0 },
    } do
      local item, message, err = list(options):next()
      assert.is_nil(item)
      assert.same({ "invalid", "not_sent", message }, { err.kind, err.outcome, err.message })
      assert.is_truthy(message:find("must be a whole number from 1 to ", 1, true))
      assert.is_nil((list(options):all()))
    end
    assert.equal("invalid", select(3, list():page(0)).kind)
    assert.equal(0, #server:requests())
  end)

  it("raise for a mistake in the program", function()
    start(RIGHT)
    local function raises(fragment, fn, ...)
      local ran, why = pcall(fn, ...)
      assert.is_false(ran)
      assert.is_truthy(why:find(fragment, 1, true), why)
      assert.is_truthy(why:find("pages_spec.lua", 1, true), why)
    end
    raises("unknown option 'size'", function() return list { size = 3 } end)
    raises("number expected, got string", function() return list { page = "2" } end)
    raises("number expected, got nil", function() return list():page() end)
  end)

  it("have one time limit for all pages of all", function()
    start [[conn:sleep(0.15); answer = { generations = of(page, page), total = 1e9 }]]
    local all, message, err = list { per_page = 1, timeout = 0.4 }:all()
    assert.is_nil(all)
    assert.same({ "timeout", "list_public_generations" }, { err.kind, err.operation })
    assert.is_truthy(message:find("^client:public_generations: "))
    assert.is_true(#server:requests() <= 3)
  end)

  it("are read by four tasks at once, and each item is returned to one of them", function()
    start([[conn:sleep(0.02); ]] .. RIGHT)
    local pages, got = list(), {}
    local function read()
      local gen, message = pages:next()
      while gen do
        got[#got + 1] = gen
        gen, message = pages:next()
      end
      assert(not message, message)
    end
    local tasks = {}
    for i = 1, 4 do tasks[i] = devkit4ai.spawn(read) end
    for _, task in ipairs(tasks) do task:join() end
    local numbers_got = numbers(got)
    table.sort(numbers_got)
    assert.same({ 1, 2, 3, 4, 5 }, numbers_got)
  end)

  it("continue correctly if another task has read a late page meanwhile", function()
    start([[if page == 1 and not slow then slow = true; conn:sleep(0.3) end; ]] .. RIGHT)
    local pages, got = list(), {}
    local function read(most)
      while #got < most do
        local gen = pages:next()
        if not gen then return end
        got[#got + 1] = gen
      end
    end
    local late = devkit4ai.spawn(read, 99)
    assert(list():page(9)) -- by then the late one has asked
    local quick = devkit4ai.spawn(read, 3)
    quick:join()
    late:join()
    assert.same({ 1, 2, 3, 4, 5 }, numbers(got))
  end)

  it("work in a for loop in a task; plain Lua 5.1 says what to use instead", function()
    start(RIGHT)
    local got = {}
    local ran, why = pcall(function()
      devkit4ai.spawn(function()
        for gen in list() do got[#got + 1] = gen end
      end):join()
    end)
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      assert.is_false(ran)
      assert.is_truthy(why:find("pages:next()", 1, true) and why:find("pages:all()", 1, true))
      assert.equal(0, #server:requests())
      assert.equal(5, #devkit4ai.spawn(function() return list():all() end):join())
    else
      assert.is_true(ran, why)
      assert.same({ 1, 2, 3, 4, 5 }, numbers(got))
    end
  end)
end)
