-- The URL of an image is read as browsers read it, and requested again once after it has expired. A bad URL is reported.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PNG = wire.image.png

describe("the URL of an image", function()
  local server, client, gen

  -- fields: Lua of the status fields, from `look`, the request's number, and `url`, the server's; image: answers other requests
  local function start(fields, image)
    server = raw.start { script = ([[
      local PNG, look = %q, 0
      return function(conn)
        local request = conn:read_request()
        while request do
          local url = "http://" .. request.head:match("[Hh]ost: ([^\r]+)")
          if request.target:find("/status$") then
            look = look + 1
            local answer = { %s }
            answer.id, answer.status = "%s", answer.status or "completed"
            conn:respond(200, answer)
          else %s end
          request = conn:read_request()
        end
      end]]):format(PNG, fields, ID, image or "conn:respond(200, PNG)") }
    client = assert(devkit4ai.new(wire.options(server.url)))
    gen = client:generation(ID)
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local function counts()
    local polls, images = 0, {}
    for _, request in ipairs(server:requests()) do
      if request.target:find("/status$") then polls = polls + 1 else images[#images + 1] = request.target end
    end
    return polls, images
  end

  for what, case in pairs {
    ["that is right stays as it is"] = { [[url .. "/a.png?sig=a%2fb%3D&x="]], "/a.png?sig=a%2fb%3D&x=" },
    ["with blanks"] = { [[url .. "/my pic (1).png?name=a b"]], "/my%20pic%20(1).png?name=a%20b" },
    ["with UTF-8"] = { [[url .. "/\195\182.png"]], "/\195\182.png" },
    ["relative to the API"] = { [["/media/a.png?sig=1"]], "/media/a.png?sig=1" },
    ["relative, without a slash"] = { [["media/a.png"]], "/media/a.png" },
    ["relative to the scheme"] = { [[url:gsub("^http:", "") .. "/a.png"]], "/a.png" },
    ["with line feeds behind it"] = { [[url .. "/a.png\r\n\n"]], "/a.png" },
    ["with blanks around it"] = { [[" \t" .. url .. "/a.png \n "]], "/a.png" },
    ["with a line feed in it"] = { [[url .. "/a\n.png"]], "/a.png" },
    ["with backslashes"] = { [[url:gsub("/", "\\") .. "\\media\\a.png"]], "/media/a.png" },
    ["with capitals"] = { [[url:gsub("^http", "HTTP") .. "/a.png"]], "/a.png" },
  } do
    it(what .. " is read as a browser reads it", function()
      start(("result_image_url = (%s)"):format(case[1]))
      assert.equal(PNG, (assert(gen:bytes())))
      local polls, images = counts()
      local target = images[1]:gsub("%%C3%%B6", "\195\182"):gsub("%%c3%%b6", "\195\182")
      assert.same({ 1, case[2], 1 }, { polls, target, #images })
    end)
  end

  for what, case in pairs {
    ["null"] = { "result_image_url = require('cjson').null", "none" },
    ["absent"] = { "", "none" },
    ["a list"] = { "result_image_url = { url .. '/a.png' }", "a list" },
    ["an object"] = { "generated_image_url = { href = 'x' }", "an object" },
    ["a number"] = { "result_image_url = 7", "a number" },
    ["false"] = { "result_image_url = false, result = { 1 }", "a list" },
    ["empty"] = { "result_image_url = ''", "a text that is not a URL" },
    ["blank"] = { "result_image_url = ' \\n'", "a text that is not a URL" },
    ["a file's"] = { "result_image_url = 'file:///etc/hostname'", "a text that is not a URL" },
    ["one with a password"] = {
      "result_image_url = url:gsub('//', '//a:word@') .. '/a.png'", "a text that is not a URL",
    },
  } do
    it("that is " .. what .. " is reported for a completed generation", function()
      start(case[1])
      for _ = 1, 2 do
        local bytes, message, err = gen:bytes()
        assert.is_nil(bytes)
        assert.same({ "protocol", "not_sent", ID }, { err.kind, err.outcome, err.generation_id })
        local fragment = "completed, but the response has no image URL that can be used (" .. case[2] .. ")"
        assert.is_truthy(message:find(fragment, 1, true), message)
        assert.is_falsy(message:find("call gen:wait() first", 1, true), message)
        assert.is_falsy(message:find("word", 1, true), message)
      end
      assert.same({}, select(2, counts()))
    end)
  end

  it("is read from another field if the first one has no text", function()
    start "result_image_url = {}, generated_image_url = url .. '/b.png'"
    assert.equal(PNG, (assert(gen:bytes())))
  end)

  for _, status in ipairs { 400, 401, 403, 404, 410 } do
    local image = ([[
      if request.target:find("old") then conn:respond(%d, "<Error>Request has expired</Error>")
      else conn:respond(200, PNG) end]]):format(status)

    it(("is requested again once if the storage answers %d"):format(status), function()
      start("result_image_url = url .. (look < 2 and '/old.png?sig=1' or '/new.png?sig=2')", image)
      assert(gen:refresh())
      assert.equal(PNG, (assert(gen:bytes())))
      local polls, images = counts()
      assert.same({ 2, { "/old.png?sig=1", "/new.png?sig=2" } }, { polls, images })
    end)

    it(("counts as expired if the new one fails as well, with %d"):format(status), function()
      start("result_image_url = url .. '/old.png?n=' .. look", image)
      assert(gen:refresh())
      local bytes, message, err = gen:bytes()
      assert.is_nil(bytes)
      assert.same({ status, "get_picture", ID, false }, { err.status, err.operation, err.generation_id, err.retryable })
      for _, fragment in ipairs { "has expired", "gen:refresh()", ID .. " is paid for", "go on with " } do
        assert.is_truthy(message:find(fragment, 1, true), message)
      end
      for _, fragment in ipairs { "check the keys", "owner of the project", "token" } do
        assert.is_falsy(message:find(fragment, 1, true), message)
      end
      local polls, images = counts()
      assert.same({ 2, 2 }, { polls, #images })
    end)
  end

  it("is not requested again after a failure of the storage", function()
    start("result_image_url = url .. '/a.png'", "conn:respond(503, '')")
    local _, _, err = gen:bytes()
    assert.equal("server", err.kind)
    assert.same({ 1, 3 }, { (counts()), #select(2, counts()) })
  end)

  it("is reported if it can't be requested again", function()
    start("result_image_url = url .. '/a.png', status = look > 1 and 'failed' or nil", "conn:respond(403, '')")
    assert(gen:refresh())
    assert.is_nil((gen:bytes()))
    assert.same({ 2, 2 }, { (counts()), #select(2, counts()) })
  end)
end)
