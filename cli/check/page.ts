import { formatShare } from "../drawing/format.ts";
import { definitionList, escapeHtml, reportPage, wideTable } from "../drawing/html.ts";
import { counted } from "../terminal/counted.ts";
import { type Checked, sentencesOf } from "./photos.ts";
import type { ShownChange } from "./shown-changes.ts";

/** Everything on the page. */
export interface CheckPage {
  readonly model: string;
  /** What was compared, as names and texts. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  readonly checked: readonly Checked[];
  /** Pictures of photos that failed, by `Checked`. */
  readonly shown: ReadonlyMap<Checked, ShownChange>;
  readonly srmap: string;
}

const how = `Attention is the Salient Relevance map, summed in 16 x 16 cells. Rank correlation: 1 where the cells are in the same order as before, 0 where the order says
nothing about it. In the differences red has more attention now and blue less; each is scaled to itself, and its largest value is said below it.`;

const change = (before: string, now: string): string =>
  before === now ? escapeHtml(now) : `${escapeHtml(before)} \u2192 ${escapeHtml(now)}`;
const shareText = (share: number | undefined): string => (share === undefined ? "" : formatShare(share));

interface Column {
  readonly head: string;
  /** The cell's text; empty where nothing was measured. */
  text(compared: Compared): string;
}

type Compared = Extract<Checked, { error?: undefined }>;

const columns: readonly Column[] = [
  {
    head: "Prediction",
    text: ({ before, after }) => change(before.prediction.label, after.prediction.label),
  },
  {
    head: "Rank correlation",
    text: ({ outcome: { correlation } }) => (Number.isNaN(correlation) ? "none" : correlation.toFixed(3)),
  },
  {
    head: "On the object",
    text: ({ before, after }) => change(shareText(before.inside), shareText(after.inside)),
  },
  { head: "On the forbidden region", text: ({ after }) => shareText(after.forbidden) },
];

/** One line a photo: what was measured, whether it passed or not. Columns without any value are left out. */
function resultTable(name: string, photos: readonly Checked[]): string {
  const compared = photos.filter((each): each is Compared => each.error === undefined);
  const shown = columns.filter(({ text }) => compared.some((each) => text(each) !== ""));
  const rows = photos.map((each) => {
    const cells =
      each.error === undefined
        ? shown.map(({ text }) => `<td class="number">${text(each)}</td>`).join("")
        : `<td colspan="${Math.max(1, shown.length)}" class="bad">${escapeHtml(each.error)}</td>`;
    return `<tr><th scope="row">${escapeHtml(each.photo)}</th>${cells}</tr>`;
  });
  return wideTable(name, ["Photo", ...shown.map(({ head }) => head)], rows);
}

function article(each: Checked, { pictures: drawn, error }: ShownChange): string {
  const sentences = sentencesOf(each).map((sentence) => `<li class="bad">${escapeHtml(sentence)}</li>`);
  const figures = drawn.map(
    ({ caption, url }) =>
      `<figure><img src="${url}" width="224" height="224" alt="${escapeHtml(`${each.photo}, ${caption}`)}"><figcaption>${escapeHtml(caption.replaceAll(" %", "\u00a0%"))}</figcaption></figure>`,
  );
  const pictures = figures.length === 0 ? "" : `<div class="photos">\n${figures.join("\n")}\n</div>`;
  const why = error === undefined ? "" : `<p class="quiet">Not shown: ${escapeHtml(error)}</p>`;
  return `<article><h3>${escapeHtml(each.photo)}</h3>\n<ul>${sentences.join("")}</ul>\n${pictures}${why}</article>`;
}

/** The page: what was measured of all photos, and before, now and difference of those that failed. One file, which loads nothing. */
export function checkPage({ model, facts, checked, shown, srmap }: CheckPage): string {
  const failed = checked.filter((each) => sentencesOf(each).length > 0);
  const passed = checked.filter((each) => sentencesOf(each).length === 0);
  const verdict =
    failed.length === 0
      ? `${checked.length === 1 ? "The photo passes" : `All ${checked.length} photos pass`}: ${model} looks where it looked.`
      : `${failed.length} of ${counted(checked.length, "photo")} ${failed.length === 1 ? "fails" : "fail"}: ${model} does not look where it looked.`;
  const articles = [...shown].map(([each, change]) => article(each, change));
  const rest = failed.filter((each) => each.error === undefined).length - articles.length;
  const main = `<p class="quiet">${how}</p>
${failed.length === 0 ? "" : `<h2>Photos that fail</h2>\n${resultTable("Photos that fail", failed)}`}
${articles.join("\n")}
${rest > 0 ? `<p class="quiet">${counted(rest, "photo")} more ${rest === 1 ? "fails" : "fail"}: beyond --pictures.</p>` : ""}
${passed.length === 0 ? "" : `<h2>Photos that pass</h2>\n<details${failed.length === 0 ? " open" : ""}><summary>${counted(passed.length, "photo")}</summary>\n${resultTable("Photos that pass", passed)}</details>`}`;
  return reportPage(verdict, definitionList(facts), main, `Made by srmap ${escapeHtml(srmap)}, command check.`);
}
