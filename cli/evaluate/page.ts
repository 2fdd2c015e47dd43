import { definitionList, escapeHtml, reportPage } from "../drawing/html.ts";
import type { EvaluationPage } from "./page-contents.ts";
import { metricCurves } from "./page-curves.ts";
import { digits, metricTable, overviewTable } from "./page-tables.ts";

/** As many sentences stand open; more are folded up. */
const openNotes = 12;

function gallery(which: "best" | "worst", page: EvaluationPage): string {
  const photos = page[which];
  if (photos.length === 0) return "";
  const articles = photos.map(({ row, pictures }) => {
    const figures = pictures.map(({ caption, value, url }) => {
      const alt = value === undefined ? `${row.photo} with its boxes` : `${row.photo} with ${caption} over it`;
      const text = value === undefined ? escapeHtml(caption) : `${escapeHtml(caption)} <b>${digits(value)}</b>`;
      return `<figure><img src="${url}" width="224" height="224" alt="${escapeHtml(alt)}"><figcaption>${text}</figcaption></figure>`;
    });
    return `<article><h3>${escapeHtml(row.label)} <small>${escapeHtml(row.photo)}</small></h3><div class="photos">${figures.join("\n")}</div></article>`;
  });
  const many = photos.length === 1 ? `The ${which} photo` : `The ${photos.length} ${which} photos`;
  return `<h2>${many} by ${escapeHtml(page.judgedBy)} of ${escapeHtml(page.against)}</h2>
<p class="quiet">Green: the annotated boxes. Under each map its ${escapeHtml(page.judgedBy)}. Maps are shown blurred by a pixel and cut at 99 % of their pixels; they are measured as they are.</p>
${articles.join("\n")}`;
}

function notesSection(notes: readonly string[]): string {
  if (notes.length === 0) return "";
  const list = `<ul>\n${notes.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join("\n")}\n</ul>`;
  const heading = "<h2>Left out</h2>";
  if (notes.length <= openNotes) return `${heading}\n${list}`;
  return `${heading}\n<details><summary>${notes.length} sentences</summary>\n${list}\n</details>`;
}

/** report.html: one file, which opens without a server and loads nothing. */
export function evaluationPage(page: EvaluationPage): string {
  const names = [...new Set(page.cells.map(({ metric }) => metric))];
  const main = `<h2>Means</h2>
<p class="quiet">Bold: the best of a metric. \u2191 more is better, \u2193 less is better.</p>
${overviewTable(page, names)}
<h2>The maps</h2>
${definitionList(page.maps)}
<h2>Metric by metric</h2>
<p class="quiet">Means over the photos with 95 % bootstrap intervals. Differences from ${escapeHtml(page.against)} are paired, photo by photo, with p by random sign changes; green and red, better and worse, where p is below .05.</p>
${names.map((metric) => `${metricTable(metric, page)}\n${metricCurves(metric, page)}`).join("\n")}
${gallery("best", page)}
${gallery("worst", page)}
${notesSection(page.leftOut)}`;
  const footer = `Made by srmap ${escapeHtml(page.srmap)}. All numbers, photo by photo, are in evaluation.json and evaluation.csv.`;
  return reportPage(page.title, definitionList(page.facts), main, footer);
}
