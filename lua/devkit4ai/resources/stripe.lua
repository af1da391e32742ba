--- project.stripe: the Stripe configuration and the payments of a project, for its developer.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local object = require "devkit4ai.util.object"
local pages = require "devkit4ai.resources.pages"

---@class devkit4ai.Stripe
---@field private _project devkit4ai.Scope the project's private record
local Stripe = {}
Stripe.__name = "devkit4ai.Stripe"

function Stripe:__tostring()
  return "devkit4ai.Stripe of the project " .. self._project.id
end

local M = {}

--- The Stripe methods of a project. Sends no request.
---@param project devkit4ai.Scope the project's private record
---@return devkit4ai.Stripe
function M.new(project)
  return object.new(Stripe, {}, { _project = project })
end

-- Sends a call with the project's id among its arguments.
local function send(stripe, operation, options, extra)
  local args = { project_id = stripe._project.id }
  for name, value in pairs(options) do args[name] = value end
  return call.run(stripe._project, operation, args, extra)
end

--- The project's Stripe configuration, its keys masked by the server. Safe to repeat.
--- ```lua
--- local config, message = project.stripe:config()
--- print(config and config.test_secret_key_masked, message) --> sk_test_...WXYZ nil
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.StripeConfig? config nil without a message: the project has none
---@return string? message
---@return devkit4ai.Error? err
function Stripe:config(options)
  return send(self, "get_stripe_config", {}, validate.call_options("project.stripe:config", options))
end

local UPDATE = validate.schema {
  test_secret_key = { type = "string" }, test_publishable_key = { type = "string" },
  test_webhook_secret = { type = "string" }, live_secret_key = { type = "string" },
  live_publishable_key = { type = "string" }, live_webhook_secret = { type = "string" },
}

--- Sets the keys of Stripe; a field that you leave out stays. Check a key with validate first. Safe to repeat.
--- ```lua
--- local config = assert(project.stripe:update_config { test_secret_key = "sk_test_of_the_dashboard_WXYZ" })
--- print(config.has_test_credentials) --> true
--- ```
---@param options { test_secret_key: string?, test_publishable_key: string?, test_webhook_secret: string?, live_secret_key: string?, live_publishable_key: string?, live_webhook_secret: string?, timeout: number?, headers: table<string, string>? } as Stripe's dashboard shows them
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.StripeConfig?
---@return string? message
---@return devkit4ai.Error? err
function Stripe:update_config(options, call_options)
  options = validate.arguments("project.stripe:update_config", UPDATE, options, call_options)
  return send(self, "update_stripe_config", options, validate.extra_fields(options))
end

--- Deletes the configuration; subscriptions and their history stay. A second call after a success fails with `not_found`.
--- ```lua
--- assert(project.stripe:delete_config())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Stripe:delete_config(options)
  return send(self, "delete_stripe_config", {}, validate.call_options("project.stripe:delete_config", options))
end

--- The two webhook URLs to enter in Stripe's dashboard. Safe to repeat.
--- ```lua
--- print(project.stripe:webhook_urls().test_webhook_url) --> https://...
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.WebhookUrls?
---@return string? message
---@return devkit4ai.Error? err
function Stripe:webhook_urls(options)
  return send(self, "get_stripe_webhook_urls", {}, validate.call_options("project.stripe:webhook_urls", options))
end

local VALIDATE = validate.schema {
  secret_key = { type = "string", required = true }, is_test_mode = { type = "boolean" },
}

--- Whether Stripe accepts a key. A bad key is not an error: its result has `valid` false. Safe to repeat.
--- ```lua
--- print(project.stripe:validate { secret_key = "sk_test_of_the_dashboard_WXYZ" }.valid) --> true
--- ```
---@param options { secret_key: string, is_test_mode: boolean?, timeout: number?, headers: table<string, string>? } is_test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Validation?
---@return string? message
---@return devkit4ai.Error? err
function Stripe:validate(options, call_options)
  options = validate.arguments("project.stripe:validate", VALIDATE, options, call_options)
  return send(self, "validate_stripe_credentials", options, validate.extra_fields(options))
end

local LIST = validate.schema {
  test_mode = { type = "boolean" }, page = { type = "number" }, page_size = { type = "number" },
}

--- The project's subscriptions, in pages. Sends no request yet.
--- ```lua
--- for subscription in project.stripe:subscriptions() do print(subscription.status) end --> active
--- ```
---@param options { test_mode: boolean?, page: integer?, page_size: integer?, timeout: number?, headers: table<string, string>? }? test_mode: default true; page: the first one; page_size: 1 to 100, default 50; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Subscription
function Stripe:subscriptions(options, call_options)
  local call_name = "project.stripe:subscriptions"
  return pages.of_records(self._project, "list_project_subscriptions", call_name, LIST, options, call_options)
end

--- The project's payments, in pages. Sends no request yet.
--- ```lua
--- for payment in project.stripe:payments { page_size = 100 } do print(payment.payment_intent_id) end --> pi_1
--- ```
---@param options { test_mode: boolean?, page: integer?, page_size: integer?, timeout: number?, headers: table<string, string>? }? test_mode: default true; page: the first one; page_size: 1 to 100, default 50; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Payment
function Stripe:payments(options, call_options)
  local call_name = "project.stripe:payments"
  return pages.of_records(self._project, "list_project_payments", call_name, LIST, options, call_options)
end

return M
