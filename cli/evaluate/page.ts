import type { ShownPhoto } from "./shown-photos.ts";
import type { Cell } from "./summary.ts";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** What both pages of reports look like. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #181b21; --quiet: #5b6270; --line: #d9dde3; --ground: #fff; --good: #18703a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --quiet: #a2a9b5; --line: #3a3f49; --ground: #16181d; --good: #6fd08f; --bad: #ff8a80; }
}
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.8rem; line-height: 1.2; } h2 { font-size: 1.3rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid var(--line); font-weight: normal; vertical-align: top; }
thead th { color: var(--quiet); } td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.quiet, figcaption { color: var(--quiet); } .good { color: var(--good); } .bad { color: var(--bad); } .best { font-weight: 700; }
.wide { overflow-x: auto; } .wide th, .wide td { white-space: nowrap; }
.photos { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; } img { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }`;

/** Everything on the page. */
export interface EvaluationPage {
  readonly title: string;
  readonly facts: readonly string[];
  readonly cells: readonly Cell[];
  readonly help: ReadonlyMap<string, { readonly help: string; readonly isMoreBetter: boolean }>;
  readonly against: string;
  readonly judgedBy: string;
  readonly best: readonly ShownPhoto[];
  readonly worst: readonly ShownPhoto[];
  readonly leftOut: readonly string[];
}

const digits = (value: number): string => (Number.isNaN(value) ? "none" : value.toFixed(3).replace(/^(-?)0\./, "$1."));

function tableOf(metric: string, page: EvaluationPage): string {
  const cells = page.cells.filter((cell) => cell.metric === metric);
  const { help = metric, isMoreBetter = true } = page.help.get(metric) ?? {};
  const means = cells.map(({ interval }) => interval.mean);
  const best = isMoreBetter ? Math.max(...means) : Math.min(...means);
  const rows = cells.map(({ map, interval, difference, maxBoxAcc }) => {
    const isBetter = difference !== undefined && difference.mean > 0 === isMoreBetter;
    const told =
      difference === undefined
        ? '<td class="quiet">compared with</td><td></td>'
        : `<td class="number ${difference.p < 0.05 ? (isBetter ? "good" : "bad") : ""}">${digits(difference.mean)} (${digits(difference.low)} to ${digits(difference.high)})</td><td class="number">${difference.p < 0.001 ? "below .001" : digits(difference.p)}</td>`;
    const box =
      maxBoxAcc === undefined ? "" : `<td class="number">${digits(maxBoxAcc.accuracy)} at ${maxBoxAcc.threshold}</td>`;
    return `<tr><th scope="row">${escapeHtml(map)}</th><td class="number${interval.mean === best ? " best" : ""}">${digits(interval.mean)} (${digits(interval.low)} to ${digits(interval.high)})</td>${told}${box}<td class="number">${interval.count}</td></tr>`;
  });
  const boxHead = metric === "box" ? '<th scope="col">MaxBoxAcc (IoU .5)</th>' : "";
  return `<h3>${escapeHtml(metric)}: ${escapeHtml(help)}; ${isMoreBetter ? "more" : "less"} is better</h3>
<table><thead><tr><th scope="col">Map</th><th scope="col">Mean (95 %)</th><th scope="col">Less ${escapeHtml(page.against)}</th><th scope="col">p</th>${boxHead}<th scope="col">Photos</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table>`;
}

const strokes = [
  "#1f77b4",
  "#d62728",
  "#2ca02c",
  "#9467bd",
  "#ff7f0e",
  "#17becf",
  "#8c564b",
  "#e377c2",
  "#7f7f7f",
  "#bcbd22",
];

/** Mean curves of a metric as SVG. */
function curvesOf(metric: string, page: EvaluationPage): string {
  const cells = page.cells.filter((cell) => cell.metric === metric && cell.curve !== undefined && metric !== "box");
  if (cells.length === 0) return "";
  const most = Math.max(...cells.flatMap(({ curve }) => curve ?? []), 1e-9);
  const lines = cells.map(({ curve = [] }, k) => {
    const points = curve.map((y, i) => `${50 + (400 * i) / (curve.length - 1)},${(220 - (200 * y) / most).toFixed(1)}`);
    return `<polyline fill="none" stroke="${strokes[k % strokes.length]}" stroke-width="2" points="${points.join(" ")}"/>`;
  });
  const names = cells.map(
    ({ map }, k) =>
      `<rect x="470" y="${20 + 18 * k}" width="12" height="12" fill="${strokes[k % strokes.length]}"/><text x="488" y="${30 + 18 * k}">${escapeHtml(map)}</text>`,
  );
  const height = Math.max(260, 40 + 18 * cells.length);
  return `<svg viewBox="0 0 720 ${height}" width="720" role="img" aria-label="Mean ${escapeHtml(metric)} curves of ${cells.length} maps">
