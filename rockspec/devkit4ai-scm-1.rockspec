rockspec_format = "3.0"
package = "devkit4ai"
version = "scm-1"
source = { url = "git+https://github.com/devkit4ai/devkit4ai-lua.git" }
description = {
  summary = "The Dev Kit for AI Cloud API for scripts and games",
  detailed = [[
    Log in, make projects and keys, send example images with a prompt, wait for the picture, save it. The same lines
    block in a script and yield in a game's frame loop. It never pays twice, never holds up its host and never shows a
    key. Needs libcurl 7.80 or newer.
  ]],
  homepage = "https://github.com/devkit4ai/devkit4ai-lua",
  issues_url = "https://github.com/devkit4ai/devkit4ai-lua/issues",
  license = "MIT",
  labels = { "http", "images", "ai" },
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.5", "lua-cjson", "argparse" }
external_dependencies = { CURL = { library = "curl" } }
build = {
  type = "builtin",
  modules = {
    ["devkit4ai.core"] = {
      sources = {
        "src/binding/core.c",
        "src/binding/engine_lua.c",
        "src/binding/file_lua.c",
        "src/binding/request_lua.c",
        "src/binding/secrets_lua.c",
        "src/core/address.c",
        "src/core/buffer.c",
        "src/core/engine.c",
        "src/core/file.c",
        "src/core/form.c",
        "src/core/handle.c",
        "src/core/hash.c",
        "src/core/http_date.c",
        "src/core/image_kind.c",
        "src/core/json_text.c",
        "src/core/lock.c",
        "src/core/private_file.c",
        "src/core/roots.c",
        "src/core/secrets.c",
        "src/core/status.c",
        "src/core/transfer.c",
        "src/core/url.c",
      },
      incdirs = { "include", "src/core", "src/binding", "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl" },
    },
    ["devkit4ai"] = "lua/devkit4ai/init.lua",
    ["devkit4ai.answers"] = "lua/devkit4ai/answers.lua",
    ["devkit4ai.build"] = "lua/devkit4ai/build.lua",
    ["devkit4ai.call"] = "lua/devkit4ai/call.lua",
    ["devkit4ai.check"] = "lua/devkit4ai/check.lua",
    ["devkit4ai.classify"] = "lua/devkit4ai/classify.lua",
    ["devkit4ai.cli"] = "lua/devkit4ai/cli/init.lua",
    ["devkit4ai.cli.sandbox"] = "lua/devkit4ai/cli/sandbox.lua",
    ["devkit4ai.client"] = "lua/devkit4ai/client.lua",
    ["devkit4ai.config"] = "lua/devkit4ai/config.lua",
    ["devkit4ai.errors"] = "lua/devkit4ai/errors.lua",
    ["devkit4ai.find"] = "lua/devkit4ai/find.lua",
    ["devkit4ai.generation"] = "lua/devkit4ai/generation.lua",
    ["devkit4ai.headers"] = "lua/devkit4ai/headers.lua",
    ["devkit4ai.instructions"] = "lua/devkit4ai/instructions.lua",
    ["devkit4ai.json"] = "lua/devkit4ai/json.lua",
    ["devkit4ai.kept"] = "lua/devkit4ai/kept.lua",
    ["devkit4ai.key"] = "lua/devkit4ai/key.lua",
    ["devkit4ai.loop.own"] = "lua/devkit4ai/loop/own.lua",
    ["devkit4ai.mask"] = "lua/devkit4ai/mask.lua",
    ["devkit4ai.operations"] = "lua/devkit4ai/operations.lua",
    ["devkit4ai.pace"] = "lua/devkit4ai/pace.lua",
    ["devkit4ai.pages"] = "lua/devkit4ai/pages.lua",
    ["devkit4ai.poll"] = "lua/devkit4ai/poll.lua",
    ["devkit4ai.profiles"] = "lua/devkit4ai/profiles.lua",
    ["devkit4ai.project"] = "lua/devkit4ai/project.lua",
    ["devkit4ai.proxy"] = "lua/devkit4ai/proxy.lua",
    ["devkit4ai.request"] = "lua/devkit4ai/request.lua",
    ["devkit4ai.retry"] = "lua/devkit4ai/retry.lua",
    ["devkit4ai.runtime"] = "lua/devkit4ai/runtime.lua",
    ["devkit4ai.scope"] = "lua/devkit4ai/scope.lua",
    ["devkit4ai.session"] = "lua/devkit4ai/session.lua",
    ["devkit4ai.store.file"] = "lua/devkit4ai/store/file.lua",
    ["devkit4ai.store.memory"] = "lua/devkit4ai/store/memory.lua",
    ["devkit4ai.task"] = "lua/devkit4ai/task.lua",
    ["devkit4ai.timers"] = "lua/devkit4ai/timers.lua",
    ["devkit4ai.times"] = "lua/devkit4ai/times.lua",
    ["devkit4ai.token"] = "lua/devkit4ai/token.lua",
    ["devkit4ai.trace"] = "lua/devkit4ai/trace.lua",
    ["devkit4ai.twins"] = "lua/devkit4ai/twins.lua",
    ["devkit4ai.under_way"] = "lua/devkit4ai/under_way.lua",
    ["devkit4ai.version"] = "lua/devkit4ai/version.lua",
    ["devkit4ai.wait"] = "lua/devkit4ai/wait.lua",
  },
  install = { bin = { devkit4ai = "bin/devkit4ai" } },
}
test = { type = "command", command = "make test" }
