--- Which object sends a job: the client, or the project of the job.
local M = {}

--- For the jobs of one client. The object of a project is made once.
---@param client devkit4ai.Client
---@param default (string|devkit4ai.Project)? the project of jobs that name none
---@return fun(job: devkit4ai.batch.Job): devkit4ai.Scope
function M.of(client, default)
  if type(default) == "table" then default = default.id end
  local projects = {}
  return function(job)
    local id = job.project or default
    if not id then return client end
    projects[id] = projects[id] or client:project(id)
    return projects[id]
  end
end

return M
