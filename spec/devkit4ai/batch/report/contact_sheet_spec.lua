-- The contact sheet of a batch: its HTML, and that it replaces the page before only when it is complete.
local child = require "spec.support.process.child"
local contact_sheet = require "devkit4ai.batch.report.contact_sheet"
local sheets = require "spec.devkit4ai.batch.report.sheets"

describe("the contact sheet", function()
  local folder
  setup(function() folder = child.folder() end)
  teardown(function() child.remove(folder) end)

  local function html_of(jobs, changes)
    local path = folder .. "/index.html"
    assert(contact_sheet.write(path, sheets.new(jobs, changes)))
    return child.read(path)
  end

  local function assert_has(html, text) assert.is_truthy(html:find(text, 1, true), text .. "\nis not in\n" .. html) end

  it("shows each image with its prompt, by a relative URL", function()
    local html = html_of { { "paris.png", "Paris at night", "saved" } }
    assert_has(html, '<a href="paris.png"><img src="paris.png" alt="paris.png" width="240" height="240" loading="lazy"')
    assert_has(html, '<span class="prompt">Paris at night</span>')
    assert_has(html, "<title>1 of 1 image: results</title>")
    assert_has(html, "<dt>Payments</dt><dd>7</dd>")
    assert.is_nil(html:find("<script", 1, true))
    assert.is_nil(html:find("%f[%w]https?:"))
  end)

  it("escapes names, prompts and reasons", function()
    local bad = [[<b>"it's" & more</b>]]
    local html = html_of({ { bad .. ".png", bad, "saved" }, { "x.png", bad, "failed", reason = bad } },
      { title = bad, note = bad })
    assert.is_nil(html:find("<b>\"", 1, true))
    assert_has(html, 'alt="&lt;b&gt;&quot;it&#39;s&quot; &amp; more&lt;/b&gt;.png"')
    assert_has(html, 'src="%3Cb%3E%22it%27s%22%20%26%20more%3C/b%3E.png"')
    assert_has(html, "<h1>&lt;b&gt;&quot;it&#39;s&quot; &amp; more&lt;/b&gt;</h1>")
    assert_has(html, '<span class="failed">&lt;b&gt;')
  end)

  it("encodes URLs of names with #, %, ?, a colon, umlauts and bytes that are not UTF-8", function()
    for name, url in pairs {
      ["a#1 100%.png"] = "a%231%20100%25.png", ["a?b=c&d.png"] = "a%3Fb%3Dc%26d.png", ["a:b.png"] = "a%3Ab.png",
      ["Zürich.png"] = "Z%C3%BCrich.png", ["ok\255.png"] = "ok%FF.png", ["sub/a b.png"] = "sub/a%20b.png",
      ["a\\b.png"] = "a%5Cb.png",
    } do
      assert_has(html_of { { name, "p", "saved" } }, ('<a href="%s"><img src="%s"'):format(url, url))
    end
    assert_has(html_of { { "ok\255.png", "p", "saved" } }, 'alt="ok\239\191\189.png"')
    assert_has(html_of { { "Zürich.png", "a\27[31m\nb", "saved" } }, "a\\027[31m\nb")
  end)

  it("folds a long prompt, and cuts no character in half", function()
    for shift = 0, 3 do
      local prompt = ("x"):rep(shift) .. ("日"):rep(60)
      local html = html_of { { "a.png", prompt, "saved" } }
      local start, rest = html:match "<summary>([^<]*)…</summary><p>([^<]*)</p>"
      assert.equal(prompt, rest)
      assert.equal(prompt:sub(1, #start), start)
      assert.equal(0, (#start - shift) % 3)
    end
  end)

  it("reads the prompt of a table and of JSON", function()
    for _, instructions in ipairs { "neon <1>", { prompt = "neon <1>", job = "b/a.png" }, '{"prompt":"neon <1>"}' } do
      assert_has(html_of { { "a.png", instructions, "saved" } }, "neon &lt;1&gt;</span>")
    end
  end)

  it("lists undecided jobs with the line to type, and failed jobs with reason and payment", function()
    local html = html_of {
      { "a.png", "p", "undecided", reason = "no response came" },
      { "b.png", "p", "failed", reason = "the model is tired", paid = true },
      { "c.png", "p", "failed", reason = "too small" },
      { "d.png", "p", "refused", reason = "429: too many" }, { "e.png", "p" },
    }
    assert_has(html, '<h2 id="undecided">Undecided jobs (1)</h2>')
    assert_has(html, "<code>again a.png</code>")
    assert_has(html, '<h2 id="failed">Failed jobs (2)</h2>')
    local rows = {}
    for row in html:gmatch "<tr.->(.-)</tr>" do
      local name, paid = row:match "(%w)%.png</th>.*Paid: </span>(%a+)"
      if name then rows[#rows + 1] = name .. " " .. paid end
    end
    assert.same({ "b yes", "c no" }, rows)
    assert_has(html, "<li>d.png, not accepted: 429: too many</li>")
    assert_has(html, '<h2 id="others">Not done yet (2)</h2>')
  end)

  it("shows the counts, and links them to their sections", function()
    local html = html_of { { "a.png", "p", "planned" } }
    for _, name in ipairs { "Jobs", "Done", "Failed", "Undecided", "Running", "Payments" } do
      assert_has(html, ("<dt>%s</dt>"):format(name))
    end
    assert_has(html, '<dt><a href="#others">Waiting</a></dt><dd>1</dd>')
    html = html_of { { "b.png", "p", "failed" } }
    assert_has(html, '<dt><a href="#failed">Failed</a></dt><dd>1</dd>')
  end)

  it("has less than 3.5 MB for 10,000 jobs", function() -- docs/batch.md
    local jobs = {}
    for i = 1, 10000 do
      jobs[i] = { ("%05d.png"):format(i), ("a city at night in the rain, number %d of 10,000"):format(i), "saved" }
    end
    local size = #html_of(jobs)
    assert.is_true(size > 2e6 and size < 3.5e6, tostring(size))
  end)

  it("keeps the page before, if the new one can't be written", function()
    local path = folder .. "/index.html"
    assert(contact_sheet.write(path, sheets.new { { "first.png", "p", "saved" } }))
    local before = child.read(path)
    if io.open "/dev/full" then
      os.execute(("ln -s /dev/full '%s.part'"):format(path))
      local done, message, err = contact_sheet.write(path, sheets.new { { "second.png", "p", "saved" } })
      assert.is_nil(done)
      assert.matches("the contact sheet .*index%.html can't be written: No space left on device", message)
      assert.equal("file", err.kind)
      assert.equal(before, child.read(path))
      assert.is_nil(io.open(path .. ".part"))
    end
    for _, step in ipairs { "saved", "planned" } do
      local _, message = contact_sheet.write(path, sheets.new({ { "a.png", "p", step } }, {
        each = function() return nil, "jobs.csv: No such file or directory" end,
      }))
      assert.matches("index%.html can't be written: jobs%.csv: No such file or directory", message)
      assert.equal(before, child.read(path))
      assert.is_nil(io.open(path .. ".part"))
    end
    local _, message = contact_sheet.write(folder .. "/none/index.html", sheets.new { { "a.png", "p", "saved" } })
    assert.matches("none/index%.html can't be written: .*No such file or directory", message)
  end)
end)
