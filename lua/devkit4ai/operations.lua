--- The API's operations as rows. What differs between them is a column here, never a branch in `call`.
---
--- method, path: {name} is an argument, a UUID · profile: by the client's role, a row of `profiles` · query: names of
--- arguments · paging: of a list in pages { size: the name of the page's size, default, most } · body: { json = names of
--- arguments } or { form = { parts: the names that the files' part may have; text: the text's; max_bytes: of a file } } ·
--- slots: secrets that go into the JSON body; an argument of that name is one, and is masked while the call lives ·
--- answer: a function of `answers`, or "picture" · redirects: how many are followed · heed: the head of a GET's answer is
--- wanted · repeats: the class of CONTRACT 7 (retry.lua) · creates: it may cost money, so no total limit · says: the words a
--- user typed · unknown: what to do when nobody knows whether it was done · meant: by status, the words that tell another
--- one · advice: by kind, where the general one does not fit.
local developer = { developer = "dev", platform_operator = "op" } -- operators: R:getting-started/cloud-api-explained
local anyone = { developer = "none", end_user = "none", platform_operator = "none" }
local bearer = { developer = "bearer", end_user = "bearer", platform_operator = "bearer" }
local end_user = { developer = "end", end_user = "end", platform_operator = "end" } -- the guide's step 6 (D25)

return {
  register = { -- CONTRACT 3.1, row 6
    method = "POST", path = "/api/v1/auth/register",
    profile = { developer = "reg_dev", end_user = "reg_end", platform_operator = "reg_dev" },
    body = { json = { "email", "full_name" } }, slots = { "password" },
    answer = "registration", repeats = "never", says = "client:register", meant = { [400] = { "already", 409 } }, -- D21
    unknown = "the account may exist now, and its keys can't be asked for again: try to log in before you register "
      .. "anew",
  },
  login = { -- row 7
    method = "POST", path = "/api/v1/auth/login",
    profile = { developer = "none", end_user = "login_end", platform_operator = "none" },
    body = { json = { "email" } }, slots = { "password" },
    answer = "tokens", repeats = "unsent", says = "client:login",
    advice = { auth = "look at the e-mail address and the password" },
    unknown = "you can log in again; many tries in a short time may lock the account",
  },
  get_me = { -- row 8
    method = "GET", path = "/api/v1/auth/me", profile = bearer,
    answer = "account", repeats = "safe", says = "client:me",
  },
  refresh_token = { -- row 9
    method = "POST", path = "/api/v1/auth/refresh", profile = anyone,
    body = { json = {} }, slots = { "refresh_token" },
    answer = "tokens", repeats = "once_more", says = "client:refresh_token",
    unknown = "the old refresh token may be used up: if the next call is refused, log in again",
  },
  list_projects = { -- row 15
    method = "GET", path = "/api/v1/projects/", profile = developer,
    answer = "projects", repeats = "safe", says = "client:projects",
  },
  create_project = { -- row 16
    method = "POST", path = "/api/v1/projects/", profile = developer,
    body = { json = { "name", "description" } },
    answer = "project", repeats = "never", says = "client:new_project",
    unknown = "the project may exist now: look for its name in client:projects() before you make it anew",
  },
  create_api_key = { -- row 23
    method = "POST", path = "/api/v1/projects/{project_id}/api-keys", profile = developer,
    body = { json = { "name" } },
    answer = "key", repeats = "never", says = "project:new_key",
    unknown = "a key that nobody knows may exist now: look for it in project:keys() before you make another",
  },
  list_api_keys = { -- row 24
    method = "GET", path = "/api/v1/projects/{project_id}/api-keys", profile = developer,
    answer = "keys", repeats = "safe", says = "project:keys",
  },
  create_generation = { -- row 27; D36: the guide's name of the part first, the OpenAPI file's where the server wants that
    method = "POST", path = "/api/v1/generation/generate-v2", profile = end_user,
    body = { form = { parts = { "example_images", "files" }, text = "instructions", max_bytes = 10 * 1024 * 1024 } },
    answer = "generation", repeats = "never", creates = true, says = "project:generate",
    unknown = "the picture may be under way and paid for, so it is never sent again by itself: look among your "
      .. "generations for these instructions before you send it anew",
  },
  get_generation_status = { -- row 28
    method = "GET", path = "/api/v1/generation/generations-v2/{generation_id}/status", profile = end_user,
    answer = "generation", heed = true, repeats = "safe", says = "gen:refresh",
  },
  list_generations = { -- row 29
    method = "GET", path = "/api/v1/generation/generations-v2", profile = end_user, query = { "page", "per_page" },
    paging = { size = "per_page", default = 20, most = 100 }, -- D50
    answer = "generations", heed = true, repeats = "safe", says = "client:generations",
  },
  list_public_generations = { -- row 32
    method = "GET", path = "/api/v1/generation/public-generations-v2", profile = anyone, query = { "page", "per_page" },
    paging = { size = "per_page", default = 20, most = 100 },
    answer = "generations", heed = true, repeats = "safe", says = "client:public_generations",
  },
  get_picture = { -- no row of the API: the address stands in a generation (5.4), and gets no credentials (1.4)
    method = "GET", profile = anyone, repeats = "safe", says = "gen:save", answer = "picture", redirects = 3,
  },
}
