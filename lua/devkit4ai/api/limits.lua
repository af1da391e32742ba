--- Limits and waiting times of the API and of its calls, with the source of each figure. Times are in seconds.
return {
  -- generations
  MAX_IMAGES = 5, -- per request (wire.md 5.1)
  MAX_IMAGE_BYTES = 10 * 1024 * 1024, -- per image (wire.md 5.1)
  MAX_INSTRUCTIONS = 1000, -- characters (code points) of their JSON text (wire.md 5.1, D38)
  MAX_GENERATION_TIME = 900, -- the slowest documented one takes 600 (wire.md 5.2); the sample of the guide stops at 486
  NOT_FOUND_TIME = 30, -- for this time after its creation, the server may answer 404 for a generation

  -- gen:wait (wire.md 5.3)
  FIRST_POLL = 5,
  POLL_GROWTH = 3 / 2, -- factor
  MAX_POLL = 30,

  -- lists ("page A" and "page B" of wire.md 3.1)
  PAGE_SIZE = 50,
  GENERATION_PAGE_SIZE = 20,
  MAX_PAGE_SIZE = 100,

  -- requests
  CONNECT_TIMEOUT = 10, -- as docs/limits.md says
  IDLE_TIMEOUT = 30, -- without a byte sent or received
  TOTAL_TIMEOUT = 120, -- of a call with its retries
  BILLABLE_IDLE_TIMEOUT = 120, -- without a total timeout, which would make slow uploads unknown outcomes (wire.md 1.2)
  MAX_ATTEMPTS = 3, -- of one call (wire.md 7)
  RETRY_BUDGET = 500, -- of a client: after a hundred retries without a success, there are no more (request/retry/init.lua)
  MAX_RETRY_WAIT = 60, -- a longer wait that the server asks for is left to the caller (wire.md 7)
  RATE_LIMIT_WAIT = 60, -- after a 429 that names no time, as in the guide's code (wire.md 4.2)
  MAX_REDIRECTS = 3, -- to an image (wire.md 5.4)
  MAX_FORM_FIELDS = 4, -- texts beside the files; DK_MAX_FIELDS of the core

  -- sizes in bytes
  MAX_RESPONSE_BYTES = 16 * 1024 * 1024, -- architecture.md, invariant 8
  MAX_RESULT_IMAGE_BYTES = 64 * 1024 * 1024, -- architecture.md, invariant 8
  MAX_FILE_NAME = 255, -- of the common file systems
}
