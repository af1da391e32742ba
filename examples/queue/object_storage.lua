-- A worker whose results go to a storage that speaks S3 (Amazon S3, MinIO, Ceph, R2), through presigned URLs: the worker has
-- no key of the storage. A program of yours signs one URL for each job, and puts it into the job's row:
--   image,prompt,name,put_url
--   a.png,a street,street.png,https://bucket.example/street.png?X-Amz-Signature=...
--   DEVKIT4AI_QUEUE=redis://... build/run lua5.4 examples/queue/object_storage.lua FOLDER
-- The file is in FOLDER until the storage has it. A job whose upload fails is not finished, and is uploaded again, unpaid.
local devkit4ai = require "devkit4ai"

-- curl reads the URL from standard input: other users see the arguments of a process. --fail: 4xx and 5xx are failures.
local function put(url, path)
  local pipe = assert(io.popen("curl --silent --show-error --fail --max-time 300 --config - >/dev/null 2>&1; echo $? >"
    .. "'" .. path .. ".status'", "w"))
  pipe:write(('url = "%s"\nupload-file = "%s"\nheader = "Content-Type: image/png"\n'):format(
    url:gsub('[\\"]', "\\%0"), path:gsub('[\\"]', "\\%0")))
  pipe:close()
  local file = assert(io.open(path .. ".status"))
  local status = file:read "*n"
  file:close()
  os.remove(path .. ".status")
  if status == 0 then return true end
  return nil, ("curl ended with %d"):format(status)
end

local function save(job, path)
  local url = job.row.put_url
  if not url then return nil, "the row has no put_url" end
  local done, why = put(url, path)
  if not done then return nil, why end
  return true
end

local client = assert(devkit4ai.new())
assert(client:login(assert(os.getenv "DEVKIT4AI_EMAIL"), assert(os.getenv "DEVKIT4AI_PASSWORD")))
local project = assert(client:project(assert(os.getenv "DEVKIT4AI_PROJECT_ID")))
if os.getenv "DEVKIT4AI_PROJECT_KEY" then project:use_key(os.getenv "DEVKIT4AI_PROJECT_KEY") end
local summary = assert(client:work_batch {
  queue = assert(os.getenv "DEVKIT4AI_QUEUE"), out = assert(arg[1], "give a folder"), project = project, save = save,
})
print(("%d saved, %d failed, %d undecided"):format(summary.saved, summary.failed, summary.undecided))
