std = "max"
max_code_line_length = 120
max_string_line_length = 120
max_comment_line_length = false -- a LuaLS @param or @return stands on one line
include_files = { "**/*.lua", "bin/devkit4ai", "rockspec/*.rockspec", ".luacheckrc", ".busted" }
exclude_files = { "build" }
files["bin/devkit4ai"] = { globals = { "_" } } -- a shell reads it, too
files["spec/**/*_spec.lua"] = { std = "max+busted" }
files["examples/nginx/lua"] = { std = "ngx_lua" }
files["bench/nginx_worker.lua"] = { std = "ngx_lua" }
files["bench/peers/cosocket.lua"] = { std = "ngx_lua" }
files["spec/devkit4ai/loop/suite/valgrind.lua"] = { std = "max+busted" }
files["spec/devkit4ai/loop/no_threads.lua"] = { std = "max+busted" }
files["spec/install/amalgamation.lua"] = { std = "max+busted" }
files["spec/windows/"] = { std = "max+busted" }
files["examples/kong/"] = { std = "ngx_lua", read_globals = { "kong" }, self = false } -- Kong calls handlers as methods
local IN_LOVE = { "examples/love/", "spec/support/love/driver.lua", "bench/love/" }
for _, path in ipairs(IN_LOVE) do
  files[path] = { std = "luajit+love", globals = { "love" } } -- a game sets love.draw, its driver love.graphics.printf
end
local IN_NGINX = {
  "examples/apisix/", "examples/plugins/", "spec/support/plugins/apisix.lua", "spec/support/plugins/kong.lua",
}
for _, path in ipairs(IN_NGINX) do
  files[path] = { std = "ngx_lua" }
end
