-- The scripts of docs/hosts/programs.md, each in its program: the image is on the disk afterwards. `tools/packages test` installs
-- Conky, the smallest; the others run where they are installed.
local child = require "spec.support.process.child"
local programs = require "spec.support.process.programs"

if _VERSION ~= "Lua 5.4" or child.is_sanitized() then return end -- each program has a Lua of its own

local PAGE = child.read("docs/hosts/programs.md")

local function blocks_of(heading)
  local section = assert(("\n" .. PAGE .. "\n## "):match("\n## " .. heading .. "\n(.-)\n## "), heading)
  local blocks = {}
  for block in section:gmatch("\n```lua\n(.-)```") do blocks[#blocks + 1] = block end
  return blocks
end

local BEGINNING = blocks_of("How the scripts begin")[1]

-- Shell text that starts each program in the folder with its script, and ends it when result.png is whole; F: the folder.
local UNTIL_SAVED = [[ & pid=$!
    n=0
    while [ ! -s result.png ] && [ $n -lt 300 ]; do sleep 0.2; n=$((n+1)); done
    kill $pid; wait $pid]]
local PROGRAMS = {
  { "Conky", command = "conky", file = "image.lua", run = [[
    printf 'conky.config = { out_to_console = true, update_interval = 0.1, lua_load = "image.lua" }\n' > conky.conf
    printf 'conky.text = "${lua image}"\n' >> conky.conf
    conky -c conky.conf ]] .. UNTIL_SAVED },
  { "mpv", command = "mpv", file = "image.lua", run =
    "mpv --no-config --idle=yes --vo=null --ao=null --script=image.lua < /dev/null " .. UNTIL_SAVED },
  { "awesome", command = "awesome", file = "rc.lua", run = [[
    Xvfb -displayfd 3 3> display 2> /dev/null & server=$!
    while [ ! -s display ]; do sleep 0.1; done
    DISPLAY=:$(cat display) awesome -c rc.lua ]] .. UNTIL_SAVED .. "; kill $server" },
  { "Luanti %(Minetest%)", command = "/usr/games/minetestserver", file = "world/worldmods/image/init.lua", run = [[
    mkdir -p games/game/mods && printf 'title = game\n' > games/game/game.conf
    printf 'gameid = game\nbackend = dummy\nplayer_backend = dummy\nauth_backend = sqlite3\n' > world/world.mt
    printf 'name = image\n' > world/worldmods/image/mod.conf
    printf 'secure.trusted_mods = image\nbind_address = 127.0.0.1\n' > minetest.conf
    export MINETEST_SUBGAME_PATH="$PWD/games"
    /usr/games/minetestserver --world world --config minetest.conf --gameid game --port 30123 ]]
    .. UNTIL_SAVED },
  { "HAProxy", command = "haproxy", file = "image.lua", run = [[
    printf 'global\n  lua-load image.lua\ndefaults\n  mode http\n  timeout client 60s\n' > conf
    printf '  timeout server 60s\n  timeout connect 5s\nfrontend f\n  bind unix@%s/socket\n' "$PWD" >> conf
    printf '  http-request use-service lua.image\n' >> conf
    haproxy -f conf -db & pid=$!
    curl -s --retry 20 --retry-all-errors --retry-delay 1 --unix-socket socket http://image/ > status
    kill $pid; wait $pid; [ "$(cat status)" = completed ] || rm -f result.png ]] },
  { "Nmap", command = "nmap", file = "image.nse", run = "nmap --script ./image.nse -sL 127.0.0.1" },
}

describe("docs/hosts/programs.md:", function()
  for _, program in ipairs(PROGRAMS) do
    local name = program[1]:gsub("%%", "")
    programs.it_with(it, pending, program.command)("the script for " .. name .. " writes the image", function()
      local folder, blocks = child.folder(), blocks_of(program[1])
      finally(function() child.remove(folder) end)
      local prefix = #blocks == 2 and table.remove(blocks, 1) or ""
      os.execute(("mkdir -p '%s/%s' && cp examples/images/neon.png '%s/a.png'"):format(
        folder, program.file:match("^(.*)/") or "", folder))
      local file = assert(io.open(folder .. "/" .. program.file, "w"))
      file:write(prefix, BEGINNING, blocks[1])
      file:close()
      local pipe = io.popen(("exec 2>&1; cd '%s' || exit\n%s"):format(folder, program.run))
      local output = pipe:read("*a")
      pipe:close()
      local image = io.open(folder .. "/result.png", "rb")
      assert.is_truthy(image, output)
      assert.equal("\137PNG\r\n", image:read(6), output)
      image:close()
    end)
  end
end)
