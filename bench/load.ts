import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Effort, median, timingOf } from "./measure.ts";
import type { Result } from "./result.ts";

/** What bench/load-child.ts prints. */
interface Loaded {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly sha256: string;
}

/**
 * From the start of a process to a network with all weights bound, and the most memory that the process took: loaded, explained, and
 * explained with its weights left in the file.
 */
export function benchLoad(model: string, path: string, effort: Effort): Result[] {
  const child = fileURLToPath(new URL("load-child.js", import.meta.url));
  const run = (...use: string[]): Loaded =>
    JSON.parse(execFileSync(process.execPath, [child, model, path, ...use], { encoding: "utf8" }));
  const runs = Array.from({ length: effort.once ? 1 : 6 }, () => run()).slice(effort.once ? 0 : 1); // the first fills the file cache
  const timing = timingOf(
    runs.map(({ ms }) => ms),
    runs.map((loaded) => loaded.cpuMs),
  );
  const { size } = statSync(path);
  const peak = median(runs.map((loaded) => loaded.peakBytes));
  const common = { group: "load", by: "srmap", threads: 1 };
  const [auto, direct, outside] = [run("auto"), run("direct"), run("outside")];
  if (direct.sha256 !== outside.sha256) throw new Error(`${model}: weights left in the file give other bytes`);
  const check = "bytes of algorithm direct";
  const memory = (name: string, bytes: number): Result[] => [
    { ...common, name: `${model} ${name}, peak memory`, value: bytes / 1e6, unit: "MB" },
    { ...common, name: `${model} ${name}, peak memory / file`, value: bytes / size, unit: "x" },
  ];
  return [
    { ...common, name: `${model}, start to bound weights (${(size / 1e6).toFixed(0)} MB file)`, timing },
    ...memory("loaded", peak),
    ...memory("explained", auto.peakBytes),
    ...memory("explained, weights left in the file", outside.peakBytes),
    { ...common, name: `${model} explained, start to maps`, value: auto.ms / 1000, unit: "s" },
    { ...common, check, name: `${model} explained, weights left in the file`, value: outside.ms / 1000, unit: "s" },
  ];
}
