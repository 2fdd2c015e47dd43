import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Effort, median, timingOf } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
// Said by the process itself when it ends: the CPU time and the most memory that it took.
const usage = new URL("../measure/usage.js", import.meta.url).href;

interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly peakBytes: number;
  readonly maps: Buffer;
}

/** `srmap explain` as a person runs it, in a process of its own: from the command to all its files, weights cached by the system. */
function explainPhoto(model: string, weights: string, options: readonly string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), "srmap-bench-"));
  try {
    const command = ["explain", path("../../../examples/cat.jpg"), "--model", model, "--weights", weights, ...options];
    const started = performance.now();
    const run = spawnSync(
      process.execPath,
      ["--import", usage, path("../../cli/main.js"), ...command, "--out", join(folder, "out")],
      { encoding: "utf8" },
    );
    const wall = performance.now() - started;
    const [, peak, cpu] = /peak memory: (\d+) bytes, CPU time: (\d+)/.exec(run.stderr) ?? [];
    if (run.status !== 0 || cpu === undefined) throw new Error(`srmap explain failed: ${run.stderr}`);
    const maps = ["relevance.npy", "salient-relevance.npy", "panel.png"].map((file) =>
      readFileSync(join(folder, "out", file)),
    );
    return { wall, cpu: Number(cpu) / 1000, peakBytes: Number(peak), maps: Buffer.concat(maps) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From the command to the first explanation, and the memory of that process beside the weight file. */
export function benchColdStart(model: string, weights: string, effort: Effort): Result[] {
  const { size } = statSync(weights);
  const cores = Math.min(availableParallelism(), 4); // the command's default
  const variants: [name: string, threads: number, options: string[]][] = [
    ["", cores, []],
    [", --threads 1", 1, ["--threads", "1"]],
    [", fast SR", cores, ["--sr", "mode=fast"]],
  ];
  return (effort.once ? variants.slice(0, 1) : variants).flatMap(([variant, threads, options]) => {
    const runs = Array.from({ length: effort.once ? 1 : 6 }, () => explainPhoto(model, weights, options));
    const [first] = runs;
    if (first === undefined || runs.some(({ maps }) => !maps.equals(first.maps))) {
      throw new Error(`srmap explain, ${model}${variant}: two runs gave other bytes.`);
    }
    const warm = runs.slice(effort.once ? 0 : 1); // the first fills the file cache
    const common = { group: "cold start", by: "srmap", threads, check: "same bytes each time" };
    const peak = median(warm.map(({ peakBytes }) => peakBytes));
    const timing = timingOf(
      warm.map(({ wall }) => wall),
      warm.map(({ cpu }) => cpu),
    );
    return [
      { ...common, name: `${model}, command to explanation${variant}`, timing },
      { ...common, name: `${model}, peak memory of the command${variant}`, value: peak / 1e6, unit: "MB" },
      { ...common, name: `${model}, peak memory of the command / file${variant}`, value: peak / size, unit: "x" },
    ];
  });
}
