-- A libcurl that lacks what the core needs: the module refuses to load, and says why. One Lua: the check is C.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"

local SSL, ASYNCHDNS, THREADSAFE = 4, 128, 1073741824 -- bits of libcurl's features

local function load_with(env)
  local ended = child.run([[
    local ok, message = pcall(require, "devkit4ai.core")
    print(ok or message)
  ]], { env = env, preload = "other_libcurl" })
  assert.equal(0, ended.code, ended.err)
  return ended.out
end

describe("the core refuses a libcurl", function()
  it("before 7.80", function()
    assert.matches("devkit4ai%.core: libcurl 7%.79%.1 is too old: version 7%.80%.0 or newer is needed",
      load_with { OTHER_LIBCURL_NUMBER = "074f01", OTHER_LIBCURL_VERSION = "7.79.1" })
  end)

  it("without TLS", function()
    assert.matches("devkit4ai%.core: libcurl [%d.]+%S* has no TLS", load_with { OTHER_LIBCURL_WITHOUT = SSL })
  end)

  it("that waits for name look-ups", function()
    assert.matches("looks up names while the program waits", load_with { OTHER_LIBCURL_WITHOUT = ASYNCHDNS })
  end)

  it("that is not safe for threads, from 7.84 on, which says so", function()
    local function without(number, version)
      return load_with { OTHER_LIBCURL_WITHOUT = THREADSAFE, OTHER_LIBCURL_NUMBER = number,
        OTHER_LIBCURL_VERSION = version }
    end
    assert.matches("does not start safely beside other threads", without("075400", "7.84.0"))
    assert.equal("true\n", without("075300", "7.83.0"))
  end)

  it("but no other", function()
    assert.equal("true\n", load_with {})
    assert.equal("true\n", load_with { OTHER_LIBCURL_NUMBER = "075000", OTHER_LIBCURL_VERSION = "7.80.0" })
  end)

  -- what tools/libcurl built, where it did
  for folder in io.popen("ls -d build/libcurl/*/lib 2> /dev/null"):lines() do
    local refusals = { none = "has no TLS, which https needs", sync = "looks up names while the program waits" }
    local refusal = refusals[folder:match "%-(%w+)/lib$"]
    it(("as it is in %s: %s"):format(folder, refusal or "it does not"), function()
      local ended = child.run([[print(select(2, pcall(require, "devkit4ai.core")))]],
        { env = { LD_LIBRARY_PATH = folder } })
      assert.matches(refusal or "^table: ", ended.out)
      assert.equal("", ended.err)
    end)
  end

  it("and needs no function that came with 7.80 or later, so that an older library gets that far", function()
    local path = package.searchpath("devkit4ai.core", package.cpath)
    local pipe = assert(io.popen("nm -D --undefined-only " .. path))
    local text = pipe:read "a"
    pipe:close()
    assert.matches(" w curl_url_strerror", text)
  end)
end)
