import { escapeHtml } from "../drawing/html.ts";
import type { EvaluationPage } from "./page-contents.ts";

// Colours that most people tell apart (Okabe and Ito 2008, without yellow), then greys; every second and third line is broken, too.
const strokes = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#7f7f7f"];
const dashes = ["", "8 4", "2 3"];
const [left, right, top, bottom] = [40, 455, 26, 236];

const strokeOf = (k: number): string => {
  const dash = dashes[k % dashes.length];
  return `stroke="${strokes[k % strokes.length]}" stroke-width="2.5"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}`;
};

/** Round numbers that divide a range into three to six parts, its ends among them. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Mean curves of a metric as SVG, with its key below; nothing where the metric has none. */
export function metricCurves(metric: string, page: EvaluationPage): string {
  const { axes } = page.help.get(metric) ?? {};
  const drawn = page.cells.flatMap(({ metric: each, map, curve }) =>
    each === metric && curve !== undefined && curve.every(Number.isFinite) ? [{ map, curve }] : [],
  );
  if (axes === undefined || drawn.length === 0) return "";
  const values = drawn.flatMap(({ curve }) => curve);
  const ticks = ticksOf(Math.min(0, ...values), Math.max(1e-9, ...values));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const y = (value: number): string => (bottom - ((bottom - top) * (value - low)) / (high - low)).toFixed(1);
  const grid = ticks.map(
    (tick) =>
      `<path d="M${left} ${y(tick)}H${right}" stroke="currentColor" opacity="${tick === 0 ? 0.5 : 0.12}"/><text x="${left - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${tick}</text>`,
  );
  const lines = drawn.map(({ curve }, k) => {
    const points = curve.map((value, i) => {
      const x = left + ((right - left) * i) / Math.max(1, curve.length - 1);
      return `${x.toFixed(1)},${y(value)}`;
    });
    return `<polyline fill="none" stroke-linejoin="round" ${strokeOf(k)} points="${points.join(" ")}"/>`;
  });
  const key = drawn.map(
    ({ map }, k) =>
      `<li><svg viewBox="0 0 32 10" aria-hidden="true"><path d="M0 5H32" ${strokeOf(k)}/></svg>${escapeHtml(map)}</li>`,
  );
  const name = `${metric}: mean ${axes.measured}, from ${axes.first} to ${axes.last}, for ${drawn.length} maps`;
  return `<div class="curves"><svg viewBox="0 0 460 260" role="img" aria-label="${escapeHtml(name)}">
<text x="2" y="14">mean ${escapeHtml(axes.measured)}</text>
${grid.join("\n")}
<text x="${left}" y="254">${escapeHtml(axes.first)}</text><text x="${right}" y="254" text-anchor="end">${escapeHtml(axes.last)}</text>
${lines.join("\n")}
</svg>
<ul class="key">${key.join("")}</ul></div>`;
}
