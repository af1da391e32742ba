rockspec_format = "3.0"
package = "devkit4ai-sandbox"
version = "scm-1"
source = { url = "git+https://github.com/devkit4ai/devkit4ai-lua.git" }
description = {
  summary = "A local server that behaves as the Dev Kit for AI Cloud API",
  detailed = [[
    Everything but payments works with it on a fresh machine, with no account and no network: programs are tried and
    tested against it, faults included.
  ]],
  homepage = "https://github.com/devkit4ai/devkit4ai-lua",
  issues_url = "https://github.com/devkit4ai/devkit4ai-lua/issues",
  license = "MIT",
  labels = { "http", "testing", "ai" },
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.5", "devkit4ai", "lua-cjson", "argparse", "cqueues", "luaossl", "lua-zlib",
  "luasocket" }
-- The build type "builtin" would put all of lua/ into the rock, the client too. A name is the file's place below lua/.
build = {
  type = "none",
  install = { lua = {
    ["devkit4ai.sandbox.init"] = "lua/devkit4ai/sandbox/init.lua",
    ["devkit4ai.sandbox.accounts"] = "lua/devkit4ai/sandbox/accounts.lua",
    ["devkit4ai.sandbox.app"] = "lua/devkit4ai/sandbox/app.lua",
    ["devkit4ai.sandbox.clock"] = "lua/devkit4ai/sandbox/clock.lua",
    ["devkit4ai.sandbox.content"] = "lua/devkit4ai/sandbox/content.lua",
    ["devkit4ai.sandbox.control"] = "lua/devkit4ai/sandbox/control.lua",
    ["devkit4ai.sandbox.delivery"] = "lua/devkit4ai/sandbox/delivery.lua",
    ["devkit4ai.sandbox.desk"] = "lua/devkit4ai/sandbox/desk.lua",
    ["devkit4ai.sandbox.dialect"] = "lua/devkit4ai/sandbox/dialect.lua",
    ["devkit4ai.sandbox.encoding"] = "lua/devkit4ai/sandbox/encoding.lua",
    ["devkit4ai.sandbox.errors"] = "lua/devkit4ai/sandbox/errors.lua",
    ["devkit4ai.sandbox.exchange"] = "lua/devkit4ai/sandbox/exchange.lua",
    ["devkit4ai.sandbox.faults"] = "lua/devkit4ai/sandbox/faults.lua",
    ["devkit4ai.sandbox.fields"] = "lua/devkit4ai/sandbox/fields.lua",
    ["devkit4ai.sandbox.forms"] = "lua/devkit4ai/sandbox/forms.lua",
    ["devkit4ai.sandbox.gates"] = "lua/devkit4ai/sandbox/gates.lua",
    ["devkit4ai.sandbox.generations"] = "lua/devkit4ai/sandbox/generations.lua",
    ["devkit4ai.sandbox.greeting"] = "lua/devkit4ai/sandbox/greeting.lua",
    ["devkit4ai.sandbox.http"] = "lua/devkit4ai/sandbox/http.lua",
    ["devkit4ai.sandbox.journal"] = "lua/devkit4ai/sandbox/journal.lua",
    ["devkit4ai.sandbox.json"] = "lua/devkit4ai/sandbox/json.lua",
    ["devkit4ai.sandbox.keys"] = "lua/devkit4ai/sandbox/keys.lua",
    ["devkit4ai.sandbox.mails"] = "lua/devkit4ai/sandbox/mails.lua",
    ["devkit4ai.sandbox.main"] = "lua/devkit4ai/sandbox/main.lua",
    ["devkit4ai.sandbox.masks"] = "lua/devkit4ai/sandbox/masks.lua",
    ["devkit4ai.sandbox.multipart"] = "lua/devkit4ai/sandbox/multipart.lua",
    ["devkit4ai.sandbox.options"] = "lua/devkit4ai/sandbox/options.lua",
    ["devkit4ai.sandbox.origin"] = "lua/devkit4ai/sandbox/origin.lua",
    ["devkit4ai.sandbox.picture"] = "lua/devkit4ai/sandbox/picture.lua",
    ["devkit4ai.sandbox.pictures"] = "lua/devkit4ai/sandbox/pictures.lua",
    ["devkit4ai.sandbox.png"] = "lua/devkit4ai/sandbox/png.lua",
    ["devkit4ai.sandbox.projects"] = "lua/devkit4ai/sandbox/projects.lua",
    ["devkit4ai.sandbox.rates"] = "lua/devkit4ai/sandbox/rates.lua",
    ["devkit4ai.sandbox.router"] = "lua/devkit4ai/sandbox/router.lua",
    ["devkit4ai.sandbox.routes"] = "lua/devkit4ai/sandbox/routes.lua",
    ["devkit4ai.sandbox.routes.accounts"] = "lua/devkit4ai/sandbox/routes/accounts.lua",
    ["devkit4ai.sandbox.routes.developer_keys"] = "lua/devkit4ai/sandbox/routes/developer_keys.lua",
    ["devkit4ai.sandbox.routes.generations"] = "lua/devkit4ai/sandbox/routes/generations.lua",
    ["devkit4ai.sandbox.routes.health"] = "lua/devkit4ai/sandbox/routes/health.lua",
    ["devkit4ai.sandbox.routes.project_keys"] = "lua/devkit4ai/sandbox/routes/project_keys.lua",
    ["devkit4ai.sandbox.routes.projects"] = "lua/devkit4ai/sandbox/routes/projects.lua",
    ["devkit4ai.sandbox.scene"] = "lua/devkit4ai/sandbox/scene.lua",
    ["devkit4ai.sandbox.server"] = "lua/devkit4ai/sandbox/server.lua",
    ["devkit4ai.sandbox.state"] = "lua/devkit4ai/sandbox/state.lua",
    ["devkit4ai.sandbox.storage"] = "lua/devkit4ai/sandbox/storage.lua",
    ["devkit4ai.sandbox.tokens"] = "lua/devkit4ai/sandbox/tokens.lua",
    ["devkit4ai.sandbox.uploads"] = "lua/devkit4ai/sandbox/uploads.lua",
    ["devkit4ai.sandbox.windows"] = "lua/devkit4ai/sandbox/windows.lua",
  } },
}
