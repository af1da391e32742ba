-- tools/architecture: in a copy of the tree, each dependency that is planted against a rule is found, and named with its file.
if _VERSION ~= "Lua 5.4" then return end -- the subject is a script for Lua 5.4

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local quote = helper.quote

-- The name of the check that fails, the file and its new first line, and what the check says.
local PLANTED = {
  { "no modules depend on each other in a cycle", "lua/devkit4ai/util/display.lua",
    'local errors = require "devkit4ai.util.errors"',
    "lua/devkit4ai/util/display.lua -> lua/devkit4ai/util/errors/init.lua" },
  { "no modules depend on each other in a cycle", "src/core/base/status.h", '#include "base/buffer.h"',
    "src/core/base/buffer.h -> src/core/base/status.h" },

  { "a layer depends on the layers below it", "lua/devkit4ai/loop/hosts/own.lua",
    'local call = require "devkit4ai.request.call"',
    "lua/devkit4ai/loop/hosts/own.lua -> lua/devkit4ai/request/call.lua: calls is above waiting" },
  { "a layer depends on the layers below it", "lua/devkit4ai/request/call.lua",
    '  return later("devkit4ai.resources.payments")',
    "lua/devkit4ai/request/call.lua -> lua/devkit4ai/resources/payments.lua: objects is above calls" },
  { "a layer depends on the layers below it", "lua/devkit4ai/store/memory.lua",
    '  return require("devkit4ai.request." .. name)',
    "lua/devkit4ai/store/memory.lua -> lua/devkit4ai/request/retry/init.lua: calls is above data" },
  { "a layer depends on the layers below it", "src/core/base/planted.c", '#include "engine/engine.h"',
    "src/core/base/planted.c -> src/core/engine/engine.h: engine is above base" },
  { "a layer depends on the layers below it", "lua/devkit4ai/planted.lua", "return {}",
    "lua/devkit4ai/planted.lua belongs to no layer" },
  { "a layer depends on the layers below it", "src/core/planted.c",
    "int planted;", "src/core/planted.c belongs to no layer" },

  { "objects do not use the core", "lua/devkit4ai/resources/key.lua", 'local core = require "devkit4ai.core"',
    "lua/devkit4ai/resources/key.lua -> devkit4ai.core: " },

  { "the core includes no header of Lua", "src/core/engine/planted.c",
    "#include <lua.h>", "src/core/engine/planted.c -> Lua: " },
  { "the core includes no header of Lua", "src/core/engine/planted.c", '#  include "binding.h"',
    "src/core/engine/planted.c -> src/binding/binding.h: " },
  { "threads come from os/threads.h, atomic variables from base/atomic.h", "src/core/file/file_lock.c",
    "#include <pthread.h>", "src/core/file/file_lock.c -> pthread.h: " },
  { "only the files of a system include its headers", "src/core/transfer/form.c",
    "#include <unistd.h>", "src/core/transfer/form.c -> unistd.h: " },
  { "only the files of a system include its headers", "src/binding/core.c",
    "#  include <sys/stat.h>", "src/binding/core.c -> sys/stat.h: " },
  { "only the files of a system ask for the system, the compiler or libcurl's version", "src/core/handle/handle.c",
    "#if LIBCURL_VERSION_NUM >= 0x080000", "src/core/handle/handle.c:1: #if LIBCURL_VERSION_NUM >= 0x080000: " },
  { "only the files of a system ask for the system, the compiler or libcurl's version", "src/binding/core.c",
    "#ifdef __linux__", "src/binding/core.c:1: #ifdef __linux__: " },
  { "only the files of a system ask for the system, the compiler or libcurl's version", "src/core/base/planted.h",
    "#elif defined(_WIN32)", "src/core/base/planted.h:1: #elif defined(_WIN32): " },

  { "the binding includes no header of libcurl", "src/binding/core.c",
    "#include <curl/curl.h>", "src/binding/core.c -> curl/curl.h: " },

  { "only loop/ loads an event loop", "lua/devkit4ai/request/call.lua",
    '  local own = require("devkit4ai.loop.hosts.own")',
    "lua/devkit4ai/request/call.lua -> lua/devkit4ai/loop/hosts/own.lua: " },
  { "only loop/ loads an event loop", "bin/devkit4ai", 'local own = require "devkit4ai.loop.hosts.own"',
    "bin/devkit4ai -> lua/devkit4ai/loop/hosts/own.lua: " },
  { "only loop/ steps the engine", "lua/devkit4ai/request/context/init.lua", "local engine = core.engine()",
    "lua/devkit4ai/request/context/init.lua:1: local engine = core.engine(): " },
  { "only loop/ steps the engine", "lua/devkit4ai/resources/client.lua", "  client._engine:submit(request, secrets)",
    "lua/devkit4ai/resources/client.lua:1: client._engine:submit(request, secrets): " },
  { "only loop/ steps the engine", "lua/devkit4ai/generation/find.lua", "local next_finished = engine.next",
    "lua/devkit4ai/generation/find.lua:1: local next_finished = engine.next: " },
  { "only loop/ steps the engine", "lua/devkit4ai/auth/session.lua", "while not engine:wait(1) do end",
    "lua/devkit4ai/auth/session.lua:1: while not engine:wait(1) do end: " },
  { "the library starts no program and reads no terminal", "lua/devkit4ai/auth/session.lua", "core.pause(0.1)",
    "lua/devkit4ai/auth/session.lua:1: core.pause(0.1): " },
  { "the library starts no program and reads no terminal", "lua/devkit4ai/loop/waits.lua", 'os.execute "sleep 1"',
    'lua/devkit4ai/loop/waits.lua:1: os.execute "sleep 1": ' },

  { "the sandbox loads no module of the client", "lua/devkit4ai/sandbox/main.lua",
    'local api = require "devkit4ai.api.responses"',
    "lua/devkit4ai/sandbox/main.lua -> lua/devkit4ai/api/responses.lua: " },
  { "the sandbox loads no module of the client", "lua/devkit4ai/sandbox/init.lua", '  return require "devkit4ai"',
    "lua/devkit4ai/sandbox/init.lua -> lua/devkit4ai/init.lua: " },
  { "the sandbox loads no module of the client", "lua/devkit4ai/sandbox/init.lua",
    'local core = require "devkit4ai.core"',
    "lua/devkit4ai/sandbox/init.lua -> devkit4ai.core: " },
  { "only the command loads the sandbox", "lua/devkit4ai/config.lua",
    '  local ok = pcall(require, "devkit4ai.sandbox")',
    "lua/devkit4ai/config.lua -> lua/devkit4ai/sandbox/init.lua: " },
  { "only the command loads the sandbox", "lua/devkit4ai/util/dependencies.lua",
    '  return require "devkit4ai.sandbox.main"',
    "lua/devkit4ai/util/dependencies.lua -> lua/devkit4ai/sandbox/main.lua: " },
  { "the command loads the sandbox only to run it", "lua/devkit4ai/cli/init.lua",
    'local sandbox = require "devkit4ai.sandbox"',
    "lua/devkit4ai/cli/init.lua -> lua/devkit4ai/sandbox/init.lua: " },

  { "api/ and util/ are pure", "lua/devkit4ai/api/responses.lua", 'local waits = require "devkit4ai.loop.waits"',
    "lua/devkit4ai/api/responses.lua -> lua/devkit4ai/loop/waits.lua: " },
  { "api/ and util/ are pure", "lua/devkit4ai/util/errors/init.lua", 'local retry = require "devkit4ai.request.retry"',
    "lua/devkit4ai/util/errors/init.lua -> lua/devkit4ai/request/retry/init.lua: " },
}

