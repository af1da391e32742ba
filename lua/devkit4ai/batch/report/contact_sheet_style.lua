--- The style of the contact sheet: light and dark, from a phone's width to a wide window.
return [[
:root { --text: #1b1f24; --quiet: #57606a; --page: #fff; --card: #f3f5f7; --line: #d0d7de; --link: #0550ae;
  --bad: #a40e26; --ask: #7d4e00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9aa4af; --page: #0d1117; --card: #161b22; --line: #30363d; --link: #79c0ff;
    --bad: #ff9a94; --ask: #eac54f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 110rem; color: var(--text); background: var(--page);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
p { margin: .25rem 0; }
details p, .prompt { margin: .25rem 0; white-space: pre-line; }
.quiet { color: var(--quiet); }
.note { padding: .5rem .75rem; border-left: .25rem solid var(--ask); background: var(--card); }
dl { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
dl div { min-width: 6.5rem; padding: .4rem .75rem; }
dl div, .grid li { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0; font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dt a { color: inherit; }
span.failed, .failed dd { color: var(--bad); }
.undecided dd { color: var(--ask); }
table { width: 100%; table-layout: fixed; border-collapse: collapse; }
thead th:first-child { width: 18%; }
thead th:nth-child(2) { width: 32%; }
thead .narrow { width: 4rem; }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; }
code { font-size: .875rem; user-select: all; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 42vw), 1fr)); gap: .75rem;
  margin: 0; padding: 0; list-style: none; }
.grid li { padding: .5rem; content-visibility: auto; contain-intrinsic-size: auto 19rem; }
.grid img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; }
figure { margin: 0; }
figcaption { margin-top: .4rem; font-size: .875rem; }
figcaption .prompt { display: block; }
.head { display: none; }
summary { cursor: pointer; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  th, td { display: block; padding: .1rem 0; border: 0; }
  .head { display: inline; color: var(--quiet); }
}
]]
