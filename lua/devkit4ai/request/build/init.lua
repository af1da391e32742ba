--- Builds calls: the request of an operation from its row, the client and the arguments.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local lazy = require "devkit4ai.util.lazy"
local arguments = lazy.module "devkit4ai.request.build.arguments"
local operations = require "devkit4ai.api.operations"
local plans = require "devkit4ai.request.plan"

local M = {}

local now = core.now

---@class devkit4ai.Call one call of an operation. Each field has one writer, named in brackets; the other steps only read it.
---@field client devkit4ai.Client [build] whose settings and connections the call uses
---@field plan devkit4ai.Plan [build] what all calls of the operation have in common
---@field args table? [build] path parameters, query and fields of the body, secrets among them
---@field options devkit4ai.CallOptions? [build]
---@field request table [build] for core.request; [send] for a second attempt, a new one that inherits from it
---@field secrets userdata [build] fills the request, and masks the texts of the response
---@field own_secrets userdata? [build] a set for this call alone; it is `secrets`, and is closed after the call
---@field started number [build] core.now()
---@field on_upload (fun(sent: integer, total: integer))? [call] receives the progress while the body is sent
---@field refreshes integer? [call] how often a 401 gave this call new tokens
---@field attempts integer [send] how often the request was sent or tried
---@field maybe_done boolean? [send] the outcome of an earlier attempt is unknown
---@field retry_cost number? [send] what its retries took from the retry budget
---@field redirects integer? [send] how many redirects it has followed
---@field other_part integer? [send] the other name of the files' part that it tried after a 422

---@class devkit4ai.CallOptions what a caller sets for one call; other fields (url, save_as, json, form, max_answer, overwrite) go to core.request
---@field total number? seconds for the whole call
---@field headers table<string, string>? the user's own
---@field hidden string[]? values that the response may repeat and nothing may show
---@field call_name string? the call as the user knows it, in place of the row's
---@field tries integer? most attempts, in place of the client's
---@field max_wait number? seconds; in place of the client's
---@field creation devkit4ai.Creation? its owner raises an error that ended the call, which is in err.raised

--- Builds a call. Raises at the caller's line if the client is closed.
---@param scope devkit4ai.Scope
---@param name string of the operation
---@param args table?
---@param options devkit4ai.CallOptions?
---@param row table? the caller's own, in place of the operation's
---@return devkit4ai.Call?
---@return string? message
---@return devkit4ai.Error? err
function M.call(scope, name, args, options, row)
  local client = scope._client
  if client._closed then
    errors.raise((options and options.call_name or (row or operations.get(name)).call_name) .. ": the client is closed")
  end
  local plan, message, err
  if not row then plan = client._plans[name] end
  if not plan then
    plan, message, err = plans.new(client, name, row or operations.get(name))
    if not plan then return nil, message, err end
    if not row then client._plans[name] = plan end -- the plan of a caller's own row is not kept
  end
  local call = {
    client = client, plan = plan, request = plan.request, secrets = scope._secrets, started = now(), attempts = 0,
  }
  if options or not plan.is_fixed then
    call.args, call.options = args or {}, options
    local done
    done, message, err = arguments.add(call)
    if not done then return nil, message, err end
  end
  return call
end

return M
