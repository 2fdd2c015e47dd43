import { median } from "../measure/measure.ts";
import type { FullSize, Measured } from "../parts/full-size.ts";
import { milliseconds } from "./report.ts";

const of = (rows: readonly Measured[], by: string, measure: string): Measured | undefined =>
  rows.find((row) => row.by === by && row.measure === measure);

/** Median, and in brackets the least and the most of the processes. */
function time(row: Measured | undefined): string {
  if (row === undefined) return "–";
  const [low, high] = [Math.min(...row.wall), Math.max(...row.wall)];
  return `${milliseconds(median(row.wall))} (${milliseconds(low)} to ${milliseconds(high)})`;
}

/** CPU time of ours over another's: the median of the turns, each process against the one of the same turn. */
function ratio(own: Measured | undefined, other: Measured | undefined): string {
  if (own === undefined || other === undefined) return "–";
  return median(own.cpu.map((ms, i) => ms / (other.cpu[i] ?? Number.NaN))).toFixed(2);
}

const cpu = (row: Measured | undefined): string => (row ? milliseconds(median(row.cpu)) : "–");
const memory = (row: Measured | undefined): string => (row ? median(row.peakMiB).toFixed(0) : "–");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/** docs/full-size.md. */
export function fullSizeTables(
  networks: readonly FullSize[],
  about: Readonly<Record<string, string | number>>,
): string {
  const versions = (networks[0]?.rows ?? [])
    .filter(({ by, measure }) => by !== "srmap" && measure === "forward")
    .map(({ by, version }) => `${by} ${version}`);
  const forward = networks.map(({ name, rows }) => {
    const own = of(rows, "srmap", "forward");
    const peers = ["onnxruntime-web", "PyTorch", "onnxruntime-node"].map((by) => of(rows, by, "forward"));
    return [
      name,
      time(own),
      cpu(own),
      ...peers.flatMap((peer, i) => (i < 2 ? [time(peer), ratio(own, peer)] : [time(peer)])),
    ];
  });
  const relevance = networks.map(({ name, rows }) => {
    const [own, peer] = ["srmap", "PyTorch"].map((by) => of(rows, by, "gradientTimesInput"));
    const lrp = ["lrp0", "epsilonPlus"].map((measure) => of(rows, "srmap", measure));
    return [name, time(own), cpu(own), time(peer), ratio(own, peer), ...lrp.map(time)];
  });
  const processes: readonly (readonly [by: string, measure: string])[] = [
    ["srmap", "forward"],
    ["onnxruntime-web", "forward"],
    ["onnxruntime-node", "forward"],
    ["PyTorch", "forward"],
    ["srmap", "gradientTimesInput"],
    ["PyTorch", "gradientTimesInput"],
    ["srmap", "lrp0"],
    ["srmap", "epsilonPlus"],
  ];
  const peak = networks.map(({ name, rows }) => [
    name,
    ...processes.map(([by, measure]) => memory(of(rows, by, measure))),
  ]);
  return `# Networks of full size

Written by \`SRMAP_PYTHON=python npm run bench -- --only full-size --peers --write-table docs/full-size.md\` (bench/parts/full-size.ts), ${about["date"]}:
${about["cores"]} cores of ${about["cpu"]}, Node ${about["node"]}, ${versions.join(", ")}. Networks of timm at 224 pixels with seeded random weights, through PyTorch's
exporter; one thread everywhere. Every figure is of processes of its own, five calls each; all take turns, ${networks[0]?.rows[0]?.wall.length} times. Times in milliseconds: the median of the processes'
medians, and the least and the most of these. Ratios are of CPU time, srmap's over the peer's in the same turn, median: under 1 srmap is faster. Logits agree
to 1e-4, maps of gradient times input to 2e-2 (relative L2; max pools with near-ties), or the bench stops.

PyTorch and onnxruntime-node compute with 256 or 512 bits and fused multiplication and addition where the processor has them, WebAssembly with 128 bits and without.

## Forward

${table(["network", "srmap", "CPU", "onnxruntime-web", "ratio", "PyTorch", "ratio", "onnxruntime-node"], forward)}
## Explained, the forward pass included

${table(["network", "srmap, gradient times input", "CPU", "PyTorch, the same", "ratio", "srmap, `lrp0`", "srmap, `epsilonPlus`"], relevance)}
## Peak memory of the process, MiB

${table(["network", "srmap forward", "onnxruntime-web", "onnxruntime-node", "PyTorch forward", "srmap gradient", "PyTorch gradient", "srmap `lrp0`", "srmap `epsilonPlus`"], peak)}`;
}
