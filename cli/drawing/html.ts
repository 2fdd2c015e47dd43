const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

const reportStyle = `
:root { color-scheme: light dark; --ink: #181b21; --quiet: #5b6270; --line: #d9dde3; --ground: #fff; --card: #f6f7f9; --good: #18703a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --quiet: #a2a9b5; --line: #3a3f49; --ground: #16181d; --card: #1f2229; --good: #6fd08f; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); overflow-wrap: anywhere; }
h1 { font-size: 1.8rem; line-height: 1.2; } h2 { font-size: 1.3rem; margin: 2.5rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
p { max-width: 46rem; } p, ul { margin: .4rem 0; } li { margin: .15rem 0; }
.quiet, figcaption, h3 small, dt { color: var(--quiet); } h3 small { font-weight: normal; font-size: 1em; }
.good { color: var(--good); } .bad { color: var(--bad); } .best { font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; max-width: 60rem; margin: .6rem 0; } dd { margin: 0; }
.wide { overflow-x: auto; margin: .4rem 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid var(--line); font-weight: normal; vertical-align: middle; white-space: nowrap; }
thead th { color: var(--quiet); vertical-align: bottom; } td.number { font-variant-numeric: tabular-nums; }
.interval { display: block; width: 10rem; height: 1.1rem; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, 14rem); gap: 1rem; }
figure { margin: 0; } figcaption { line-height: 1.3; padding-top: .25rem; } figcaption b { color: var(--ink); font-variant-numeric: tabular-nums; }
figure img { display: block; width: 100%; height: auto; }
.curves { max-width: 36rem; } .curves svg { display: block; width: 100%; height: auto; } .curves text { fill: var(--quiet); font: 13px system-ui, sans-serif; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; } .key svg { display: inline-block; width: 2rem; height: .7rem; margin-right: .4rem; }
summary { cursor: pointer; } :focus-visible { outline: 2px solid #1a73e8; outline-offset: 2px; }
footer { color: var(--quiet); margin: 2.5rem 0 1rem; }
@media (max-width: 40rem) {
  body { margin: 1rem auto; padding: 0 1rem; } h1 { font-size: 1.5rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .photos { grid-template-columns: 1fr 1fr; gap: .8rem; }
}`;

/** A report of one file: it loads nothing and opens without a server, light or dark, from a phone to a desktop. */
export function reportPage(title: string, header: string, main: string, footer: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${reportStyle}</style></head>
<body>
<header><h1>${escapeHtml(title)}</h1>
${header}</header>
<main>
${main}
</main>
<footer><p>${footer}</p></footer>
</body></html>
`;
}

/** Names and what is said of them. */
export function definitionList(entries: readonly (readonly [name: string, text: string])[]): string {
  const lines = entries.map(([name, text]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd>`);
  return `<dl>\n${lines.join("\n")}\n</dl>`;
}

/** A table that scrolls by itself where the page is narrower; the keyboard reaches it. */
export function wideTable(name: string, head: readonly string[], rows: readonly string[]): string {
  const heads = head.map((cell) => `<th scope="col">${cell}</th>`).join("");
  return `<div class="wide" role="region" aria-label="${escapeHtml(name)}" tabindex="0"><table><thead><tr>${heads}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`;
}
