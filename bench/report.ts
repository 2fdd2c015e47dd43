import { cpus } from "node:os";
import type { Result } from "./result.ts";

const milliseconds = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2));

/** Best and worst of the same measure among ours; ratios are against one thread's peers with as many threads. */
export function ratio(own: Result, peer: Result): number | undefined {
  if (own.timing === undefined || peer.timing === undefined) return undefined;
  const isSame = own.group === peer.group && own.name === peer.name && own.threads === peer.threads;
  return isSame ? own.timing.medianMs / peer.timing.medianMs : undefined;
}

function line(result: Result, own: Result | undefined): string {
  const { timing, flop } = result;
  const head = `  ${result.name.padEnd(38)} ${result.by.padEnd(32)} ${String(result.threads).padStart(2)}T`;
  if (timing === undefined)
    return `${head} ${(result.value ?? Number.NaN).toFixed(1).padStart(9)} ${result.unit ?? ""}`;
  const range = `${milliseconds(timing.minMs)}-${milliseconds(timing.maxMs)}`;
  const rate = flop ? `${(flop / timing.medianMs / 1e6).toFixed(1).padStart(6)} GFLOP/s` : "";
  const times = `${milliseconds(timing.medianMs).padStart(9)} ms (${range}) cpu ${milliseconds(timing.cpuMs)}`;
  const against = own && own !== result ? ratio(own, result) : undefined;
  const compared = against === undefined ? "" : `  srmap is ${against.toFixed(2)} x this`;
  return `${head} ${times.padEnd(48)} ${rate}${compared}${result.check ? `  [${result.check}]` : ""}`;
}

/** Prints the tables. */
export function print(results: readonly Result[]): void {
  for (const group of new Set(results.map((each) => each.group))) {
    console.log(`\n${group}`);
    const rows = results.filter((each) => each.group === group);
    const sorted = rows
      .map((row) => ({ row, first: rows.findIndex((other) => other.name === row.name) }))
      .sort((a, b) => a.first - b.first)
      .map(({ row }) => row);
    for (const row of sorted) {
      const own = rows.find((each) => each.by === "srmap" && each.name === row.name && each.threads === row.threads);
      console.log(line(row, own));
    }
  }
}

/** Where and how it was measured. */
export function machine(): Record<string, string | number> {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    node: process.version,
    v8: process.versions.v8,
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
  };
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** A bar for everyone who did the same work, group after group: milliseconds, shorter is better. */
export function plot(results: readonly Result[]): string {
  const timed = results.filter((each) => each.timing !== undefined && !each.group.startsWith("layers"));
  const groups = [...new Set(timed.map((each) => `${each.group}|${each.name}|${each.threads}`))]
    .map((key) => timed.filter((each) => `${each.group}|${each.name}|${each.threads}` === key))
    .filter((rows) => rows.some((row) => row.by === "srmap") && rows.length > 1);
  const parts: string[] = [];
  let y = 44;
  for (const rows of groups) {
    const [first] = rows;
    if (first === undefined) continue;
    const longest = Math.max(...rows.map((row) => row.timing?.medianMs ?? 0));
    parts.push(
      `<text x="20" y="${y}" font-weight="600">${escaped(first.group)} ${escaped(first.name)}, ${first.threads} thread${first.threads > 1 ? "s" : ""}</text>`,
    );
    y += 8;
    for (const row of [...rows].sort((a, b) => (a.timing?.medianMs ?? 0) - (b.timing?.medianMs ?? 0))) {
      const ms = row.timing?.medianMs ?? 0;
      const width = Math.max(1, (ms / longest) * 420);
      const fill = row.by === "srmap" ? "#1f6feb" : "#b8bfc8";
      parts.push(
        `<text x="212" y="${y + 13}" text-anchor="end">${escaped(row.by)}</text>` +
          `<rect x="220" y="${y + 2}" width="${width.toFixed(1)}" height="14" rx="2" fill="${fill}"/>` +
          `<text x="${(226 + width).toFixed(1)}" y="${y + 13}">${milliseconds(ms)} ms</text>`,
      );
      y += 20;
    }
    y += 22;
  }
  const { cpu, cores, node } = machine();
  const title = `${cpu}, ${cores} cores, Node ${node}; median, milliseconds, shorter is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${y}" viewBox="0 0 760 ${y}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f">`,
    `<rect width="760" height="${y}" fill="#ffffff"/>`,
    `<text x="20" y="22" fill="#57606a">${escaped(title)}</text>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}
