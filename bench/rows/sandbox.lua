--- Row of the sandbox: the CPU of a request whose token is checked, compared with a bare Node server and Prism.
local M = {}

local SECONDS = 1

function M.R9(harness)
  local late = {} -- name -> the 99th percentiles of its rounds, for the second table

  local function server_cost(name, kind, ...)
    late[name] = {}
    local run = harness.command(harness.lua("lua5.4", "server_cost.lua", kind, SECONDS,
      harness.quote(harness.pin_apart), harness.pin .. table.concat({ ... }, " ")))
    return function()
      local cpu, percentile = run()
      table.insert(late[name], percentile)
      return cpu
    end
  end

  local function percentile_of(name)
    return function() return table.remove(late[name], 1) end
  end

  local cells = {
    { name = "bare Node http", measure = server_cost("node", "node", "node", harness.script "peers/node_server.mjs") },
    { name = "the sandbox", ratio = 2, measure = server_cost("sandbox", "sandbox", harness.sandbox) },
  }
  if harness.prism then
    cells[#cells + 1] = { name = "Prism", measure = server_cost("prism", "prism", harness.prism) }
    cells[#cells + 1] = { name = "the sandbox (x: to Prism)", base = "Prism", ratio = 0.1,
      measure = function(seen) return seen["the sandbox"].figure end }
  else
    print("Prism is missing here (tools/contract), and is not measured")
  end
  harness.show("R9: GET /auth/me from 64 connections", "us a request", cells)
  harness.show("R9: the same, 99th percentile", "ms", {
    { name = "bare Node http", measure = percentile_of "node" },
    { name = "the sandbox", figure = 20, measure = percentile_of "sandbox" },
  })
end

return M
