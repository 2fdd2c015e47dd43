import { machine } from "../measure/machine.ts";
import type { Result } from "../measure/result.ts";
import { milliseconds } from "./report.ts";

/** The rows worth a picture: group, measure, threads, and what people call it. */
const headlines: readonly (readonly [group: string, name: string, threads: number, title: string])[] = [
  ["vgg16", "forward", 1, "VGG-16, forward"],
  ["vgg16", "forward", 2, "VGG-16, forward, two threads"],
  ["bvlc_alexnet", "forward", 1, "AlexNet (BVLC), forward"],
  ["vgg16", "li2019", 1, "VGG-16, relevance by li2019, forward included"],
  ["vgg16", "epsilonPlus", 1, "VGG-16, relevance by epsilonPlus, forward included"],
];

const width = 760;
const barsFrom = 206;
const barsWidth = 360;
const ratiosEnd = 740;

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** One headline: a bar for everyone who did the same work, fastest first, and how srmap's time compares. */
function chart(rows: readonly Result[], title: string, top: number): { svg: string; height: number } {
  const own = rows.find(({ by }) => by === "srmap");
  const time = ({ timing }: Result): number => timing?.medianMs ?? 0;
  const longest = Math.max(...rows.map(time));
  const bars = [...rows]
    .sort((a, b) => time(a) - time(b))
    .map((row, i) => {
      const y = top + 8 + 20 * i;
      const length = Math.max(1, (time(row) / longest) * barsWidth);
      const isOwn = row === own;
      const against = own && !isOwn ? `${(time(own) / time(row)).toFixed(2)} x` : "";
      return (
        `<text class="${isOwn ? "own" : "peer"}" x="${barsFrom - 8}" y="${y + 13}" text-anchor="end">${escaped(row.by)}</text>` +
        `<rect class="${isOwn ? "own-bar" : "peer-bar"}" x="${barsFrom}" y="${y + 2}" width="${length.toFixed(1)}" height="14" rx="2"/>` +
        `<text class="${isOwn ? "own" : "peer"}" x="${(barsFrom + length + 6).toFixed(1)}" y="${y + 13}">${milliseconds(time(row))} ms</text>` +
        `<text class="peer" x="${ratiosEnd}" y="${y + 13}" text-anchor="end">${against}</text>`
      );
    });
  return {
    svg: [`<text class="title" x="20" y="${top}">${escaped(title)}</text>`, ...bars].join("\n"),
    height: 8 + 20 * rows.length + 26,
  };
}

/**
 * An SVG of the headline rows that have a peer; undefined when none has. Its colours suit light and dark pages: the picture brings its
 * own ground, and follows the reader's preference where the viewer knows it.
 */
export function plot(results: readonly Result[]): string | undefined {
  const parts: string[] = [];
  let y = 56;
  for (const [group, name, threads, title] of headlines) {
    const rows = results.filter(
      (each) => each.group === group && each.name === name && each.threads === threads && each.timing !== undefined,
    );
    if (rows.length < 2) continue;
    const { svg, height } = chart(rows, title, y);
    parts.push(svg);
    y += height;
  }
  if (parts.length === 0) return undefined;
  const { cpu, cores, node, date } = machine();
  const head = "Median; shorter is better. Results are checked against each other before they are timed.";
  const where = `${date}, ${cpu}, ${cores} cores, Node ${node}; one photo, one thread where nothing else is said`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 12}" viewBox="0 0 ${width} ${y + 12}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12">`,
    "<title>srmap beside its peers: milliseconds of the same work</title>",
    "<style>",
    ".ground { fill: #ffffff; stroke: #d0d7de } .note { fill: #57606a } .title { fill: #24292f; font-weight: 600 }",
    ".peer { fill: #424a53 } .own { fill: #0550ae; font-weight: 600 } .peer-bar { fill: #afb8c1 } .own-bar { fill: #0969da }",
    "@media (prefers-color-scheme: dark) {",
    ".ground { fill: #0d1117; stroke: #30363d } .note { fill: #8b949e } .title { fill: #e6edf3 }",
    ".peer { fill: #b1bac4 } .own { fill: #79c0ff } .peer-bar { fill: #484f58 } .own-bar { fill: #388bfd }",
    "}",
    "</style>",
    `<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${y + 11}" rx="6"/>`,
    `<text class="note" x="20" y="24">${escaped(head)}</text>`,
    `<text class="note" x="${ratiosEnd}" y="24" text-anchor="end">srmap's time / peer's</text>`,
    ...parts,
    `<text class="note" x="20" y="${y - 4}" font-size="11">${escaped(where)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}
