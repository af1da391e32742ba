-- A self-signed certificate for localhost, 127.0.0.1 and api.test, created when a test server starts: the tree has no key.
local pkey = require "openssl.pkey"
local x509 = require "openssl.x509"
local x509_altname = require "openssl.x509.altname"
local x509_extension = require "openssl.x509.extension"
local x509_name = require "openssl.x509.name"

local M = {}

--- Creates a key and a self-signed certificate, valid from an hour ago until tomorrow.
---@param fault string?  "expired": until a minute ago; "other": for another name
---@return userdata certificate  openssl.x509
---@return userdata key  openssl.pkey
function M.new(fault)
  local key = pkey.new { type = "EC", curve = "prime256v1" }
  local name = x509_name.new():add("CN", fault == "other" and "other.test" or "localhost")
  local names = x509_altname.new()
  if fault == "other" then names:add("DNS", "other.test")
  else names:add("DNS", "localhost"):add("DNS", "api.test"):add("IP", "127.0.0.1") end
  local certificate = x509.new()
  certificate:setVersion(3)
  certificate:setSerial(os.time())
  certificate:setSubject(name)
  certificate:setIssuer(name)
  certificate:setLifetime(os.time() - 3600, os.time() + (fault == "expired" and -60 or 24 * 3600))
  certificate:setPublicKey(key)
  certificate:setSubjectAlt(names)
  certificate:addExtension(x509_extension.new("basicConstraints", "critical,CA:TRUE"))
  certificate:sign(key)
  return certificate, key
end

return M
