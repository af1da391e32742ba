--- Operations on projects, their users and their keys (wire.md 3.1, rows 15 to 26).
local limits = require "devkit4ai.api.limits"
local roles = require "devkit4ai.api.operations.roles"

local PAGING = { size_argument = "page_size", default = limits.PAGE_SIZE, max = limits.MAX_PAGE_SIZE }

return {
  list_projects = { -- row 15
    method = "GET", path = "/api/v1/projects/", profile = roles.developer,
    response = "projects",
    retry_class = "safe", call_name = "client:projects",
  },
  create_project = { -- row 16
    method = "POST", path = "/api/v1/projects/", profile = roles.developer,
    body = { json = { "name", "description" } },
    response = "project",
    retry_class = "never", call_name = "client:new_project", creates_object = "project",
    unknown_advice = "the project may exist now: look for its name in client:projects() before you create it again",
  },
  get_global_stats = { -- row 17
    method = "GET", path = "/api/v1/projects/stats", profile = roles.developer,
    query = { "search", "is_active", "project_id" }, uuids = { "project_id" },
    response = "record",
    retry_class = "safe", call_name = "client:stats",
  },
  list_all_users = { -- row 18
    method = "GET", path = "/api/v1/projects/users", profile = roles.developer,
    query = { "page", "page_size", "search", "is_active", "project_id" }, uuids = { "project_id" }, paging = PAGING,
    response = "page", list_field = "users", returns_headers = true,
    retry_class = "safe", call_name = "client:users",
  },
  get_project = { -- row 19
    method = "GET", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    response = "project", id_argument = "project_id",
    retry_class = "safe", call_name = "project:refresh",
  },
  update_project = { -- row 20
    method = "PUT", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    body = { json = { "name", "description" } },
    response = "project", id_argument = "project_id",
    retry_class = "idempotent", call_name = "project:update",
    unknown_advice = "the project may have the new values now: check with project:refresh()",
  },
  delete_project = { -- row 21
    method = "DELETE", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    response = "none",
    retry_class = "delete", done_statuses = { [404] = true }, call_name = "project:delete",
    unknown_advice = "the project may be deleted now: check client:projects()",
  },
  get_project_stats = { -- row 22
    method = "GET", path = "/api/v1/projects/{project_id}/stats", profile = roles.developer,
    query = { "search", "is_active" },
    response = "record",
    retry_class = "safe", call_name = "project:stats",
  },
  create_api_key = { -- row 23
    method = "POST", path = "/api/v1/projects/{project_id}/api-keys", profile = roles.developer,
    body = { json = { "name" } },
    response = "key",
    retry_class = "never", call_name = "project:new_key", creates_object = "key",
    unknown_advice = "a key that you have not seen may exist now: find it in project:keys() before you create another",
  },
  list_api_keys = { -- row 24
    method = "GET", path = "/api/v1/projects/{project_id}/api-keys", profile = roles.developer,
    response = "keys",
    retry_class = "safe", call_name = "project:keys",
  },
  revoke_api_key = { -- row 25; wire.md D31: any 2xx
    method = "DELETE", path = "/api/v1/projects/{project_id}/api-keys/{api_key_id}", profile = roles.developer,
    response = "none",
    retry_class = "delete", done_statuses = { [404] = true }, call_name = "key:revoke",
    unknown_advice = "the key may be revoked now: check project:keys()",
  },
  list_project_users = { -- row 26
    method = "GET", path = "/api/v1/projects/{project_id}/users", profile = roles.developer,
    query = { "page", "page_size", "search", "is_active" }, paging = PAGING,
    response = "page", list_field = "users", returns_headers = true,
    retry_class = "safe", call_name = "project:users",
  },
}