describe("tools/architecture", function()
  local folder

  -- What it prints for the copy of the tree, and its exit code.
  local function run()
    local printed = helper.shell(("lua5.4 %s/tools/architecture 2>&1; echo $?"):format(quote(folder)))
    return printed:match("^(.*\n)(%d+)\n$")
  end

  -- The lines under a check that failed.
  local function faults_of(printed, name)
    return printed:match("\nFAILED " .. name:gsub("%p", "%%%0") .. "\n(.-)\n%S") or ""
  end

  local function write(path, line)
    local file = io.open(path, "rb")
    local text = file and file:read("a") or ""
    if file then file:close() end
    file = assert(io.open(path, "wb"))
    file:write(line, "\n", text)
    file:close()
  end

  before_each(function()
    folder = child.folder()
    assert(os.execute(([[folder=%s
      mkdir -p "$folder/tools" && cp -r bin include lua src "$folder" && cp tools/architecture "$folder/tools"]])
      :format(quote(folder))))
  end)
  after_each(function() child.remove(folder) end)

  it("passes with the tree as it is", function()
    local printed, code = run()
    assert.equal("0", code, printed)
    assert.matches("\n%d+ passed, 0 failed\n$", printed)
  end)

  for _, case in ipairs(PLANTED) do
    local name, path, line, fault = table.unpack(case)
    it(("finds in %s: %s"):format(path, line), function()
      write(folder .. "/" .. path, line)
      local printed, code = run()
      assert.equal("1", code)
      assert.is_truthy(faults_of(printed, name):find(fault, 1, true), printed)
    end)
  end

  it("takes no comment for a dependency", function()
    write(folder .. "/lua/devkit4ai/loop/hosts/own.lua", '-- require "devkit4ai.request.call", and core.pause(1)')
    write(folder .. "/lua/devkit4ai/resources/key.lua", 'local key = {} -- see require "devkit4ai.core" and io.popen')
    local printed, code = run()
    assert.equal("0", code, printed)
  end)

  it("prints the layers as the page of the architecture shows them", function()
    local page, printed = child.read "docs/design/architecture.md", run()
    local layers = printed:match("^(.-\n)\n")
    assert.is_truthy(page:find(layers, 1, true), layers)
  end)
end)
