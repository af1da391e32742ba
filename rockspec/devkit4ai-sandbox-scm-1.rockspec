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
-- Only the option data needs luasql-sqlite3, and its message says so.
dependencies = { "lua >= 5.1, < 5.6", "devkit4ai", "lua-cjson", "argparse", "cqueues", "luaossl", "lua-zlib",
  "luasocket" }
-- The build type "builtin" would put all of lua/ into the rock, the client too. A name is the file's place below lua/.
build = {
  type = "none",
  install = { lua = {
    ["devkit4ai.sandbox.init"] = "lua/devkit4ai/sandbox/init.lua",
    ["devkit4ai.sandbox.api.app"] = "lua/devkit4ai/sandbox/api/app.lua",
    ["devkit4ai.sandbox.api.authorize"] = "lua/devkit4ai/sandbox/api/authorize.lua",
    ["devkit4ai.sandbox.api.context"] = "lua/devkit4ai/sandbox/api/context.lua",
    ["devkit4ai.sandbox.api.errors"] = "lua/devkit4ai/sandbox/api/errors.lua",
    ["devkit4ai.sandbox.api.generation_upload"] = "lua/devkit4ai/sandbox/api/generation_upload.lua",
    ["devkit4ai.sandbox.api.reply"] = "lua/devkit4ai/sandbox/api/reply.lua",
    ["devkit4ai.sandbox.api.request_body"] = "lua/devkit4ai/sandbox/api/request_body.lua",
    ["devkit4ai.sandbox.api.routes.accounts"] = "lua/devkit4ai/sandbox/api/routes/accounts.lua",
    ["devkit4ai.sandbox.api.routes.developer_keys"] = "lua/devkit4ai/sandbox/api/routes/developer_keys.lua",
    ["devkit4ai.sandbox.api.routes.generations"] = "lua/devkit4ai/sandbox/api/routes/generations.lua",
    ["devkit4ai.sandbox.api.routes.health"] = "lua/devkit4ai/sandbox/api/routes/health.lua",
    ["devkit4ai.sandbox.api.routes.init"] = "lua/devkit4ai/sandbox/api/routes/init.lua",
    ["devkit4ai.sandbox.api.routes.project_keys"] = "lua/devkit4ai/sandbox/api/routes/project_keys.lua",
    ["devkit4ai.sandbox.api.routes.projects"] = "lua/devkit4ai/sandbox/api/routes/projects.lua",
    ["devkit4ai.sandbox.api.schemas"] = "lua/devkit4ai/sandbox/api/schemas.lua",
    ["devkit4ai.sandbox.api.validation"] = "lua/devkit4ai/sandbox/api/validation.lua",
    ["devkit4ai.sandbox.control.commands"] = "lua/devkit4ai/sandbox/control/commands.lua",
    ["devkit4ai.sandbox.control.control_api"] = "lua/devkit4ai/sandbox/control/control_api.lua",
    ["devkit4ai.sandbox.control.faults"] = "lua/devkit4ai/sandbox/control/faults.lua",
    ["devkit4ai.sandbox.control.journal"] = "lua/devkit4ai/sandbox/control/journal.lua",
    ["devkit4ai.sandbox.control.parent_process"] = "lua/devkit4ai/sandbox/control/parent_process.lua",
    ["devkit4ai.sandbox.control.redact"] = "lua/devkit4ai/sandbox/control/redact.lua",
    ["devkit4ai.sandbox.control.stdio"] = "lua/devkit4ai/sandbox/control/stdio.lua",
    ["devkit4ai.sandbox.dialect"] = "lua/devkit4ai/sandbox/dialect.lua",
    ["devkit4ai.sandbox.http.cors"] = "lua/devkit4ai/sandbox/http/cors.lua",
    ["devkit4ai.sandbox.http.multipart"] = "lua/devkit4ai/sandbox/http/multipart.lua",
    ["devkit4ai.sandbox.http.query_string"] = "lua/devkit4ai/sandbox/http/query_string.lua",
    ["devkit4ai.sandbox.http.request"] = "lua/devkit4ai/sandbox/http/request.lua",
    ["devkit4ai.sandbox.http.request_reader"] = "lua/devkit4ai/sandbox/http/request_reader.lua",
    ["devkit4ai.sandbox.http.response"] = "lua/devkit4ai/sandbox/http/response.lua",
    ["devkit4ai.sandbox.http.response_writer"] = "lua/devkit4ai/sandbox/http/response_writer.lua",
    ["devkit4ai.sandbox.http.router"] = "lua/devkit4ai/sandbox/http/router.lua",
    ["devkit4ai.sandbox.http.server"] = "lua/devkit4ai/sandbox/http/server.lua",
    ["devkit4ai.sandbox.images.image_cache"] = "lua/devkit4ai/sandbox/images/image_cache.lua",
    ["devkit4ai.sandbox.images.image_links"] = "lua/devkit4ai/sandbox/images/image_links.lua",
    ["devkit4ai.sandbox.images.image_renderer"] = "lua/devkit4ai/sandbox/images/image_renderer.lua",
    ["devkit4ai.sandbox.images.image_scene"] = "lua/devkit4ai/sandbox/images/image_scene.lua",
    ["devkit4ai.sandbox.images.image_storage"] = "lua/devkit4ai/sandbox/images/image_storage.lua",
    ["devkit4ai.sandbox.images.png"] = "lua/devkit4ai/sandbox/images/png.lua",
    ["devkit4ai.sandbox.main"] = "lua/devkit4ai/sandbox/main.lua",
    ["devkit4ai.sandbox.options"] = "lua/devkit4ai/sandbox/options.lua",
    ["devkit4ai.sandbox.pipeline"] = "lua/devkit4ai/sandbox/pipeline.lua",
    ["devkit4ai.sandbox.startup_message"] = "lua/devkit4ai/sandbox/startup_message.lua",
    ["devkit4ai.sandbox.state.accounts"] = "lua/devkit4ai/sandbox/state/accounts.lua",
    ["devkit4ai.sandbox.state.clock"] = "lua/devkit4ai/sandbox/state/clock.lua",
    ["devkit4ai.sandbox.state.generations"] = "lua/devkit4ai/sandbox/state/generations.lua",
    ["devkit4ai.sandbox.state.init"] = "lua/devkit4ai/sandbox/state/init.lua",
    ["devkit4ai.sandbox.state.keys"] = "lua/devkit4ai/sandbox/state/keys.lua",
    ["devkit4ai.sandbox.state.outbox"] = "lua/devkit4ai/sandbox/state/outbox.lua",
    ["devkit4ai.sandbox.state.projects"] = "lua/devkit4ai/sandbox/state/projects.lua",
    ["devkit4ai.sandbox.state.rate_limits"] = "lua/devkit4ai/sandbox/state/rate_limits.lua",
    ["devkit4ai.sandbox.state.rate_window"] = "lua/devkit4ai/sandbox/state/rate_window.lua",
    ["devkit4ai.sandbox.state.records"] = "lua/devkit4ai/sandbox/state/records.lua",
    ["devkit4ai.sandbox.state.tokens"] = "lua/devkit4ai/sandbox/state/tokens.lua",
    ["devkit4ai.sandbox.util.encoding"] = "lua/devkit4ai/sandbox/util/encoding.lua",
    ["devkit4ai.sandbox.util.json"] = "lua/devkit4ai/sandbox/util/json.lua",
    ["devkit4ai.sandbox.util.json_text"] = "lua/devkit4ai/sandbox/util/json_text.lua",
    ["devkit4ai.sandbox.util.merge"] = "lua/devkit4ai/sandbox/util/merge.lua",
  } },
}
