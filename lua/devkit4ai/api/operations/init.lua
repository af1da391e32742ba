--- The API's operations as rows. What differs between them is a column here, never a branch in `call`. Rows stand in groups,
--- and a group is loaded when one of its rows is asked for: a script needs few of the 54.
---
--- method, path: {name} is an argument, a UUID · profile: by the client's role, a row of `profiles` · query: names of
--- arguments · uuids: of those in query and body that must be UUIDs · paging: of a list in pages { size: the name of
--- the page's size, default, most } · body: { json = names of arguments }, { pairs = names }, which is form-urlencoded,
--- or { form = { parts: the names that the files' part may have; text: the text's; most: files; max_bytes: of one } } ·
--- slots: secrets that go into the JSON body; an argument of that name is one, and is masked while the call lives; one
--- marked ? may be left out · bodiless: a POST without a body, which says so · defaults: values of arguments that are
--- always sent · answer: a function of `answers`, or "picture", "nothing" · list: the name of the list in an answer of
--- records · nullable: the answer may be a bare null · redirects: how many are followed · heed: the head of a GET's
--- answer is wanted · repeats: the class of wire.md 7 (retry.lua) · gone: statuses that say on a repeat that the first
--- one did it · creates: it may cost money, so no total limit · makes: what a task answers for that it
--- created · says: the words a user typed · unknown: what to do when
--- nobody knows whether it was done · doubtful: statuses after which nobody knows it, though others are refused by them ·
--- findable: client:find_generation finds what it made · about: the argument that the answer's id repeats · stale: statuses
--- after which a fresh URL may help · meant: by status, the words that tell another one · advice: by kind, where the
--- general one does not fit.
local GROUPS = { "accounts", "projects", "generations", "health", "payments" }

local rows, next_group = {}, 1

local function load_group()
  for name, row in pairs(require("devkit4ai.api.operations." .. GROUPS[next_group])) do rows[name] = row end
  next_group = next_group + 1
end

local M = {}

--- Every row, by name.
---@return table<string, table>
function M.all()
  while GROUPS[next_group] do load_group() end
  return rows
end

return setmetatable(M, {
  __index = function(_, name)
    while not rows[name] and GROUPS[next_group] do load_group() end
    M[name] = rows[name]
    return rows[name]
  end,
})
