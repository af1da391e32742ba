--- Operations on generations and their images (wire.md 3.1, rows 27 to 34).
local limits = require "devkit4ai.api.limits"
local roles = require "devkit4ai.api.operations.roles"

local PAGING = { -- wire.md D50
  size_argument = "per_page", default = limits.GENERATION_PAGE_SIZE, max = limits.MAX_PAGE_SIZE,
}

-- The images and the instructions. file_fields: the names that the field of the images may have, in order (wire.md D36).
local function images_form(...)
  return { multipart = { file_fields = { ... }, text_field = "instructions", max_bytes = limits.MAX_IMAGE_BYTES } }
end

local CONFLICT = { [409] = true } -- a proxy may have sent the request twice; the second one conflicts with the first
local EXISTS = { conflict = "the generation may already exist" }
local EXPIRED = "the image URL has expired, or the image is deleted: gen:refresh() gets a new URL"

return {
  create_generation = { -- row 27
    method = "POST", path = "/api/v1/generation/generate-v2", profile = roles.end_user,
    body = images_form("example_images", "files"), -- as the guide has it
    response = "generation", returns_headers = true,
    retry_class = "never", billable = true, unknown_statuses = CONFLICT, listed = true,
    call_name = "project:generate", advice = EXISTS,
    unknown_advice = "the generation may be running and paid for, so the library does not send it again: search your "
      .. "generations for these instructions before you repeat the call",
  },
  get_generation_status = { -- row 28
    method = "GET", path = "/api/v1/generation/generations-v2/{generation_id}/status", profile = roles.end_user,
    response = "generation", id_argument = "generation_id", returns_headers = true,
    retry_class = "safe", call_name = "gen:refresh",
  },
  list_generations = { -- row 29
    method = "GET", path = "/api/v1/generation/generations-v2", profile = roles.end_user,
    query = { "page", "per_page" }, paging = PAGING,
    response = "generations", returns_headers = true,
    retry_class = "safe", call_name = "client:generations",
  },
  set_generation_public = { -- row 30; sets the value, does not toggle it; wire.md D43: urlencoded, D44: any 2xx
    method = "PATCH", path = "/api/v1/generation/generations-v2/{generation_id}/public", profile = roles.end_user,
    body = { urlencoded = { "is_public" } },
    response = "none",
    retry_class = "idempotent", call_name = "gen:publish",
    unknown_advice = "the change may be done: check is_public with gen:refresh()",
  },
  delete_generation = { -- row 31; wire.md D42: the path of the OpenAPI file
    method = "DELETE", path = "/api/v1/generation/generations-v2/{generation_id}", profile = roles.end_user,
    response = "none",
    retry_class = "delete", done_statuses = { [404] = true }, call_name = "gen:delete",
    unknown_advice = "the generation may be deleted now: check with gen:refresh()",
  },
  list_public_generations = { -- row 32
    method = "GET", path = "/api/v1/generation/public-generations-v2", profile = roles.anyone,
    query = { "page", "per_page" }, paging = PAGING,
    response = "generations", returns_headers = true,
    retry_class = "safe", call_name = "client:public_generations",
  },
  create_anonymous_generation = { -- row 33
    method = "POST", path = "/api/v1/generation/generate-anonymous-v2", profile = roles.anyone,
    body = images_form("files", "example_images"), -- as the OpenAPI file has it; the guide does not name it (wire.md D37)
    response = "generation", returns_headers = true,
    retry_class = "never", billable = true, unknown_statuses = CONFLICT,
    call_name = "client:generate_anonymous", advice = EXISTS,
    unknown_advice = "the generation may be running, and counts against the free generations of the day; no call "
      .. "can find it again, because anonymous generations are in no list",
  },
  get_anonymous_generation_status = { -- row 34
    method = "GET", path = "/api/v1/generation/anonymous-generations-v2/{generation_id}/status", profile = roles.anyone,
    response = "generation", id_argument = "generation_id", returns_headers = true,
    retry_class = "safe", call_name = "gen:refresh",
  },
  get_picture = { -- not in the API: a generation has the URL (wire.md 5.4); no credentials are sent to it (1.4)
    method = "GET", profile = roles.anyone,
    retry_class = "safe", call_name = "gen:save", response = "image", max_redirects = limits.MAX_REDIRECTS,
    expired_statuses = { [400] = true, [401] = true, [403] = true, [404] = true, [410] = true },
    advice = { invalid = EXPIRED, auth = EXPIRED, forbidden = EXPIRED, not_found = EXPIRED, protocol = EXPIRED },
    hint = "fresh_url",
  },
}
