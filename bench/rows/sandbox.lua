--- Row of the sandbox: what it spends on a request whose token it checks, beside a bare Node server and Prism.
local M = {}

local SECONDS = 1

-- a cell's figure is the first that a run prints, or the second
local function part(measure, which)
  return function() return (select(which, measure())) end
end

function M.R9(kit)
  local function served(kind, ...)
    return kit.command(kit.lua("lua5.4", "served.lua", kind, SECONDS, kit.quote(kit.pin_apart),
      kit.pin .. table.concat({ ... }, " ")))
  end
  local sandbox = served("sandbox", kit.sandbox)
  local node, prism = served("node", "node", kit.script "served.mjs"), kit.prism and served("prism", kit.prism)
  local cells = { { name = "bare Node http", measure = part(node, 1) },
    { name = "the sandbox", ratio = 2, measure = part(sandbox, 1) } }
  if kit.prism then
    cells[#cells + 1] = { name = "Prism", measure = part(prism, 1) }
    cells[#cells + 1] = { name = "the sandbox (x: to Prism)", base = "Prism", ratio = 0.1, measure = part(sandbox, 1) }
  else
    print("Prism is missing here (tools/contract), and goes unmeasured")
  end
  kit.show("R9: GET /auth/me from 64 connections", "us a request", cells)
  kit.show("R9: the same, 99th percentile", "ms", { { name = "bare Node http", measure = part(node, 2) },
    { name = "the sandbox", figure = 20, measure = part(sandbox, 2) } })
end

return M
