-- How text fits a terminal, how a shell reads it, and what a failure's exit code is.
local exits = require "devkit4ai.cli.exits"
local progress = require "devkit4ai.cli.progress"
local text = require "devkit4ai.cli.text"

describe("the command's text", function()
  it("fits by columns, and cuts no character", function()
    for _, row in ipairs {
      { "abc", 2, "ab", 2 }, { "äöü", 2, "äö", 2 }, { "日本", 3, "日", 2 }, { "🎨x", 3, "🎨x", 3 },
      { "e\204\129x", 1, "e\204\129", 1 },
      { "a\255b", 3, "a\239\191\189b", 3 },
      { "\226\130", 5, ("\239\191\189"):rep(2), 2 }, { "abc", 0, "", 0 }, { "", 5, "", 0 },
    } do
      assert.same({ row[3], row[4] }, { text.fit(row[1], row[2]) })
    end
  end)

  it("stands in columns", function()
    assert.same({ "a   1", "日  2" }, text.columns({ { "a", "1" }, { "日", "2" } }))
    assert.same({ "a", "a  lo" }, { text.columns({ { "a", "long" } }, 3)[1], text.columns({ { "a", "long" } }, 5)[1] })
    assert.same({ "an id  " .. "日" }, text.columns({ { "an id", "日本" } }, 10))
    assert.same({ "an id" }, text.columns({ { "an id", "long" } }, 2))
  end)

  it("is quoted for a shell", function()
    assert.equal("a/b-c.png", text.quote "a/b-c.png")
    for _, word in ipairs { "a b", "it's", "$(rm x)", "", "`x`", "a\nb", "*" } do
      local pipe = io.popen("printf %s " .. text.quote(word))
      assert.equal(word, pipe:read "*a")
      pipe:close()
    end
  end)

  it("shows a bar that fits", function()
    assert.equal("[####################....................] 0.5/1.0 MB", progress.bar(524288, 1048576, 80))
    assert.equal("[##..] 0.5/1.0 MB", progress.bar(524288, 1048576, 19):gsub("%[#+%.+%]", "[##..]"))
    for columns = 1, 200 do
      local _, taken = text.fit(progress.bar(300, 1000, columns), 1000)
      assert.is_true(taken < math.max(columns, 13))
    end
    assert.equal("5/9 B", progress.bar(5, 9, 10))
    assert.is_string(progress.bar(0, 0, 80))
  end)

  it("quotes words and options so that a shell reads them as they are", function()
    for _, word in ipairs {
      "plain", "", " ", "-x", "--", "it's", 'a"b', "$HOME `id` \\d %s %%", "a\nb", "\t\27[31m'\\", "\194\133", "\127",
    } do
      local pipe = assert(io.popen("printf '<%s>' " .. text.option("-o", word)))
      assert.equal(word:find "^%-" and "<-o=" .. word .. ">" or "<-o><" .. word .. ">", pipe:read("*a"))
      pipe:close()
      assert.is_nil(text.quote(word):find "%c")
    end
  end)

  it("has an exit code for each failure", function()
    for _, row in ipairs {
      { 1, { kind = "server", outcome = "unknown", operation = "get_me" } },
      { 6, { kind = "server", outcome = "unknown", operation = "create_project" } },
      { 6, { kind = "timeout", outcome = "unknown", operation = "create_generation" } },
      { 7, { kind = "timeout", outcome = "unknown", operation = "get_generation_status" } },
      { 7, { kind = "timeout", outcome = "not_sent", operation = "login" } },
      { 9, { kind = "failed", outcome = "unknown", operation = "get_generation_status", generation_id = "x" } },
      { 8, { kind = "auth", outcome = "refused", operation = "get_picture", unfinished = true } },
      { 8, { kind = "cancelled", outcome = "unknown", unfinished = true } },
      { 6, { kind = "cancelled", outcome = "unknown", operation = "create_generation" } },
      { 6, { kind = "conflict", outcome = "unknown", operation = "create_generation" } },
      { 6, { kind = "protocol", outcome = "unknown", operation = "create_generation", status = 402 } },
      { 6, { kind = "auth", outcome = "unknown", operation = "create_generation" } },
      { 130, { kind = "cancelled", outcome = "not_sent", operation = "create_generation" } },
      { 130, { kind = "cancelled", outcome = "unknown", operation = "get_me" } },
      { 2, { kind = "too_large", outcome = "not_sent" } },
      { 4, { kind = "auth", outcome = "refused", operation = "get_me" } },
      { 4, { kind = "config", outcome = "not_sent", operation = "get_me", option = "access_token" } },
      { 2, { kind = "config", outcome = "not_sent", message = "base_url" } },
      { 4, { kind = "forbidden", outcome = "refused", operation = "get_me", detail = "Invalid or revoked API Key" } },
      { 1, { kind = "forbidden", outcome = "refused", operation = "get_me", detail = "Not a member: monkeys" } },
      { 7, { kind = "timeout", outcome = "unknown", operation = "login" } },
      { 2, { kind = "file", outcome = "not_sent", operation = "create_generation" } },
      { 5, { kind = "rate_limited", outcome = "refused", operation = "login" } },
      { 2, { kind = "invalid", outcome = "not_sent" } }, { 1, { kind = "invalid", outcome = "refused" } },
      { 1, { kind = "file", outcome = "not_sent" } }, { 1, nil },
    } do
      assert.equal(row[1], exits.code(row[2]), row[2] and row[2].kind)
    end
  end)
end)
