-- For memory_test: the descriptor, the listener and the alarm of core.engine.
local core = require "devkit4ai.core"

local engine = core.engine()
assert(engine:start())
local fd = assert(engine:fd())
assert(engine:fd() == fd)
local path = assert(engine:listen "/tmp")
assert(engine:listen "/tmp" == path)
assert(engine:alarm(0))
repeat engine:next(1) until not engine:ready()
assert(engine:alarm(-1))
local none, text = core.engine():listen "/no/such/folder"
assert(none == nil and text:find("/no/such/folder", 1, true))
engine:close()