<path d="M50 20V220H450" fill="none" stroke="currentColor" opacity=".4"/>
<text x="44" y="26" text-anchor="end">${digits(most)}</text><text x="44" y="222" text-anchor="end">0</text>
<text x="50" y="240">0</text><text x="450" y="240" text-anchor="end">all pixels changed</text>
${lines.join("\n")}
${names.join("\n")}
</svg>`;
}

function gallery(heading: string, photos: readonly ShownPhoto[]): string {
  const rows = photos.map(({ row, pictures }) => {
    const figures = pictures.map(
      ({ caption, url }, k) =>
        `<figure><img src="${url}" width="224" height="224" alt="${escapeHtml(k === 0 ? `${row.photo} with its boxes` : `${row.photo} with ${caption} over it`)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`,
    );
    return `<article><h3>${escapeHtml(row.photo)}</h3><div class="photos">${figures.join("\n")}</div></article>`;
  });
  return photos.length === 0 ? "" : `<h2>${heading}</h2>\n${rows.join("\n")}`;
}

/** Means of all maps and metrics, the best of each metric in bold. */
function overview(page: EvaluationPage, names: readonly string[]): string {
  const maps = [...new Set(page.cells.map(({ map }) => map))];
  const bestOf = (metric: string): number => {
    const means = page.cells.filter((cell) => cell.metric === metric).map(({ interval }) => interval.mean);
    const known = means.filter((mean) => !Number.isNaN(mean));
    return page.help.get(metric)?.isMoreBetter === false ? Math.min(...known) : Math.max(...known);
  };
  const rows = maps.map((map) => {
    const cells = names.map((metric) => {
      const mean = page.cells.find((cell) => cell.map === map && cell.metric === metric)?.interval.mean ?? Number.NaN;
      return `<td class="number${mean === bestOf(metric) ? " best" : ""}">${digits(mean)}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(map)}</th>${cells.join("")}</tr>`;
  });
  const heads = names.map((metric) => {
    const isMore = page.help.get(metric)?.isMoreBetter !== false;
    return `<th scope="col">${escapeHtml(metric)} <span title="${isMore ? "more" : "less"} is better">${isMore ? "\u2191" : "\u2193"}</span></th>`;
  });
  return `<div class="wide"><table><thead><tr><th scope="col">Map</th>${heads.join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

/** report.html: one file, which opens without a server and loads nothing. */
export function evaluationPage(page: EvaluationPage): string {
  const names = [...new Set(page.cells.map(({ metric }) => metric))];
  const left = page.leftOut.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title><style>${pageStyle}</style></head>
<body>
<header><h1>${escapeHtml(page.title)}</h1>
${page.facts.map((fact) => `<p>${escapeHtml(fact)}</p>`).join("\n")}
<p class="quiet">Mean with its 95 % bootstrap interval; the difference is paired, photo by photo, p by random sign changes. Green and red: p below .05. Bold: the best mean.</p></header>
<main>
${overview(page, names)}
<h2>Metric by metric</h2>
${names.map((metric) => `${tableOf(metric, page)}\n${curvesOf(metric, page)}`).join("\n")}
${page.best.length === 0 ? "" : `<p class="quiet">Below: green, the annotated boxes; maps blurred by a pixel and cut at 99 % of their pixels, to be seen; they are measured as they are.</p>`}
${gallery(`Best photos of ${escapeHtml(page.against)} by ${escapeHtml(page.judgedBy)}`, page.best)}
${gallery(`Worst photos of ${escapeHtml(page.against)} by ${escapeHtml(page.judgedBy)}`, page.worst)}
${left === "" ? "" : `<h2>Left out</h2>\n<ul>\n${left}\n</ul>`}
</main></body></html>
`;
}
