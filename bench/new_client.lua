--- The client of the benchmarks. Its requests have the headers that those of a real program have.
local devkit4ai = require "devkit4ai"

local M = {}

M.PROJECT = "660e8400-e29b-41d4-a716-446655440000"
M.GENERATION = "550e8400-e29b-41d4-a716-446655440000"
-- as long as the vendor's tokens are; like the vendor's samples it expired long ago, so its age counts from now
M.TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
  .. ".eyJzdWIiOiI1NTBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2NTU0NDAwMDAiLCJleHAiOjE3MDIwMzY4MDB9"
  .. ".c2lnbmF0dXJlLW9mLXRoaXJ0eS10d28tYnl0ZXMtaGVyZQ"

--- Makes the client.
---@param base_url string
---@param roots string? a CA file; nil: the client's own
---@param loop string? nil: own, or nginx
---@return table client
function M.new(base_url, roots, loop)
  return devkit4ai.new {
    base_url = base_url,
    access_token = M.TOKEN,
    developer_key = "ak_abc123XYZ-_789def456ghi012jkl345",
    project_id = M.PROJECT,
    project_key = "pk_abc123XYZ-_789def456ghi012jkl345",
    ca_file = roots,
    loop = loop,
  }
end

--- So many calls, and at most so many at once, each in a task.
---@param client table
---@param at_once integer
---@param count integer
function M.call_many(client, at_once, count)
  local tasks = {}
  for i = 1, at_once do
    tasks[i] = devkit4ai.spawn(function()
      while count > 0 do
        count = count - 1
        assert(assert(client:me()).email == "dev@example.com")
      end
    end)
  end
  for _, task in ipairs(tasks) do task:join() end
end

return M
