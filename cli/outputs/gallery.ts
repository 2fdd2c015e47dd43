import { existsSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../host/version.ts";
import { writeWhole } from "./atomic-write.ts";
import { galleryScript, galleryStyle } from "./gallery-page.ts";
import { type IndexLine, readIndex } from "./run-index.ts";

/** Pictures to show of a photo, the first that is there. */
const pictures = ["overlay.png", "panel.png", "salient-relevance.png", "relevance.png"];

/** What the page needs of a photo, without names, since there may be many: path, folder, class, probability, truth, right, share against, note, error. */
type Row = readonly [
  photo: string,
  folder: string,
  label: string,
  probability: number,
  truth: string,
  right: number,
  against: number,
  notes: string,
  error: string,
];

/** Four digits are more than a page shows. */
const short = (value: number): number => Number(value.toPrecision(4));

function rowOf(line: IndexLine): Row {
  const target = line.targets?.[0];
  const total = target === undefined ? 0 : target.for - target.against;
  return [
    line.photo,
    target?.folder ?? "",
    line.label ?? "",
    short(line.probability ?? 0),
    line.truth ?? "",
    line.right === undefined ? -1 : Number(line.right),
    target === undefined || total === 0 ? 0 : short(-target.against / total),
    line.notes?.join(" ") ?? "",
    line.error ?? "",
  ];
}

/** Text of JSON that may stand inside a script element. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/**
 * Writes index.html of a run, from its index.jsonl: a page that needs no server and nothing from elsewhere. It shows a screenful of
 * photos at a time, so that it stays fast whatever their number.
 */
export function writeGallery(out: string): void {
  const rows: Row[] = [];
  for (const line of readIndex(join(out, "index.jsonl"))) rows.push(rowOf(line));
  const sample = rows.find(([, folder, , , , , , , error]) => error === "" && folder !== "")?.[1];
  const picture = pictures.find((name) => sample !== undefined && existsSync(join(out, ...sample.split("/"), name)));
  const link = ["panel.png", ...pictures].find(
    (name) => sample !== undefined && existsSync(join(out, ...sample.split("/"), name)),
  );
  const title = `${rows.length} photos: what the network looked at`;
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${galleryStyle}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p id="accuracy"></p>
<form id="filters">
<label>Search <input type="search" id="search" placeholder="path or class" autocomplete="off"></label>
<label>Class <select id="class"><option value="">all</option></select></label>
<label>Show <select id="show"><option value="">all</option><option value="right">right</option><option value="wrong">wrong</option><option value="note">with a note</option><option value="failed">failed</option></select></label>
<label>Order <select id="order"><option value="">as given</option><option value="sure">surest first</option><option value="unsure">least sure first</option><option value="against">most relevance against first</option></select></label>
</form>
</header>
<main>
<nav aria-label="Pages"><button type="button" data-step="-1">Previous</button><span id="where" aria-live="polite"></span><button type="button" data-step="1">Next</button></nav>
<ul id="photos"></ul>
<nav aria-label="Pages, again"><button type="button" data-step="-1">Previous</button><span></span><button type="button" data-step="1">Next</button></nav>
<noscript><p>This page needs JavaScript to show its photos. The same is in <a href="index.csv">index.csv</a>.</p></noscript>
</main>
<footer><p>Salient Relevance over each photo: bright areas stand out in what was relevant for the class, each scaled to its own photo. A picture opens its panel. Made by srmap ${version}; the numbers are in <a href="index.csv">index.csv</a> and <a href="index.jsonl">index.jsonl</a>.</p></footer>
<script type="application/json" id="data">${inScript({ picture, link, rows })}</script>
<script>${galleryScript}</script>
</body>
</html>
`;
  writeWhole(join(out, "index.html"), new TextEncoder().encode(page));
}
