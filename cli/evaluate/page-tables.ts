import { escapeHtml, wideTable } from "../drawing/html.ts";
import type { EvaluationPage } from "./page-contents.ts";
import type { Cell } from "./summary.ts";

/** A number as tables have it: three places, fewer of large ones, none where nothing was measured. */
export function digits(value: number): string {
  if (Number.isNaN(value)) return "none";
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 3 : size < 1000 ? 1 : 0).replace(/^(-?)0\./, "$1.");
}

/** The best mean of a metric; NaN where no map has one. */
function bestMean(cells: readonly Cell[], isMoreBetter: boolean): number {
  const known = cells.map(({ interval }) => interval.mean).filter((mean) => !Number.isNaN(mean));
  if (known.length === 0) return Number.NaN;
  return isMoreBetter ? Math.max(...known) : Math.min(...known);
}

/** Intervals of one metric's maps side by side, on one scale. */
function intervalPicture(cells: readonly Cell[]): (cell: Cell) => string {
  const ends = cells.flatMap(({ interval: { low, high } }) => [low, high]).filter(Number.isFinite);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const at = (value: number): string => (5 + (150 * (value - least)) / (most - least || 1)).toFixed(1);
  return ({ interval: { mean, low, high } }) =>
    Number.isFinite(mean + low + high)
      ? `<svg class="interval" viewBox="0 0 160 18" aria-hidden="true"><path d="M${at(low)} 9H${at(high)}" stroke="currentColor" stroke-width="2" opacity=".45"/><circle cx="${at(mean)}" cy="9" r="4" fill="currentColor"/></svg>`
      : "";
}

function differenceCells(cell: Cell, isMoreBetter: boolean): string {
  const { difference } = cell;
  if (difference === undefined) return '<td class="quiet">compared with</td><td></td>';
  const { mean, low, high, p } = difference;
  const kind = p < 0.05 ? (mean > 0 === isMoreBetter ? " good" : " bad") : "";
  const sign = mean > 0 ? "+" : "";
  return `<td class="number${kind}">${sign}${digits(mean)} (${digits(low)} to ${digits(high)})</td><td class="number">${p < 0.001 ? "below .001" : digits(p)}</td>`;
}

/** One metric: each map's mean and interval, and what it differs by from the chosen map. */
export function metricTable(metric: string, page: EvaluationPage): string {
  const cells = page.cells.filter((cell) => cell.metric === metric);
  const { help = metric, isMoreBetter = true } = page.help.get(metric) ?? {};
  const best = bestMean(cells, isMoreBetter);
  const picture = intervalPicture(cells);
  const rows = cells.map((cell) => {
    const { map, interval, maxBoxAcc } = cell;
    const box =
      maxBoxAcc === undefined ? "" : `<td class="number">${digits(maxBoxAcc.accuracy)} at ${maxBoxAcc.threshold}</td>`;
    return `<tr><th scope="row">${escapeHtml(map)}</th><td class="number${interval.mean === best ? " best" : ""}">${digits(interval.mean)} (${digits(interval.low)} to ${digits(interval.high)})</td><td>${picture(cell)}</td>${differenceCells(cell, isMoreBetter)}${box}<td class="number">${interval.count}</td></tr>`;
  });
  const head = ["Map", "Mean (95 %)", "Interval", `Less ${escapeHtml(page.against)}`, "p"];
  if (metric === "box") head.push("MaxBoxAcc");
  return `<h3>${escapeHtml(metric)} <small>${escapeHtml(help)}; ${isMoreBetter ? "more" : "less"} is better</small></h3>
${wideTable(metric, [...head, "Photos"], rows)}`;
}

/** Means of all maps and metrics, the best of each metric in bold. */
export function overviewTable(page: EvaluationPage, names: readonly string[]): string {
  const maps = [...new Set(page.cells.map(({ map }) => map))];
  const ofMetric = (metric: string): Cell[] => page.cells.filter((cell) => cell.metric === metric);
  const isMore = (metric: string): boolean => page.help.get(metric)?.isMoreBetter !== false;
  const best = new Map(names.map((metric) => [metric, bestMean(ofMetric(metric), isMore(metric))]));
  const rows = maps.map((map) => {
    const cells = names.map((metric) => {
      const mean = ofMetric(metric).find((cell) => cell.map === map)?.interval.mean ?? Number.NaN;
      return `<td class="number${mean === best.get(metric) ? " best" : ""}">${digits(mean)}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(map)}</th>${cells.join("")}</tr>`;
  });
  const heads = names.map((metric) => `${escapeHtml(metric)} ${isMore(metric) ? "\u2191" : "\u2193"}`);
  return wideTable("Means of all maps and metrics", ["Map", ...heads], rows);
}
