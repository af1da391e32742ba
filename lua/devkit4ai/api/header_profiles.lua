--- Header profiles: the request headers of each kind of caller (wire.md 1.4). The core fills {slot} with a secret; a header
--- marked ? is left out if its slot is empty.
return {
  none = {},
  bearer = { "Authorization: Bearer {access_token}" },
  developer = { "Authorization: Bearer {access_token}", "X-User-Role: developer", "X-Developer-Key: {developer_key}" },
  end_user = {
    "Authorization: Bearer {access_token}", "X-User-Role: end_user", "X-Developer-Key: {developer_key}",
    "X-Project-ID: {project_id}", "X-API-Key: {project_key}",
  },
  platform_operator = {
    "Authorization: Bearer {access_token}", "X-User-Role: platform_operator", "X-Operator-Key: {operator_key}",
  },
  register_developer = { "X-Operator-Key: {operator_key}" },
  register_end_user = { -- wire.md D19: all four that the client has
    "X-User-Role: end_user", "X-Developer-Key: {developer_key}", "X-Project-ID: {project_id}",
    "?X-API-Key: {project_key}",
  },
  login_end_user = { "X-Project-ID: {project_id}" },
}
