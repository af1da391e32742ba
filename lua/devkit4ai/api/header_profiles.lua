--- The header profiles of wire.md 1.4, exactly: {slot} is filled by the core, a line marked ? is left out when its slot is empty.
return {
  none = {},
  bearer = { "Authorization: Bearer {access_token}" },
  dev = { "Authorization: Bearer {access_token}", "X-User-Role: developer", "X-Developer-Key: {developer_key}" },
  ["end"] = {
    "Authorization: Bearer {access_token}", "X-User-Role: end_user", "X-Developer-Key: {developer_key}",
    "X-Project-ID: {project_id}", "X-API-Key: {project_key}",
  },
  op = { "Authorization: Bearer {access_token}", "X-User-Role: platform_operator", "X-Operator-Key: {operator_key}" },
  reg_dev = { "X-Operator-Key: {operator_key}" },
  reg_end = { -- wire.md D19: all four where they are held
    "X-User-Role: end_user", "X-Developer-Key: {developer_key}", "X-Project-ID: {project_id}",
    "?X-API-Key: {project_key}",
  },
  login_end = { "X-Project-ID: {project_id}" },
}
