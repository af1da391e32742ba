--- Projects, their users and their keys: wire.md 3.1, rows 15 to 26.
local roles = require "devkit4ai.api.operations.roles"

local PAGE = { size = "page_size", default = 50, most = 100 } -- "page A" of wire.md 3.1

return {
  list_projects = { -- row 15
    method = "GET", path = "/api/v1/projects/", profile = roles.developer,
    answer = "projects", repeats = "safe", says = "client:projects",
  },
  create_project = { -- row 16
    method = "POST", path = "/api/v1/projects/", profile = roles.developer,
    body = { json = { "name", "description" } },
    answer = "project", repeats = "never", says = "client:new_project",
    makes = "project",
    unknown = "the project may exist now: look for its name in client:projects() before you make it anew",
  },
  get_global_stats = { -- row 17
    method = "GET", path = "/api/v1/projects/stats", profile = roles.developer,
    query = { "search", "is_active", "project_id" }, uuids = { "project_id" },
    answer = "record", repeats = "safe", says = "client:stats",
  },
  list_all_users = { -- row 18
    method = "GET", path = "/api/v1/projects/users", profile = roles.developer,
    query = { "page", "page_size", "search", "is_active", "project_id" }, uuids = { "project_id" }, paging = PAGE,
    answer = "page", list = "users", heed = true, repeats = "safe", says = "client:users",
  },
  get_project = { -- row 19
    method = "GET", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    answer = "project", about = "project_id", repeats = "safe", says = "project:refresh",
  },
  update_project = { -- row 20
    method = "PUT", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    body = { json = { "name", "description" } },
    answer = "project", about = "project_id", repeats = "same", says = "project:update",
    unknown = "it may have the new values now: look with project:refresh()",
  },
  delete_project = { -- row 21
    method = "DELETE", path = "/api/v1/projects/{project_id}", profile = roles.developer,
    answer = "nothing", repeats = "delete", gone = { [404] = true }, says = "project:delete",
    unknown = "the project may be gone now: look for it in client:projects()",
  },
  get_project_stats = { -- row 22
    method = "GET", path = "/api/v1/projects/{project_id}/stats", profile = roles.developer,
    query = { "search", "is_active" },
    answer = "record", repeats = "safe", says = "project:stats",
  },
  create_api_key = { -- row 23
    method = "POST", path = "/api/v1/projects/{project_id}/api-keys", profile = roles.developer,
    body = { json = { "name" } },
    answer = "key", repeats = "never", says = "project:new_key",
    makes = "key",
    unknown = "a key that nobody knows may exist now: look for it in project:keys() before you make another",
  },
  list_api_keys = { -- row 24
    method = "GET", path = "/api/v1/projects/{project_id}/api-keys", profile = roles.developer,
    answer = "keys", repeats = "safe", says = "project:keys",
  },
  revoke_api_key = { -- row 25; wire.md D31: any 2xx
    method = "DELETE", path = "/api/v1/projects/{project_id}/api-keys/{api_key_id}", profile = roles.developer,
    answer = "nothing", repeats = "delete", gone = { [404] = true }, says = "key:revoke",
    unknown = "the key may be revoked now: look for it in project:keys()",
  },
  list_project_users = { -- row 26
    method = "GET", path = "/api/v1/projects/{project_id}/users", profile = roles.developer,
    query = { "page", "page_size", "search", "is_active" }, paging = PAGE,
    answer = "page", list = "users", heed = true, repeats = "safe", says = "project:users",
  },
}
