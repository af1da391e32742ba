-- Common parts of the wire specs: the sample values of the guide, a client with all of them, a server with
-- fixed responses, and the normal form of a captured request.
local cjson = require "cjson"
local raw = require "spec.support.servers.raw"

local M = {}

M.sample = { -- from the guide
  developer_key = "ak_abc123XYZ-_789def456ghi012jkl345",
  project_id = "770e8400-e29b-41d4-a716-446655440002",
  project_key = "pk_prod123XYZ-_789def456ghi012jkl345",
  operator_key = "YOUR_OPERATOR_KEY",
  access_token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI1NTBlODQwMCJ9.abc123",
  refresh_token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI1NTBlODQwMCJ9.xyz789",
}

-- Small complete images: PNG and WebP of one pixel, and a JPEG without pixels.
M.image = {
  jpeg = "\255\216\255\224\0\16JFIF\0\1\1\0\0\1\0\1\0\0\255\217",
  png = "\137PNG\r\n\26\n\0\0\0\13IHDR\0\0\0\1\0\0\0\1\8\0\0\0\0:~\155U"
    .. "\0\0\0\10IDATx\156c`\0\0\0\2\0\1H\175\164q\0\0\0\0IEND\174B`\130",
  webp = "RIFF\26\0\0\0WEBPVP8L\13\0\0\0/\0\0\0\16\7\16\17\17\136\136\254\7\0",
}

--- A server that responds by method and target; 404 for any other request.
---@param answers table<string, table>  "GET /api/v1/auth/me" -> { status, body }
---@return spec.RawServer
function M.server(answers)
  return raw.start { script = ("local answers = require('cjson').decode(%q)\n"):format(cjson.encode(answers)) .. [[
    return function(conn)
      local request = conn:read_request()
      while request do
        local answer = answers[request.method .. " " .. request.target] or { 404, { detail = "Not Found" } }
        conn:respond(answer[1], answer[2])
        request = conn:read_request()
      end
    end
  ]] }
end

--- Options of a client with every credential, so that an absent header is absent on purpose.
---@param url string
---@param more table?
---@return table
function M.options(url, more)
  local options = { base_url = url }
  for name, value in pairs(M.sample) do options[name] = value end
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- The value of a header, case-insensitive; nil if absent.
---@param request table  from the raw server
---@param name string
---@return string?
function M.header(request, name)
  for line in request.head:gmatch("[^\r\n]+") do
    local field, value = line:match("^([^:]+): (.*)$")
    if field and field:lower() == name:lower() then return value end
  end
end

-- Every client sends these; none has a credential.
local ORDINARY = { ["Host"] = true, ["Accept"] = true, ["User-Agent"] = true, ["Content-Length"] = true }

--- The request line and the header lines in alphabetical order, without Host, Accept, User-Agent and Content-Length. A
--- multipart boundary is replaced by BOUNDARY. Spelling and values are unchanged.
---@param request table
---@return string
function M.head(request)
  local lines, first = {}, request.head:match("^[^\r\n]*")
  for line in request.head:gmatch("\r\n([^\r\n]+)") do
    if not ORDINARY[line:match("^[^:]*")] then
      lines[#lines + 1] = line:gsub("^(Content%-Type: multipart/form%-data; boundary=).*", "%1BOUNDARY")
    end
  end
  table.sort(lines)
  table.insert(lines, 1, first)
  return table.concat(lines, "\n")
end

--- The multipart boundary of a request.
---@param request table
---@return string
function M.boundary(request)
  return assert(M.header(request, "Content-Type"):match("boundary=(.*)$"), "no boundary")
end

--- The body with BOUNDARY in place of its multipart boundary.
---@param request table
---@return string
function M.body(request)
  return (request.body:gsub("%-%-" .. M.boundary(request):gsub("%p", "%%%0"), "--BOUNDARY"))
end

--- The expected file part on the wire, without the line end before the next boundary.
---@param part string
---@param filename string  as sent
---@param content_type string
---@param bytes string
---@return string
function M.file_part(part, filename, content_type, bytes)
  return ('--BOUNDARY\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n')
    :format(part, filename, content_type) .. bytes .. "\r\n"
end

--- The text part and the end of the body.
---@param part string
---@param text string
---@return string
function M.text_part(part, text)
  return ('--BOUNDARY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'):format(part) .. text
    .. "\r\n--BOUNDARY--\r\n"
end

return M
