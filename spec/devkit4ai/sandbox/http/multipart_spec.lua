-- The multipart parser: it reads the same parts, however the bytes are split.
local multipart = require "devkit4ai.sandbox.http.multipart"

-- The parts in pieces of a body, as texts; nil: the body is malformed or cut.
local function read(pieces, boundary)
  local parts = {}
  local parser = multipart.parser(boundary or "XX", function(part)
    local index = #parts + 1
    local head = ("%s/%s:"):format(part.name, part.filename or "-")
    parts[index] = head
    return function(bytes) parts[index] = parts[index] .. bytes end
  end)
  for _, piece in ipairs(pieces) do
    if not parser:feed(piece) then return nil end
  end
  return parser:finished() and parts or nil
end

local function part(head, content)
  return "--XX\r\nContent-Disposition: form-data; " .. head .. "\r\n\r\n" .. content .. "\r\n"
end

describe("the sandbox's multipart parser", function()
  local BODY = "preamble\r\n--XX \t\r\ncontent-type: image/png\r\n"
    .. 'Content-Disposition: form-data; name="a"; filename="a.png"' .. "\r\n\r\n"
    .. "\r\n--X\r\n-\r\n--\r\n" -- parts of a delimiter are content
    .. "\r\n" .. part('name="empty"', "") .. part("name=plain", "1\r\n2") .. "--XX--\r\nepilogue --XX"
  local PARTS = { "a/a.png:\r\n--X\r\n-\r\n--\r\n", "empty/-:", "plain/-:1\r\n2" }

  it("reads parts in their order", function()
    assert.same(PARTS, read { BODY })
  end)

  it("reads the same however the bytes are split", function()
    for cut = 1, #BODY - 1 do assert.same(PARTS, read { BODY:sub(1, cut), BODY:sub(cut + 1) }) end
    local bytes = {}
    for i = 1, #BODY do bytes[i] = BODY:sub(i, i) end
    assert.same(PARTS, read(bytes))
  end)

  it("understands quoted and escaped names, in both ways of escaping", function()
    assert.same({ 'n;="/a\\b"c:x' }, read { part([[name="n;=\""; filename="a\\b\"c"]], "x") .. "--XX--" })
    assert.same({ 'n/a"\r\n:x' }, read { part([[name="n"; filename="a%22%0D%0A"]], "x") .. "--XX--" })
    assert.same({ "n/ä.png:x" }, read { part([[filename="ä.png"; name="n"]], "x") .. "--XX--" })
  end)

  it("refuses a cut or malformed body", function()
    for _, body in ipairs {
      "", "--XX", "--XX\r\n", part('name="a"', "x"), part('name="a"', "x") .. "--XX-",
      "--XXno\r\n", "--XX\r\n\r\n\r\n--XX--", "--XX\r\nno colon\r\n\r\nx\r\n--XX--",
      "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--",
      part('filename="a"', "x") .. "--XX--", part('name="a', "x") .. "--XX--",
      "--XX\r\nA: " .. ("x"):rep(20000), part("name=a", "x"):rep(1001) .. "--XX--",
    } do
      assert.is_nil(read { body }, body:sub(1, 60))
    end
  end)

  it("finds the boundary of a content type", function()
    for header, boundary in pairs {
      ["multipart/form-data; boundary=abc"] = "abc",
      ["Multipart/Form-Data;charset=x; Boundary=\"a b;c\""] = "a b;c",
      ["multipart/form-data; boundary=----x; charset=utf-8"] = "----x",
    } do
      assert.equal(boundary, multipart.boundary(header))
    end
    for _, header in ipairs { "multipart/form-data", "multipart/mixed; boundary=a", "application/json",
      "multipart/form-data; boundary=" .. ("x"):rep(71) } do
      assert.is_nil(multipart.boundary(header))
    end
    assert.is_nil(multipart.boundary(nil))
  end)
end)
