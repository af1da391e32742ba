--- Generations and their pictures: wire.md 3.1, rows 27 to 34.
local roles = require "devkit4ai.api.operations.roles"

local PAGE = { size = "per_page", default = 20, most = 100 } -- "page B" of wire.md 3.1 (D50)

-- Images and instructions; the files' part has the first of the names, the second where the server wants that (wire.md D36).
local function order(...)
  return { form = { parts = { ... }, text = "instructions", most = 5, max_bytes = 10 * 1024 * 1024 } } -- wire.md 5.1
end

local DOUBTFUL = { [409] = true } -- a proxy may have sent it twice, and the second one met the first
local THERE = { conflict = "it may be there already" }
local STALE = "the URL of the image has expired, or the image is gone: gen:refresh() asks for a fresh URL"

return {
  create_generation = { -- row 27
    method = "POST", path = "/api/v1/generation/generate-v2", profile = roles.end_user,
    body = order("example_images", "files"), -- the guide's name
    answer = "generation", heed = true, repeats = "never", creates = true, doubtful = DOUBTFUL, findable = true,
    says = "project:generate", advice = THERE,
    unknown = "the picture may be under way and paid for, so it is never sent again by itself: look among your "
      .. "generations for these instructions before you send it anew",
  },
  get_generation_status = { -- row 28
    method = "GET", path = "/api/v1/generation/generations-v2/{generation_id}/status", profile = roles.end_user,
    answer = "generation", about = "generation_id", heed = true, repeats = "safe", says = "gen:refresh",
  },
  list_generations = { -- row 29
    method = "GET", path = "/api/v1/generation/generations-v2", profile = roles.end_user,
    query = { "page", "per_page" }, paging = PAGE,
    answer = "generations", heed = true, repeats = "safe", says = "client:generations",
  },
  set_generation_public = { -- row 30; a set, no toggle; wire.md D43: form-urlencoded, D44: any 2xx
    method = "PATCH", path = "/api/v1/generation/generations-v2/{generation_id}/public", profile = roles.end_user,
    body = { pairs = { "is_public" } },
    answer = "nothing", repeats = "same", says = "gen:publish",
    unknown = "it may be done: look at is_public with gen:refresh()",
  },
  delete_generation = { -- row 31; wire.md D42: the OpenAPI file's path
    method = "DELETE", path = "/api/v1/generation/generations-v2/{generation_id}", profile = roles.end_user,
    answer = "nothing", repeats = "delete", gone = { [404] = true }, says = "gen:delete",
    unknown = "the generation may be gone now: look with gen:refresh()",
  },
  list_public_generations = { -- row 32
    method = "GET", path = "/api/v1/generation/public-generations-v2", profile = roles.anyone,
    query = { "page", "per_page" }, paging = PAGE,
    answer = "generations", heed = true, repeats = "safe", says = "client:public_generations",
  },
  create_anonymous_generation = { -- row 33
    method = "POST", path = "/api/v1/generation/generate-anonymous-v2", profile = roles.anyone,
    body = order("files", "example_images"), -- the OpenAPI file's, where the guide is silent (wire.md D37)
    answer = "generation", heed = true, repeats = "never", creates = true, doubtful = DOUBTFUL,
    says = "client:generate_anonymous", advice = THERE,
    unknown = "the picture may be under way, and counts among the free ones of the day; it can't be found again, since "
      .. "nobody's generations are listed",
  },
  get_anonymous_generation_status = { -- row 34
    method = "GET", path = "/api/v1/generation/anonymous-generations-v2/{generation_id}/status", profile = roles.anyone,
    answer = "generation", about = "generation_id", heed = true, repeats = "safe", says = "gen:refresh",
  },
  get_picture = { -- no row of the API: the address stands in a generation (wire.md 5.4), and gets no credentials (1.4)
    method = "GET", profile = roles.anyone, repeats = "safe", says = "gen:save", answer = "picture", redirects = 3,
    stale = { [400] = true, [401] = true, [403] = true, [404] = true, [410] = true },
    advice = { invalid = STALE, auth = STALE, forbidden = STALE, not_found = STALE, protocol = STALE },
    hint = "fresh_url",
  },
}
