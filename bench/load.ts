import { execFileSync } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { modelByName } from "../engine/models/index.ts";
import { networkParameters } from "../engine/parameter-specs.ts";
import { elementCount } from "../engine/tensor.ts";
import { convertWeights, type WeightFile } from "../weights-loader/index.ts";
import { type Effort, median, type Timing } from "./measure.ts";
import type { Result } from "./result.ts";

/** What bench/load-child.ts prints. */
interface Loaded {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly sha256: string;
}

/** Weights of a model without a file: small numbers that repeat. */
function seededWeights(model: string): WeightFile {
  const shapes = new Map(networkParameters(modelByName(model)).map(({ name, shape }) => [name, shape]));
  const readRows = async (name: string, _first: number, count: number): Promise<Float32Array> => {
    const width = elementCount((shapes.get(name) ?? []).slice(1));
    return Float32Array.from({ length: width * count }, (_, i) => ((i % 17) - 8) / 800);
  };
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { name, dtype: "f32" as const, shape }]));
  return { name: model, format: "seeded", metadata: {}, tensors, readRows, read: (name) => readRows(name, 0, 1) };
}

/** From the start of the process to a network with all weights bound, and the most memory that the process took. */
export async function benchLoad(effort: Effort): Promise<Result[]> {
  const model = effort.once ? "squeezenet1_1" : "vgg16";
  const folder = mkdtempSync(join(tmpdir(), "srmap-bench-"));
  try {
    const path = join(folder, `${model}.safetensors`);
    await pipeline(convertWeights(seededWeights(model)).pieces(), createWriteStream(path));
    const child = fileURLToPath(new URL("load-child.js", import.meta.url));
    const run = (...residence: string[]): Loaded =>
      JSON.parse(execFileSync(process.execPath, [child, model, path, ...residence], { encoding: "utf8" }));
    const runs = Array.from({ length: effort.once ? 1 : 6 }, () => run()).slice(effort.once ? 0 : 1); // the first fills the file cache
    const ms = runs.map((loaded) => loaded.ms);
    const timing: Timing = {
      medianMs: median(ms),
      minMs: Math.min(...ms),
      maxMs: Math.max(...ms),
      cpuMs: median(runs.map((loaded) => loaded.cpuMs)),
      samples: runs.length,
    };
    const { size } = statSync(path);
    const peak = median(runs.map((loaded) => loaded.peakBytes));
    const common = { group: "load", by: "srmap", threads: 1 };
    const [whole, outside] = [run("whole"), run("outside")];
    if (whole.sha256 !== outside.sha256) throw new Error(`${model}: weights left in the file give other bytes`);
    return [
      { ...common, name: `${model}, start to bound weights (${(size / 1e6).toFixed(0)} MB file)`, timing },
      { ...common, name: `${model}, peak memory`, value: peak / 1e6, unit: "MB" },
      { ...common, name: `${model}, peak memory / file`, value: peak / size, unit: "" },
      { ...common, name: `${model} explained, start to maps, direct`, value: whole.ms / 1000, unit: "s" },
      { ...common, name: `${model} explained, weights left in the file`, value: outside.ms / 1000, unit: "s" },
      { ...common, name: `${model} explained, peak memory, direct`, value: whole.peakBytes / 1e6, unit: "MB" },
      {
        ...common,
        name: `${model} explained, peak memory, weights left in the file`,
        value: outside.peakBytes / 1e6,
        unit: "MB",
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
