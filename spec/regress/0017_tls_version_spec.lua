-- TLS before 1.2 is refused, also where the host's OpenSSL would allow it.
local child = require "spec.support.process.child"

local OPENSSL_CONF = [[
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
]]

-- Starts OpenSSL's server for one version of TLS, and runs the script with its port and certificate.
local SERVER = [[
cd "$1" || exit
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out ca.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>log || exit
export OPENSSL_CONF="$1/openssl.cnf"
openssl s_server -accept 127.0.0.1:0 -cert ca.pem -key key.pem "-$2" -www >port 2>log &
server=$!
trap 'kill $server' EXIT
until grep -q '^ACCEPT.*:[0-9]' port; do kill -0 $server || exit; sleep 0.05; done
shift 2
"$@" "$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' port)"
]]

local CALL = [[
local client = assert(require("devkit4ai").new { base_url = "https://localhost:" .. arg[2],
  ca_file = arg[1] .. "/ca.pem", access_token = "t", retry = { attempts = 1 } })
local _, message, err = client:me()
io.write(err.kind, " ", err.outcome, " ", tostring(err.status), "\n")
io.stderr:write(message)
]]

-- Whether libcurl itself can use this version alone: mbedTLS before 3.6 has no TLS 1.3.
local PROBE = [[
option=--tlsv1.${2#tls1_}
curl -q -sS -o /dev/null "$option" --tls-max "${option#--tlsv}" --cacert "$1/ca.pem" \
  "https://localhost:$3" && echo yes || echo no
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function outcome(version, probe)
  local folder = child.folder()
  finally(function() child.remove(folder) end)
  write(folder .. "/openssl.cnf", OPENSSL_CONF)
  write(folder .. "/server.sh", SERVER)
  write(folder .. "/call.lua", CALL)
  write(folder .. "/probe.sh", PROBE)
  local command = probe and ("sh %s/probe.sh %s %s"):format(folder, folder, version)
    or ("%s %s/call.lua %s"):format(child.interpreter(), folder, folder)
  local pipe = assert(io.popen(("sh %s/server.sh %s %s %s 2>/dev/null"):format(folder, folder, version, command)))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

describe("a server that supports only", function()
  for _, version in ipairs { "tls1", "tls1_1" } do
    it(version .. " is refused, and nothing is sent", function() assert.equal("tls not_sent nil", outcome(version)) end)
  end

  for _, version in ipairs { "tls1_2", "tls1_3" } do -- else the rows above show nothing
    it(version .. " is used, if the TLS library has it", function()
      local is_known = outcome(version, true) == "yes"
      assert.equal(is_known and "protocol unknown 200" or "tls not_sent nil", outcome(version))
      assert.is_true(is_known or version == "tls1_3")
    end)
  end
end)
