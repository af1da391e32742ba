-- core.load, core.save, core.lock, core.list, core.check_image and secrets:json under failing allocations; see memory_test.c.
local core = require "devkit4ai.core"

local path = (os.getenv("TMPDIR") or "/tmp") .. "/devkit4ai_memory_test_store"
local secrets = core.secrets()
assert(secrets:set("refresh_token", 'a "token"', "body"))
local text = secrets:json('{"ends":1}', "access_token", "refresh_token")
assert(text == [[{"ends":1,"refresh_token":"a \"token\""}]])

local lock = assert(core.lock(path .. ".lock"))
assert(core.lock(path .. ".lock") == false)
assert(core.save(path, text) == true)
assert(core.load(path) == text)
assert(#core.list(path:match("^.*/")) > 0)
assert(core.list(path) == nil)
assert(core.check_image(path, 1000) == nil)
lock:release()
lock:release()
assert(os.remove(path))
assert(core.load(path) == false)
assert(core.load("/") == nil)
