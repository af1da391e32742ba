-- The file of --env-file has the dotenv format. A byte order mark hid the first line. Quotes, and a comment after them, became
-- part of the value.
local child = require "spec.support.process.child"
local env_file = require "devkit4ai.cli.settings.env_file"

describe("the file of --env-file", function()
  local folder
  setup(function() folder = child.folder() end)
  teardown(function() child.remove(folder) end)

  local function read(content)
    local path = folder .. "/x.env"
    local file = assert(io.open(path, "wb"))
    file:write(content)
    file:close()
    return env_file.read(path)
  end

  for content, wanted in pairs {
    ["A=1\nB=2"] = { A = "1", B = "2" },
    ["\239\187\191A=1\n"] = { A = "1" },
    ["A=1\r\n\r\nB='2'\r\n"] = { A = "1", B = "2" },
    ["A = 1 \n\tB\t=\t2\t\nexport  C=3\n export D = 4"] = { A = "1", B = "2", C = "3", D = "4" },
    ["# c\n  # c=1\nA=1 # c\nB=1#2\nC=#\nD= # c\nE=\"1\" # c\nF='1'# c\nG=a\t#c"] =
      { A = "1", B = "1#2", C = "", D = "", E = "1", F = "1", G = "a" },
    ["A='a # b'\nB=\"a # b\"\nC='\"'\nD=\"'\"\nE=it's"] = { A = "a # b", B = "a # b", C = '"', D = "'", E = "it's" },
    ['A="\\n\\t\\r\\"\\\\\\$\\x"\nB=\'\\n\'\nC=\\n'] = { A = '\n\t\r"\\$\\x', B = "\\n", C = "\\n" },
    ['A="1\n2"\nB=\'1\r\n\n2\'\nC=3'] = { A = "1\n2", B = "1\n\n2", C = "3" },
    ["A=b=c\nB==\nC=a b  c\nD.e-f=1"] = { A = "b=c", B = "=", C = "a b  c", ["D.e-f"] = "1" },
    ["A=1\nA=2\nB=$A\nC=\"$A ${A} `x`\""] = { A = "2", B = "$A", C = "$A ${A} `x`" },
    ["A=\nB=\"\"\nC=''\nNAME\nexport OTHER\n   \n"] = { A = "", B = "", C = "" },
    [""] = {}, ["\n\n"] = {}, ["\239\187\191"] = {},
  } do
    it(("has the values: %q"):format(content):gsub("%c", " "), function()
      assert.same(wanted, read(content))
    end)
  end

  for content, number in pairs {
    ["A=1\nDEVKIT4AI_BASE_URL secret\n"] = 2, ["A: secret"] = 1, ["\n\nsecret word"] = 3, ["=secret"] = 1,
    ["A=\"1\n2\"\nsecret x"] = 3, ["A=1\nB=\"secret"] = 2, ["A=1\nB='secret\nC=1"] = 2, ["A=\"secret\" b"] = 1,
    ["A='secret'b"] = 1, ["A=\"secret\\\""] = 1, ["\239\187\191secret x"] = 1, ["A=1\r\nsecret x\r\n"] = 2,
    ["A B=secret"] = 1,
  } do
    it(("is refused with line number %d and without a value: %q"):format(number, content):gsub("%c", " "), function()
      local variables, message, err = read(content)
      assert.is_nil(variables)
      assert.is_truthy(message:find((": line %d "):format(number), 1, true), message)
      assert.is_nil(message:find("secret", 1, true))
      assert.equal(2, err.exit_code)
    end)
  end

  it("that is UTF-16, missing or a folder is refused", function()
    local _, message = read "\255\254A\0=\0001\0"
    assert.is_truthy(message:find("UTF-16", 1, true))
    _, message = env_file.read(folder)
    assert.is_truthy(message:find("Is a directory", 1, true))
    _, message = env_file.read(folder .. "/none")
    assert.is_truthy(message:find("No such file or directory", 1, true))
  end)
end)
