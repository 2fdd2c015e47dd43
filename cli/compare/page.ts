import { formatShare } from "../drawing/format.ts";
import { escapeHtml } from "../drawing/html.ts";
import { describeVerdict } from "./models.ts";
import type { Summary } from "./summary.ts";

const style = `
:root { color-scheme: light dark; --ink: #181b21; --quiet: #5b6270; --line: #d9dde3; --ground: #fff; --good: #18703a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --quiet: #a2a9b5; --line: #3a3f49; --ground: #16181d; --good: #6fd08f; --bad: #ff8a80; }
}
body { margin: 2rem auto; max-width: 90rem; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.8rem; line-height: 1.2; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
th, td { text-align: left; padding: .35rem 1.2rem .35rem 0; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
article { margin: 2.5rem 0; }
h2 { font-size: 1.2rem; margin-bottom: .3rem; }
ul { margin: .3rem 0 .8rem; padding-left: 1.2rem; }
.right { color: var(--good); } .wrong { color: var(--bad); }
img { max-width: 100%; height: auto; border: 1px solid var(--line); background: #fff; }
footer, .quiet { color: var(--quiet); }
`;

function judged(verdict: Summary["found"][number]["verdicts"][number]): string {
  const text = escapeHtml(describeVerdict(verdict));
  if (verdict.isRight === undefined) return text;
  return `<span class="${verdict.isRight ? "right" : "wrong"}">${text}</span>`;
}

function article(entry: Summary["found"][number], models: Summary["models"]): string {
  const { file, label, verdicts, sheet } = entry;
  const said = models.map(({ model }, i) => ({ model, verdict: verdicts[i] }));
  const spoken = said
    .map(({ model, verdict }) => (verdict === undefined ? model : `${model} says ${describeVerdict(verdict)}`))
    .join("; ");
  const items = said.map(
    ({ model, verdict }) => `<li>${escapeHtml(model)}: ${verdict === undefined ? "" : judged(verdict)}</li>`,
  );
  const alt = `${label ?? file}: the photo, and for each network its relevance map above its Salient Relevance map. ${spoken}.`;
  return `<article>
<h2>${escapeHtml(label === undefined ? file : `${label} (${file})`)}</h2>
<ul>
${items.join("\n")}
</ul>
${sheet === undefined ? '<p class="quiet">No sheet was made: beyond --limit.</p>' : `<a href="${escapeHtml(encodeURIComponent(sheet))}"><img src="${escapeHtml(encodeURIComponent(sheet))}" alt="${escapeHtml(alt)}" loading="lazy"></a>`}
</article>`;
}

/** index.html: the comparison for people. It refers to the sheets beside it and to nothing else, so that it opens without a server. */
export function comparisonPage(summary: Summary): string {
  const { models, photos, agreement, agreed, found, leftOut, composite, srmap } = summary;
  const isLabelled = models.some(({ right }) => right !== undefined);
  const names = models.map(({ model }) => model).join(models.length === 2 ? " and " : ", ");
  const rows = models.map(({ model, right, accuracy }) => {
    const cells =
      right === undefined || accuracy === undefined
        ? ""
        : `<td class="number">${right} of ${photos}</td><td class="number">${formatShare(accuracy)}</td>`;
    return `<tr><th scope="row">${escapeHtml(model)}</th>${cells}</tr>`;
  });
  const table = isLabelled
    ? `<table>
<caption>Photos named right</caption>
<thead><tr><th scope="col">Network</th><th scope="col">Right</th><th scope="col">Accuracy</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`
    : "";
  const skipped =
    leftOut.length === 0
      ? ""
      : `<section aria-labelledby="left-out">
<h2 id="left-out">Left out</h2>
<ul>
${leftOut.map(({ file, reason }) => `<li>${escapeHtml(file)}: ${escapeHtml(reason)}</li>`).join("\n")}
</ul>
</section>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(names)}: what they looked at</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(names)}: what they looked at</h1>
<p>${photos} photos. The networks agree on ${agreed} of them (${formatShare(agreement)}). ${
    isLabelled
      ? `${found.length} are right for one network and wrong for ${models.length === 2 ? "the other" : "another"}; they are shown below.`
      : `They disagree on the ${found.length} below.`
  }</p>
${table}
<p class="quiet">Each network's own prediction is explained. Relevance: red speaks for the class, blue against it. Salient Relevance: bright areas stand out.</p>
</header>
<main>
${found.map((entry) => article(entry, models)).join("\n")}
${skipped}
</main>
<footer><p>Made by srmap ${escapeHtml(srmap)}, composite ${escapeHtml(composite)}. The numbers are in <a href="summary.json">summary.json</a>.</p></footer>
</body>
</html>
`;
}
