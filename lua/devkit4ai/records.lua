---@meta
--- What records without methods hold, for editors and the reference; nothing loads this file. A field that the server leaves
--- out is absent, and unknown ones stand beside these.

---@class devkit4ai.User an end user, as a developer's lists tell of one
---@field id string
---@field email string?
---@field full_name string?
---@field is_active boolean?
---@field created_at string? ISO 8601
---@field joined_at string? ISO 8601
---@field project_id string? in the list of all projects
---@field project_name string? in the list of all projects
---@field raw table the decoded answer

---@class devkit4ai.Count
---@field total integer
---@field active integer

---@class devkit4ai.Stats
---@field projects devkit4ai.Count? of all projects together alone
---@field users devkit4ai.Count?
---@field api_keys devkit4ai.Count?
---@field raw table the decoded answer

---@class devkit4ai.Health of all parts, or of one
---@field status string? "healthy", ...
---@field database table? of all parts
---@field file_storage table? of all parts
---@field redis table? of all parts
---@field system table? of "detailed"
---@field version string?
---@field timestamp string?
---@field note string?
---@field error string?
---@field raw table the decoded answer; what one part says of itself stands beside it, by its own name

---@class devkit4ai.StripeConfig
---@field id string?
---@field project_id string?
---@field is_active boolean?
---@field has_test_credentials boolean?
---@field has_live_credentials boolean?
---@field test_secret_key_masked string? as the other five: type, three dots, four last characters
---@field test_publishable_key_masked string?
---@field test_webhook_secret_masked string?
---@field live_secret_key_masked string?
---@field live_publishable_key_masked string?
---@field live_webhook_secret_masked string?
---@field test_configured_at string? ISO 8601
---@field live_configured_at string? ISO 8601
---@field created_at string? ISO 8601
---@field updated_at string? ISO 8601
---@field raw table the decoded answer

---@class devkit4ai.WebhookUrls
---@field test_webhook_url string?
---@field live_webhook_url string?
---@field raw table the decoded answer

---@class devkit4ai.Validation
---@field valid boolean
---@field message string?
---@field raw table the decoded answer

---@class devkit4ai.Checkout
---@field session_id string?
---@field checkout_url string where to send the user
---@field raw table the decoded answer

---@class devkit4ai.Portal
---@field portal_url string where to send the user
---@field raw table the decoded answer

---@class devkit4ai.Cancellation
---@field subscription_id string? Stripe's
---@field status string? still "active" where it ends with what is paid for
---@field cancel_at string? ISO 8601; when it ends
---@field cancelled_at string? ISO 8601
---@field message string?
---@field raw table the decoded answer

---@class devkit4ai.Change
---@field subscription_id string? Stripe's
---@field status string?
---@field price_id string?
---@field message string?
---@field raw table the decoded answer

---@class devkit4ai.Subscription
---@field id string
---@field project_id string?
---@field user_id string?
---@field is_test_mode boolean?
---@field subscription_id string? Stripe's
---@field customer_id string? Stripe's
---@field status string? "active", "trialing", "past_due", "canceled" (some write "cancelled"), ...; an open set
---@field plan_name string?
---@field quantity integer?
---@field current_period_start string? ISO 8601
---@field current_period_end string? ISO 8601
---@field cancel_at string? ISO 8601
---@field cancelled_at string? ISO 8601
---@field created_at string? ISO 8601
---@field project_name string? in the list of all projects
---@field provider string? in the list of all projects
---@field raw table the decoded answer

---@class devkit4ai.Payment
---@field id string
---@field project_id string?
---@field subscription_id string? the API's own id of the subscription, not Stripe's
---@field user_id string?
---@field is_test_mode boolean?
---@field payment_intent_id string? Stripe's
---@field status string? "succeeded", "pending", "failed", "canceled", "refunded", ...; an open set
---@field amount_cents integer?
---@field currency string? ISO 4217, in lower case
---@field description string?
---@field refunded_amount_cents integer?
---@field created_at string? ISO 8601
---@field project_name string? in the list of all projects
---@field provider string? in the list of all projects
---@field raw table the decoded answer

---@class devkit4ai.PaymentProject a project, and whether it takes payments
---@field id string
---@field name string?
---@field description string?
---@field has_payment_config boolean?
---@field has_test_credentials boolean?
---@field has_live_credentials boolean?
---@field test_configured_at string? ISO 8601
---@field live_configured_at string? ISO 8601
---@field is_active boolean?
---@field created_at string? ISO 8601
---@field raw table the decoded answer

---@class devkit4ai.PaymentStats
---@field total_projects integer?
---@field projects_with_config integer?
---@field projects_with_test integer?
---@field projects_with_live integer?
---@field total_subscriptions integer?
---@field active_subscriptions integer? active or trialing
---@field total_payments integer?
---@field successful_payments integer?
---@field total_revenue_cents integer?
---@field currency string? "usd"
---@field raw table the decoded answer
