--- Topics of `devkit4ai help`, also in the man page. Their lists come from the tables that the program uses.
local exit_codes = require "devkit4ai.cli.errors.exit_codes"
local settings = require "devkit4ai.cli.settings"

local MARGIN, WIDTH = 25, 79 -- columns: the first and the last of an item's text, as in argparse's help texts

-- Breaks a text into lines. The first line begins with `head`.
local function wrap(head, margin, text)
  local lines, line, indent = {}, head, (" "):rep(margin)
  for word in text:gmatch "%S+" do
    local is_first = #line <= margin
    if not is_first and #line + 1 + #word > WIDTH then
      lines[#lines + 1], line, is_first = line, indent, true
    end
    line = line .. (is_first and "" or " ") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- A name with its meaning.
local function item(name, meaning)
  local head = "   " .. name
  if #head < MARGIN then return wrap(head .. (" "):rep(MARGIN - #head), MARGIN, meaning) end
  return head .. "\n" .. wrap((" "):rep(MARGIN), MARGIN, meaning)
end

local function items(rows)
  local parts = {}
  for i, row in ipairs(rows) do parts[i] = item(tostring(row[1]), row[2]) end
  return table.concat(parts, "\n")
end

local function paragraph(text) return wrap("", 0, text) end

local function page(...) return table.concat({ ... }, "\n\n") .. "\n" end

-- The settings with an environment variable; settings/init.lua has the names of the variables.
local MEANINGS = {
  base_url = "the API's address",
  developer_key = "the developer's key (ak_...)",
  project_id = "the project's id",
  project_key = "the project's key (pk_...)",
  operator_key = "a platform operator's key, which registers developers",
  access_token = "the token of a login; nothing renews it",
  ca_file = "a file of root certificates to trust",
  email = "the account that `login` and `register` take",
  queue = "the URL of the queue that `batch push` and `batch work` use, which may hold a password",
  password = "the password that `login` and `register` take",
}

-- Variables that are not settings.
local OTHER_VARIABLES = {
  { "XDG_CONFIG_HOME", "the parent of the folder devkit4ai, which has settings and logins (default: ~/.config)" },
  { "https_proxy, all_proxy, no_proxy", "the proxy for the API and for images, in lower or upper case" },
  { "DEVKIT4AI_LOG", "info or debug: the library writes what it does to standard error" },
  { "NO_COLOR", "if it is set, images in the terminal have no colours" },
  { "TERM", "if it is dumb, no progress and no image is shown" },
  { "CI", "if it is set, the command never asks a question" },
}

local function variables()
  local rows = {}
  for _, row in ipairs(settings.rows()) do
    if row.env[1] then rows[#rows + 1] = { table.concat(row.env, ", "), MEANINGS[row.name] } end
  end
  for _, row in ipairs(OTHER_VARIABLES) do rows[#rows + 1] = row end
  return items(rows)
end

return {
  {
    name = "first-image",
    text = function()
      return page("First image:\n" .. paragraph("The sandbox is a local server that behaves as the API does. It needs "
        .. "no account and costs nothing. Start it in one terminal:"),
      '  devkit4ai sandbox --developer me@example.com',
      paragraph("It prints lines that begin with `export`. Paste them into another terminal. Then:"),
      '  devkit4ai generate a.png --prompt "a city at night" --out city.png',
      paragraph("With the API itself: register in the vendor's web console, put the keys into the settings, and "
        .. "log in:"),
      '  devkit4ai config --set developer_key\n  devkit4ai config --set project_id=ID\n'
        .. '  devkit4ai config --set project_key\n  devkit4ai login\n'
        .. '  devkit4ai generate a.png --prompt "a city at night" --out city.png',
      paragraph("A generation at the API costs money. If `generate` fails, read the message before you repeat it: the "
        .. "exit code says whether something is paid for (devkit4ai help exit-codes)."))
    end,
  },
  {
    name = "exit-codes",
    text = function()
      return page("Exit codes:\n" .. items(exit_codes.MEANINGS),
        paragraph("If several fit, the first of 8, 9 and 6 counts, then the others."),
        paragraph("A repeat of `generate` after 6, 8 or 9 may pay again. After 6 and 8 the command prints the "
          .. "command to run instead."))
    end,
  },
  {
    name = "environment",
    text = function()
      return page("Environment:\n" .. variables(),
        paragraph("The first of these that has a value counts: the option, the variable, the file of --env-file, the "
          .. "settings file. `devkit4ai config` shows each value and where it came from."))
    end,
  },
  {
    name = "files",
    text = function()
      return page("Files:\n" .. items {
        { "~/.config/devkit4ai/config", "the settings: lines `name = value`, comments after `#`. `devkit4ai config "
          .. "--set` writes it, `keys --save` and `register --save` too" },
        { "~/.config/devkit4ai/sessions.json", "the tokens of logins. `devkit4ai login` writes it, `devkit4ai logout` "
          .. "removes a login" },
        { "~/.config/devkit4ai/keys-ID.env", "the keys of a new account, if `register` could not show them and the "
          .. "settings have other keys; a shell can read it" },
      }, paragraph("If XDG_CONFIG_HOME is set, it replaces ~/.config. The files must have the mode 0600. The command "
        .. "refuses a file that others can read, and prints the line that corrects it."))
    end,
  },
  {
    name = "json",
    text = function()
      return page("JSON:\n" .. paragraph("With --json, standard output holds one JSON object a line. A list has a line "
        .. "for each element. `generate` and `wait` write a line at each new status; the last one has `path`. `batch` "
        .. "writes a line for each event; the last one has the type summary."),
      paragraph("A failure is an object, too:"),
      '  {"error": {"kind": ..., "outcome": ..., "message": ..., "exit_code": ...}}',
      items {
        { "kind", "the cause, such as auth, network, timeout or rate_limited" },
        { "outcome", "not_sent, refused or unknown: whether the request may have done something" },
        { "command", "the command line that continues (exit code 8) or finds out (exit code 6)" },
        { "generation_id", "the id of the generation that was accepted" },
        { "retry_after", "seconds to wait (exit code 5)" },
      }, "Examples:\n  devkit4ai list --json | jq -r .id")
    end,
  },
}
