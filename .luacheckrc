std = "max"
max_line_length = 120
include_files = { "**/*.lua", "bin/devkit4ai", "rockspec/*.rockspec", ".luacheckrc", ".busted" }
exclude_files = { "build" }
files["spec/**/*_spec.lua"] = { std = "max+busted" }
