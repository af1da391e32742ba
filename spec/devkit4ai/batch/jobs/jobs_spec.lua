-- The jobs of a batch: from rows and templates, and the check of all of them before the first payment.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local devkit4ai_jobs = require "devkit4ai.batch.jobs"
local job_file = require "spec.support.job_file"
local wire = require "spec.support.calls.wire"

local UUID = "550e8400-e29b-41d4-a716-446655440000"

describe("the jobs of a batch", function()
  local folder, image

  setup(function()
    folder = child.folder()
    image = job_file.write(folder .. "/a.png", wire.image.png)
  end)

  teardown(function() child.remove(folder) end)

  local function file(name, text) return job_file.write(folder .. "/" .. name, text) end

  local function open(given, options) return assert(devkit4ai_jobs.open(given, options or {})) end

  -- All jobs; a job that can't be used is its line and the reason.
  local function all(jobs)
    local next_job, found = assert(jobs:each()), {}
    while true do
      local job, line, why = next_job()
      if job == nil then return found end
      found[#found + 1] = job or ("%d: %s"):format(line, why)
    end
  end

  local function one(row, options) return all(open({ row }, options))[1] end

  describe("come from", function()
    local ROWS = { { prompt = "x", image = "a.png" }, { prompt = "y", image = "b.png" } }

    local function prompts(jobs)
      local found = {}
      for i, job in ipairs(all(jobs)) do found[i] = ("%d %d %s"):format(job.number, job.line, job.instructions) end
      return found
    end

    it("a CSV file, whatever its name is", function()
      assert.same({ "1 3 x", "2 4 y" }, prompts(open(file("jobs.txt", "\nprompt,image\nx,a.png\ny,b.png\n"))))
    end)

    it("a JSON Lines file", function()
      local path = file("jobs.jsonl", '{"prompt":"x","image":"a.png"}\n\n{"prompt":"y","image":"b.png"}\n')
      assert.same({ "1 1 x", "2 3 y" }, prompts(open(path)))
    end)

    it("a list, and a second time from its first job", function()
      local jobs = open(ROWS)
      assert.same({ "1 1 x", "2 2 y" }, prompts(jobs))
      assert.same({ "1 1 x", "2 2 y" }, prompts(jobs))
    end)

    it("a function, which is called once for each row in all passes", function()
      local calls = 0
      local jobs = open(function()
        calls = calls + 1
        return ROWS[calls]
      end)
      local next_job = jobs:each()
      assert.equal("x", next_job().instructions)
      assert.same({ "1 1 x", "2 2 y" }, prompts(jobs))
      assert.same({ "1 1 x", "2 2 y" }, prompts(jobs))
      assert.equal("y", next_job().instructions)
      assert.is_nil(next_job())
      assert.equal(3, calls)
    end)

    it("a function that fails: its reason is a problem of that job", function()
      local calls = 0
      local jobs = open(function()
        calls = calls + 1
        if calls > 1 then return nil, "the database is gone" end
        return ROWS[1]
      end)
      assert.equal("2: the database is gone", all(jobs)[2])
      assert.equal(2, #all(jobs))
    end)

    it("an open file, which is read once", function()
      local handle = assert(io.open(file("handle.csv", "prompt,image\nx,a.png\ny,b.png\n"), "rb"))
      local jobs = open(handle)
      assert.same({ "1 2 x", "2 3 y" }, prompts(jobs))
      assert.same({ "1 2 x", "2 3 y" }, prompts(jobs))
      handle:close()
    end)

    it("a pipe, which can't be read again", function()
      local path = folder .. "/pipe"
      os.execute(("mkfifo '%s'; (printf 'prompt,image\\nx,a.png\\ny,b.png\\n' > '%s') &"):format(path, path))
      local jobs = open(path)
      assert.same({ "1 2 x", "2 3 y" }, prompts(jobs))
      assert.same({ "1 2 x", "2 3 y" }, prompts(jobs))
    end)

    it("a folder: its images, sorted by name", function()
      local photos = folder .. "/photos"
      os.execute(("mkdir -p '%s/sub.png'"):format(photos))
      for _, name in ipairs { "b.JPG", "a.png", ".hidden.png", "notes.txt", "c.d.webp", "Thumbs.db" } do
        job_file.write(photos .. "/" .. name, wire.image.png)
      end
      local found = all(open({ folder = photos }, { prompt = "{row.stem} at night" }))
      assert.same({ photos .. "/a.png", photos .. "/b.JPG", photos .. "/c.d.webp", photos .. "/sub.png" },
        { found[1].images[1], found[2].images[1], found[3].images[1], found[4].images[1] })
      assert.same({ "a.png", "b.png", "c.d.png" }, { found[1].name, found[2].name, found[3].name })
      assert.equal("c.d at night", found[3].instructions)
      assert.equal("b.JPG", found[2].row.file)
    end)

    it("nothing else", function()
      local function refused(given, expected_kind, fragment)
        local jobs, why, kind = devkit4ai_jobs.open(given, {})
        assert.is_nil(jobs)
        assert.equal(expected_kind, kind)
        assert.truthy(why:find(fragment, 1, true), why)
      end
      refused(folder .. "/missing.csv", "file", "No such file or directory")
      refused(folder, "file", "Is a directory")
      refused(file("empty.csv", ""), "file", "empty.csv: it is empty")
      refused({ folder = folder .. "/missing" }, "file", "No such file or directory")
      refused({ folder = image }, "file", "Not a directory")
      refused({ name = "x" }, "invalid", "no list")
      refused({ { prompt = "x" }, nil, { prompt = "y" } }, "invalid", "jobs[2] is nil: the list has a hole")
      refused(7, "invalid", "not a number")
      os.execute(("mkdir '%s/none'"):format(folder))
      refused({ folder = folder .. "/none" }, "file", "there is no image")
      assert.equal("1: a job must be a table, not a string", all(open { "x" })[1])
    end)
  end)

  describe("have", function()
    it("the fields of the row, and the row itself", function()
      local row = { image = "a.png", prompt = "x", name = "x.png", project = UUID, mine = { 7 } }
      local job = one(row)
      assert.same({ "a.png" }, job.images)
      assert.same({ "x", "x.png", UUID }, { job.instructions, job.name, job.project })
      assert.equal(row, job.row)
    end)

    it("a name by the position, if nothing names it", function()
      assert.equal("0001.png", one({ image = "a.png", prompt = "x", name = "" }).name)
    end)

    it("images as a list, or as a text with semicolons", function()
      assert.same({ "a.png", "b;.png" }, one({ images = { "a.png", "b;.png" }, prompt = "x" }).images)
      assert.same({ "a.png", "b.png" }, one({ images = " a.png; b.png;", prompt = "x" }).images)
      assert.same({ "a;b.png" }, one({ image = "a;b.png", prompt = "x" }).images)
      local row = { photo = "a.png", more = "b.png;c.png", prompt = "x" }
      assert.same({ "p/a.png", "b.png", "c.png" }, one(row, { images = { "p/{row.photo}", "{row.more}" } }).images)
    end)

    it("texts from templates, which come before the fields of the row", function()
      local job = one({ city = "Paris", prompt = "x", name = "x" }, {
        images = "a.png", prompt = "{row.city} at night", name = "{row.city}.png", project = UUID,
      })
      assert.same({ "Paris at night", "Paris.png", UUID }, { job.instructions, job.name, job.project })
    end)

    it("instructions from a table or its JSON text, where a quote in a field breaks nothing", function()
      local row = { city = 'the "big" city', image = "a.png" }
      local expected = { prompt = 'the "big" city', style = "neon", n = 2 }
      assert.same(expected, one(row, { instructions = { prompt = "{row.city}", style = "neon", n = 2 } }).instructions)
      assert.same(expected,
        one(row, { instructions = '{"prompt": "{row.city}", "style": "neon", "n": 2}' }).instructions)
      assert.same({ prompt = "x" }, one({ instructions = { prompt = "x" }, image = "a.png" }).instructions)
    end)

    it("the reason why they can't be used", function()
      local function refused(fragment, row, options)
        local why = one(row, options)
        assert.is_string(why)
        assert.truthy(why:find(fragment, 1, true), why)
      end
      refused("it has no prompt", { image = "a.png" })
      refused("both a prompt and instructions", { prompt = "x", instructions = "y" })
      refused("prompt is a table, not a text", { prompt = {} })
      refused("images[2] is a table, not a path", { prompt = "x", images = { "a.png", {} } })
      refused("there is no field town in its row", { prompt = "x" }, { name = "{row.town}" })
      local function refused_option(fragment, options)
        local jobs, why, kind = devkit4ai_jobs.open({}, options)
        assert.same({ nil, "invalid" }, { jobs, kind })
        assert.truthy(why:find(fragment, 1, true), why)
      end
      refused_option("name: the template {x} has a brace", { name = "{x}" })
      refused_option("not both", { prompt = "x", instructions = "y" })
      refused_option("begin like a JSON object but are not one", { instructions = '{"prompt": ' })
    end)

    it("a digest, which shows a change of what is sent, and of nothing else", function()
      local function digest(change, options)
        local row = { prompt = "x", images = "a.png", name = "x", mine = 1 }
        for name, value in pairs(change) do row[name] = value end
        return one(row, options).digest
      end
      local first = digest {}
      assert.equal(first, digest { mine = 2, name = "y" })
      local seen = { [first] = true }
      local changes = { { prompt = "y" }, { images = "b.png" }, { images = "a.png;a.png" }, { project = UUID } }
      for _, change in ipairs(changes) do
        assert.is_nil(seen[digest(change)])
        seen[digest(change)] = true
      end
      local table_digest = digest({}, { instructions = { prompt = "x", a = { b = 1 }, c = { 1, 2 } } })
      assert.equal(table_digest, digest({}, { instructions = { c = { 1, 2 }, a = { b = 1 }, prompt = "x" } }))
      assert.not_equal(table_digest, digest({}, { instructions = { prompt = "x", a = { b = "1" }, c = { 1, 2 } } }))
      assert.not_equal(table_digest, digest({}, { instructions = { prompt = "x", a = { b = 1 }, c = { 2, 1 } } }))
    end)
  end)

  describe("are checked:", function()
    local function check(given, check_options, options)
      return open(given, options):check(check_options or {})
    end

    local function good(change)
      local row = { prompt = "x", image = image }
      for name, value in pairs(change or {}) do row[name] = value end
      return row
    end

    -- The only problem of one job.
    local function problem(row, options)
      local checked, message, kind = check({ row }, {}, options)
      assert.is_nil(checked)
      assert.equal("invalid", kind)
      local first, text = message:match("^([^\n]*)\n  job 1: ([^\n]*)$")
      assert.equal("jobs: 1 problem in 1 job; nothing was sent", first)
      return text
    end

    it("good jobs are counted", function()
      local five = good { images = { image, image, image, image, image } }
      local checked = assert(check { good(), five, good { project = UUID } })
      assert.same({ 3, 0, 0 }, { checked.total, checked.done, checked.problem_count })
    end)

    it("no jobs are a mistake", function()
      assert.equal("jobs: there are no jobs in it", select(2, check {}))
    end)

    it("images are there, are images, are of a size that is taken, and are 1 to 5", function()
      assert.equal(folder .. "/no.png: No such file or directory", problem(good { image = folder .. "/no.png" }))
      assert.equal(folder .. ": it is a folder, not a file", problem(good { image = folder }))
      local last = folder .. "/last.png"
      assert.equal(last .. ": No such file or directory", problem(good { images = { image, image, last } }))
      assert.truthy(problem(good { image = file("empty.png", "") }):find("it is empty", 1, true))
      local text = file("text.png", "no image here")
      assert.truthy(problem(good { image = text }):find("not a JPEG, PNG or WebP image", 1, true))
      local large = file("large.png", wire.image.png .. ("\0"):rep(10 * 1024 * 1024))
      assert.truthy(problem(good { image = large }):find("the limit is 10485760", 1, true))
      assert.equal("give 1 to 5 images; there is none", problem { prompt = "x" })
      assert.equal("give 1 to 5 images, not 6", problem(good { images = (image .. ";"):rep(6) }))
    end)

    it("instructions are as generate takes them", function()
      assert.equal("the instructions have 1001 characters as JSON; at most 1000 are taken",
        problem(good { prompt = ("x"):rep(1001 - #'{"prompt":""}') }))
      assert.truthy(problem(good { prompt = " " }):find("the prompt is empty", 1, true))
      local broken = good { instructions = '{"prompt": "x"', prompt = "" }
      assert.truthy(problem(broken):find("begins like a JSON object", 1, true))
    end)

    it("the caller may check the instructions with what it adds to them", function()
      local function instructions_problem(job) return "too long for " .. job.name end
      local _, message = check({ good() }, { instructions_problem = instructions_problem })
      assert.truthy(message:find("job 1: too long for 0001.png", 1, true), message)
    end)

    it("a project is a UUID, and a wrong one is not shown: it may be a key", function()
      assert.equal("the project is not a UUID", problem(good { project = "pk_secret" }))
    end)

    it("names are names of files, and differ in more than upper and lower case", function()
      assert.truthy(problem(good { name = "../x.png" }):find("the name ../x.png can't be used", 1, true))
      local _, message = check { good { name = "a.png" }, good { name = "b.png" }, good { name = "A.PNG" } }
      assert.equal("jobs: 1 problem in 3 jobs; nothing was sent\n  job 3: the name A.PNG is taken by job 1; names must "
        .. "differ in more than upper and lower case", message)
    end)

    it("jobs that are done need their images no more", function()
      local gone = good { image = folder .. "/no.png", name = "done.png" }
      local asked = {}
      local checked = assert(check({ gone, good() }, { is_done = function(job)
        asked[#asked + 1] = job.name
        return job.name == "done.png"
      end }))
      assert.same({ "done.png", "0002.png" }, asked)
      assert.same({ 2, 1 }, { checked.total, checked.done })
    end)

    it("a missing image in line 7,312 of 10,000 is named, and each image is looked at once", function()
      local texts = { "image,prompt" }
      for i = 2, 10001 do texts[i] = (i == 7312 and folder .. "/no.png" or image) .. ",x" end
      local path = file("large.csv", table.concat(texts, "\n"))
      local looks, check_image = 0, core.check_image
      core.check_image = function(...) -- luacheck: ignore 122
        looks = looks + 1
        return check_image(...)
      end
      local ok, _, message = pcall(check, path)
      core.check_image = check_image -- luacheck: ignore 122
      assert.is_true(ok)
      assert.equal(path .. ": 1 problem in 10000 jobs; nothing was sent\n  line 7312: " .. folder
        .. "/no.png: No such file or directory", message)
      assert.equal(2, looks)
    end)

    it("the first 20 problems are listed, and the others counted", function()
      local texts = { "image,prompt" }
      for i = 2, 31 do texts[i] = ("%s/no%d.png,x"):format(folder, i) end
      texts[5] = "too,many,fields"
      local path = file("bad.csv", table.concat(texts, "\n"))
      local _, message = check(path)
      local lines = {}
      for line in message:gmatch "[^\n]+" do lines[#lines + 1] = line end
      assert.equal(path .. ": 30 problems in 30 jobs; nothing was sent", lines[1])
      assert.equal(("  line 2: %s/no2.png: No such file or directory"):format(folder), lines[2])
      assert.truthy(lines[5]:find("  line 5: the number of its fields is 3", 1, true))
      assert.equal("  and 10 more", lines[22])
      assert.equal(22, #lines)
    end)

    it("a file that disappeared since it was opened is an error", function()
      local path = file("gone.csv", "image,prompt\n")
      local jobs = open(path)
      os.remove(path)
      local checked, why, kind = jobs:check {}
      assert.same({ nil, "file" }, { checked, kind })
      assert.truthy(why:find("No such file or directory", 1, true), why)
    end)
  end)
end)
