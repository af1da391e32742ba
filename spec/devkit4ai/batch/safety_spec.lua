-- client:batch where a mistake would pay twice or lose a paid image: another account, another option, a server that forgets, a program's
-- function that raises.
local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local look = require "devkit4ai.batch.run.look"
local marker = require "devkit4ai.batch.run.marker"

if not child.runs_sandbox then return end

describe("a batch", function()
  local sandbox, client, stop, developer, folder

  before_each(function()
    folder = child.folder()
    sandbox, client, stop, developer = batches.start {}
  end)

  after_each(function()
    stop()
    child.remove(folder)
  end)

  local function batch_of(count, options, sender)
    return (sender or client):batch(batches.options(count, folder, options))
  end

  local function run(count, options, sender)
    return assert(batch_of(count, options, sender)):run()
  end

  local function payments() return #assert(sandbox:generations()) end

  local function results()
    local names = {}
    for _, name in ipairs(child.list(folder)) do
      if not (name:find "^journal" or name == "index.html") then names[#names + 1] = name end
    end
    return names
  end

  local function is_complete(summary, count)
    assert.same({ count, 0, 0, 0 }, { summary.done, summary.failed, #summary.undecided, summary.left })
    assert.equal(count, payments())
    assert.equal(count, #results())
  end

  -- A client of the same server with other options; closed at the end of the spec's batch.
  local function other_client(options)
    local given = {}
    for name, value in pairs(developer) do given[name] = value end
    for name, value in pairs(options) do given[name] = value end
    return assert(devkit4ai.new(given))
  end

  -- A run that ends as soon as its job was accepted.
  local function run_until_accepted(options)
    sandbox:fault { operation = "get_generation_status", status = 503, times = 1e9 }
    local batch
    local given = { on_event = function(event) if event.type == "accepted" then batch:stop() end end }
    for name, value in pairs(options or {}) do given[name] = value end
    batch = assert(batch_of(1, given))
    assert.equal(1, assert(batch:run()).left)
    sandbox:clear_faults()
  end

  it("pays once for a job that was accepted, if the server answers 404 for a moment", function()
    run_until_accepted()
    sandbox:fault { operation = "get_generation_status", status = 404, times = 1 }
    local summary = assert(run(1))
    assert.same({ 0, 0, 1, 1 }, { summary.done, summary.failed, summary.left, summary.unsaved })
    is_complete(assert(run(1)), 1)
  end)

  it("looks for the generation of an accepted job by its id where another job has the same instructions", function()
    sandbox:fault { operation = "create_generation", cut = "before" } -- 1.png: undecided
    sandbox:fault { operation = "get_generation_status", status = 503, times = 1e9 }
    local batch
    batch = assert(batch_of(2, { marker = false, concurrency = 1, on_event = function(event)
      if event.type == "accepted" then batch:stop() end
    end }))
    assert(batch:run())
    sandbox:clear_faults()
    sandbox:fault { operation = "get_generation_status", status = 404, times = 1 }
    local summary = assert(run(2, { marker = false }))
    assert.same({ 0, 1, 1 }, { summary.done, #summary.undecided, summary.left })
    assert.equal("1.png", summary.undecided[1].name)
    assert.equal(1, assert(run(2, { marker = false })).done)
    assert.equal(1, payments())
  end)

  it("takes no generation of an earlier attempt for that of a lost answer", function()
    sandbox:fault { operation = "create_generation", fail = "too dark" }
    assert.equal(1, assert(run(1, { marker = false })).failed)
    local old = sandbox:generations()[1]
    local second = other_client {} -- as another process: it does not know the ids of the first one
    sandbox:fault { operation = "create_generation", cut = "after" }
    local late = '{"generations":[{"id":"%s","status":"failed","instructions":"{\\"prompt\\":\\"a lighthouse\\"}",'
      .. '"created_at":"%s"}],"total":1}'
    sandbox:fault { operation = "list_generations", status = 200, times = 1, -- the second generation is not there yet
      body = late:format(old.id, os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(old.time))) }
    local summary = assert(run(1, { marker = false, again = { "1.png" } }, second))
    second:close()
    assert.same({ 1, 0, 0 }, { summary.done, summary.failed, #summary.undecided })
    assert.equal(2, payments())
  end)

  it("refuses a name that no file can have, and stops at a time that no date can have", function()
    local named = { { image = batches.IMAGE, prompt = "a lighthouse", name = "n\0.png" } }
    local _, message, err = client:batch { jobs = named, out = folder }
    assert.equal("invalid", err.kind, message)
    local body = '{"detail":"x","retry_after":1e300}'
    sandbox:fault { operation = "create_generation", status = 429, times = 9, body = body }
    local summary = assert(run(1))
    assert.is_true(summary.continue_at > os.time())
    assert.has_error(function() client:batch(batches.options(1, "a\0b")) end)
  end)

  it("leaves an accepted job undecided that the server does not know any more, and finds it later", function()
    run_until_accepted()
    sandbox:fault { operation = "get_generation_status", status = 404, times = 1e9 }
    sandbox:fault { operation = "list_generations", status = 200, body = '{"generations":[],"total":0}', times = 1e9 }
    local summary = assert(run(1))
    assert.same({ 0, 0, 1 }, { summary.done, summary.failed, #summary.undecided })
    local reason = summary.undecided[1].reason
    assert.truthy(reason:find("which it had accepted (404), and the list does not have it", 1, true), reason)
    sandbox:clear_faults()
    is_complete(assert(run(1, { again = { "1.png" } })), 1)
  end)

  it("leaves a completed job undecided that was deleted at the server before it was saved", function()
    local summary = assert(run(1, { on_event = function(event)
      if event.type ~= "completed" then return end
      assert(client:generation(assert(sandbox:generations())[1].id):delete())
    end }))
    assert.same({ 0, 0, 1, 1 }, { summary.done, summary.left, #summary.undecided, payments() })
    assert.equal(1, assert(run(1, { again = { "1.png" } })).done)
    assert.equal(2, payments())
  end)

  it("decides nothing about an accepted job at an address that the server does not know", function()
    run_until_accepted()
    local wrong = other_client { base_url = developer.base_url .. "/wrong" }
    local summary = assert(run(1, {}, wrong))
    assert.same({ 0, 0, 1, 1 }, { summary.failed, #summary.undecided, summary.left, summary.unsaved })
    wrong:close()
    is_complete(assert(run(1)), 1)
  end)

  it("is not continued with another account or project while jobs are open", function()
    run_until_accepted()
    local stranger = assert(sandbox:developer { email = "b@example.com", password = "SecurePass123" })
    local second = assert(client:new_project { name = "second" })
    for change, sender in pairs {
      ["another account"] = assert(devkit4ai.new(stranger)),
      ["another project"] = other_client { project_id = second.id, project_key = assert(second:new_key()).key },
    } do
      local _, message, err = batch_of(1, {}, sender)
      assert.equal("conflict", err.kind)
      assert.truthy(message:find(change, 1, true), message)
      assert.truthy(message:find("1.png", 1, true), message)
      sender:close()
    end
    is_complete(assert(run(1)), 1)
    local sender = assert(devkit4ai.new(stranger))
    local summary = assert(run(2, {}, sender)) -- no job is open
    assert.same({ 2, 1, 2 }, { summary.done, summary.paid, payments() })
    sender:close()
  end)

  it("remembers the account through a run that had none, and compares it when it begins", function()
    run_until_accepted()
    local unknown = assert(devkit4ai.new { base_url = developer.base_url, project_id = developer.project_id,
      project_key = developer.project_key })
    assert.is_nil(run(1, {}, unknown))
    unknown:close()
    local stranger = assert(devkit4ai.new(assert(sandbox:developer { email = "b@example.com",
      password = "SecurePass123" })))
    local _, message = batch_of(1, {}, stranger)
    assert.truthy(message:find("with another account", 1, true), message)
    stranger:close()
    local batch = assert(batch_of(1))
    assert(client:login("b@example.com", "SecurePass123"))
    assert.equal("conflict", select(3, batch:run()).kind)
    assert(client:login("a@example.com", "SecurePass123"))
    is_complete(assert(run(1)), 1)
  end)

  it("does not need the project of the client while its open jobs name theirs", function()
    local second = assert(client:new_project { name = "second" })
    local key = assert(second:new_key()).key
    client:project(second.id):use_key(key)
    run_until_accepted { project = second.id }
    local sender = other_client { project_id = second.id, project_key = key }
    is_complete(assert(run(1, { project = second.id }, sender)), 1)
    sender:close()
  end)

  it("leaves a job without a marker undecided if a job with its instructions was sent during the search", function()
    sandbox:fault { operation = "create_generation", cut = "before" }
    sandbox:fault { operation = "create_generation", delay = 3, after = 1, times = 1 }
    sandbox:fault { operation = "list_generations", status = 503, headers = { ["Retry-After"] = "1" }, times = 1 }
    local rows = {
      { name = "1.png", prompt = "a" }, { name = "2.png", prompt = "b" }, { name = "3.png", prompt = "a" },
    }
    local find_job, searches = look.run, false
    look.run = function(...)
      searches = true
      return find_job(...)
    end
    local function wait(event) -- the first request that arrives is that of 1.png
      while event.type == "sending" and event.job ~= "1.png" and not searches do devkit4ai.sleep(0.01) end
    end
    local summary = run(3, {
      jobs = rows, name = "{row.name}", prompt = "{row.prompt}", marker = false, on_event = wait,
    })
    look.run = find_job
    assert.same({ 2, 1, 2, 2 }, { summary.done, #summary.undecided, summary.paid, payments() })
    assert.same({ "2.png", "3.png" }, results())
  end)

  it("leaves an accepted job undecided if the list has another generation with its instructions alone", function()
    run_until_accepted { marker = false }
    local body = [[{"generations":[{"id":"00000000-0000-4000-8000-000000000001","status":"completed",]]
      .. [["instructions":"{\"prompt\":\"a lighthouse\"}","created_at":"%s"}],"total":1}]]
    sandbox:fault { operation = "get_generation_status", status = 404, times = 1e9 }
    sandbox:fault { operation = "list_generations", status = 200, times = 1e9,
      body = body:format(os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(assert(sandbox:generations())[1].time))) }
    for _ = 1, 2 do
      local summary = assert(run(1, { marker = false }))
      assert.same({ 0, 1 }, { summary.left, #summary.undecided })
    end
    sandbox:clear_faults()
    is_complete(assert(run(1, { marker = false })), 1)
  end)

  it("is not continued without its marker while jobs are open", function()
    run_until_accepted()
    local _, message, err = batch_of(1, { marker = false })
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("the other setting of the marker", 1, true), message)
    is_complete(assert(run(1)), 1)
    is_complete(assert(run(1, { marker = false })), 1)
  end)

  it("stops at an address that the server does not know, and its jobs can be sent at the right one", function()
    local wrong = other_client { base_url = developer.base_url .. "/wrong" }
    local summary, _, err = run(3, {}, wrong)
    assert.is_nil(summary)
    assert.equal("not_found", err.kind)
    wrong:close()
    is_complete(assert(run(3)), 3)
  end)

  it("has no two attempts of jobs with one marker", function()
    local markers = {}
    for _, name in ipairs { "a", "a#2", "2", "2#2" } do
      for attempt = 1, 3 do
        local job = { name = name, instructions = "a lighthouse" }
        local text = marker.add(job, "batch", attempt > 1 and attempt or nil):match '"job":"(.*)"}$'
        assert.is_nil(markers[text], text)
        markers[text] = true
      end
    end
  end)

  it("has not sent a job whose event `sending` raised", function()
    local batch = assert(batch_of(1, { on_event = function(event)
      if event.type == "sending" then error "boom" end
    end }))
    local ok, message = pcall(batch.run, batch)
    assert.is_false(ok)
    assert.truthy(tostring(message):find("boom", 1, true))
    assert.equal(0, payments())
    is_complete(assert(run(1)), 1)
  end)

  it("stops, and keeps its journal until its end, if it is closed during a run", function()
    local batch
    batch = assert(batch_of(2, { concurrency = 1, on_event = function(event)
      if event.type == "accepted" then batch:close() end
    end }))
    local summary = assert(batch:run())
    assert.same({ 1, 0 }, { payments(), #summary.undecided })
    is_complete(assert(run(2)), 2)
  end)

  it("pays for no job whose name a symbolic link has that leads to nothing", function()
    assert(os.execute(("ln -s /nonexistent/file '%s/1.png'"):format(folder)))
    local batch, message, err = batch_of(1)
    assert.is_nil(batch)
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("these files exist already", 1, true), message)
  end)

  it("pays for no job whose name a file got during the run", function()
    local summary = assert(run(2, { concurrency = 1, on_event = function(event)
      if event.type ~= "accepted" then return end
      local file = assert(io.open(folder .. "/2.png", "w"))
      file:write "mine"
      file:close()
    end }))
    assert.same({ 1, 1, 1 }, { summary.done, summary.failed, payments() })
    assert.truthy(summary.reasons[1].reason:find("a file has this name", 1, true), summary.reasons[1].reason)
    assert.equal("mine", child.read(folder .. "/2.png"))
    os.remove(folder .. "/2.png")
    is_complete(assert(run(2, { again = { "2.png" } })), 2)
  end)
end)
