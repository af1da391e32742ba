--- Limits and waiting times of the API and of its calls, with the source of each figure. Times are in seconds.
return {
  -- generations
  MAX_IMAGES = 5, -- per request (CONTRACT 5.1)
  MAX_IMAGE_BYTES = 10 * 1024 * 1024, -- per image (CONTRACT 5.1)
  MAX_INSTRUCTIONS = 1000, -- characters (code points) of their JSON text (CONTRACT 5.1, D38)
  MAX_GENERATION_TIME = 900, -- the slowest documented one takes 600 (CONTRACT 5.2); the sample of the guide stops at 486
  NOT_FOUND_TIME = 30, -- for this time after its creation, the server may answer 404 for a generation

  -- gen:wait (CONTRACT 5.3)
  FIRST_POLL = 5,
  POLL_GROWTH = 3 / 2, -- factor
  MAX_POLL = 30,

  -- lists ("page A" and "page B" of CONTRACT 3.1)
  PAGE_SIZE = 50,
  GENERATION_PAGE_SIZE = 20,
  MAX_PAGE_SIZE = 100,

  -- requests
  CONNECT_TIMEOUT = 10, -- design, section 2
  IDLE_TIMEOUT = 30, -- design, section 2
  TOTAL_TIMEOUT = 120, -- design, section 2
  BILLABLE_IDLE_TIMEOUT = 120, -- without a total timeout, which would make slow uploads unknown outcomes (CONTRACT 1.2)
  MAX_ATTEMPTS = 3, -- of one call (CONTRACT 7)
  MAX_RETRY_WAIT = 60, -- a longer wait that the server asks for is left to the caller (CONTRACT 7)
  RATE_LIMIT_WAIT = 60, -- after a 429 that names no time, as in the guide's code (CONTRACT 4.2)
  MAX_REDIRECTS = 3, -- to an image (CONTRACT 5.4)
  MAX_FORM_FIELDS = 4, -- texts beside the files; DK_MAX_FIELDS of the core

  -- sizes in bytes
  MAX_RESPONSE_BYTES = 16 * 1024 * 1024, -- design, invariant 8
  MAX_RESULT_IMAGE_BYTES = 64 * 1024 * 1024, -- design, invariant 8
  MAX_FILE_NAME = 255, -- of the common file systems
}
