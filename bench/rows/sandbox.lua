--- Row of the sandbox: what it spends on a request whose token it checks, beside a bare Node server and Prism.
local M = {}

local SECONDS = 1

function M.R9(kit)
  local late = {} -- name -> the 99th percentiles of its rounds, for the second table

  local function served(name, kind, ...)
    late[name] = {}
    local run = kit.command(kit.lua("lua5.4", "served.lua", kind, SECONDS, kit.quote(kit.pin_apart),
      kit.pin .. table.concat({ ... }, " ")))
    return function()
      local cpu, percentile = run()
      table.insert(late[name], percentile)
      return cpu
    end
  end

  local function kept(name)
    return function() return table.remove(late[name], 1) end
  end

  local cells = {
    { name = "bare Node http", measure = served("node", "node", "node", kit.script "served.mjs") },
    { name = "the sandbox", ratio = 2, measure = served("sandbox", "sandbox", kit.sandbox) },
  }
  if kit.prism then
    cells[#cells + 1] = { name = "Prism", measure = served("prism", "prism", kit.prism) }
    cells[#cells + 1] = { name = "the sandbox (x: to Prism)", base = "Prism", ratio = 0.1,
      measure = function(seen) return seen["the sandbox"].figure end }
  else
    print("Prism is missing here (tools/contract), and goes unmeasured")
  end
  kit.show("R9: GET /auth/me from 64 connections", "us a request", cells)
  kit.show("R9: the same, 99th percentile", "ms", {
    { name = "bare Node http", measure = kept "node" }, { name = "the sandbox", figure = 20, measure = kept "sandbox" },
  })
end

return M
