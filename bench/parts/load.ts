import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { elementCount } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { modelByName } from "../../engine/models/index.ts";
import { plainPreprocessing } from "../../engine/models/preprocessing.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { seededDefinition, seededInput, seededTensors } from "../../test/cases/seeded-nets.ts";
import { relativeL2 } from "../measure/difference.ts";
import { type Effort, median, type Timing, timingOf } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { exportSeeded } from "../nets/seeded.ts";
import { type DrawnTensor, writeTensors } from "../nets/seeded-file.ts";

/** Time and memory of a process at one moment. */
interface Moment {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** What bench/parts/load-child.ts and bench/peers/onnxruntime-load.mjs print. */
interface Loaded {
  readonly loaded: Moment;
  readonly done: Moment;
  readonly logits?: readonly number[];
  readonly sha256?: string;
  readonly version?: string;
}

/** A network and its weights, drawn when asked for. */
interface Subject {
  readonly definition: NetworkDefinition;
  readonly input: Float32Array;
  readonly tensors: readonly DrawnTensor[];
}

function subject(effort: Effort): Subject {
  if (!effort.once) {
    const { preprocessing = plainPreprocessing } = modelByName("vgg16"); // of photos of any size
    return {
      definition: { ...seededDefinition("vgg16"), preprocessing },
      input: seededInput("vgg16"),
      tensors: seededTensors("vgg16"),
    };
  }
  // The gate's: small, and small numbers that repeat.
  const definition = modelByName("squeezenet1_1");
  const fill = (target: Float32Array, begin: number): void => {
    for (let i = 0; i < target.length; i++) target[i] = (((begin + i) % 17) - 8) / 800;
  };
  const input = Float32Array.from(
    { length: elementCount(definition.inputShape) },
    (_, i) => ((i * 7919) % 509) / 254 - 1,
  );
  return {
    definition,
    input,
    tensors: networkParameters(definition).map(({ name, shape }) => ({ name, shape, fill })),
  };
}

function node(script: string, ...args: string[]): Loaded {
  const out = execFileSync(process.execPath, [script, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  return JSON.parse(out.slice(out.indexOf("{"))) as Loaded; // written by our own scripts
}

const momentTiming = (moments: readonly Moment[]): Timing =>
  timingOf(
    moments.map(({ ms }) => ms),
    moments.map(({ cpuMs }) => cpuMs),
  );

/** Peak memory of the command itself, photo and pictures included. */
function commandPeak(weights: string, out: string): number {
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
  const args = ["--import", new URL("../measure/usage.js", import.meta.url).href, path("../../cli/main.js"), "explain"];
  const photo = path("../../../examples/coffee.jpg");
  const options = ["--weights", weights, "--low-memory", "--existing", "replace", "--out", out];
  const run = spawnSync(process.execPath, [...args, photo, ...options], {
    encoding: "utf8",
  });
  const peak = /peak memory: (\d+) bytes/.exec(run.stderr)?.[1];
  if (run.status !== 0 || peak === undefined) throw new Error(`srmap explain --low-memory failed: ${run.stderr}`);
  return Number(peak);
}

// What a VGG-16 explanation with the weights left in the file may take.
const lowMemoryCapBytes = 256e6;

/**
 * From the start of the process to a network with all weights bound, and the most memory that the process took: loaded, after one
 * forward pass, after one explanation. Peers load the same weights in processes of their own, and their logits are checked.
 */
export async function benchLoad(effort: Effort, withPeers: boolean): Promise<Result[]> {
  const about = subject(effort);
  const model = effort.once ? about.definition.name : "vgg16";
  const folder = mkdtempSync(join(tmpdir(), "srmap-bench-"));
  const child = fileURLToPath(new URL("load-child.js", import.meta.url));
  try {
    const [path, input] = [join(folder, "f32.safetensors"), join(folder, "input.bin")];
    writeFileSync(input, new Uint8Array(about.input.buffer));
    await writeTensors(path, about.tensors, { network: about.definition });
    const { size } = statSync(path);
    const common = { group: "load", threads: 1 };
    const results: Result[] = [];
    const report = (by: string, runs: readonly Loaded[], check: string): void => {
      const peak = (moment: "loaded" | "done"): number => median(runs.map((run) => run[moment].peakBytes));
      const file = `(${(size / 1e6).toFixed(0)} MB file)`;
      results.push({
        ...common,
        by,
        name: `${model}, start to bound weights ${file}`,
        timing: momentTiming(runs.map((run) => run.loaded)),
        check,
      });
      results.push({ ...common, by, name: `${model}, peak memory, loaded`, value: peak("loaded") / 1e6, unit: "MB" });
      results.push({
        ...common,
        by,
        name: `${model}, peak memory, one forward`,
        value: peak("done") / 1e6,
        unit: "MB",
      });
      results.push({ ...common, by, name: `${model}, peak, loaded / file`, value: peak("loaded") / size, unit: "" });
    };
    const loaders = [{ by: "srmap", run: () => node(child, path, input, "forward") }];
    for (const peer of withPeers && !effort.once ? ["web", "node"] : []) {
      if (!existsSync(new URL(`../../../.peers/node_modules/onnxruntime-${peer}`, import.meta.url))) {
        console.log(`  (no onnxruntime-${peer}: run bench/peers/install.sh)`);
        continue;
      }
      const script = fileURLToPath(new URL("../../../bench/peers/onnxruntime-load.mjs", import.meta.url));
      loaders.push({ by: `onnxruntime-${peer}`, run: () => node(script, exportSeeded("vgg16"), "1", "0", peer) });
    }
    // In turn, so that what else the machine does meets all alike; the first round fills the file cache.
    const rounds = Array.from({ length: effort.once ? 1 : 6 }, () => loaders.map(({ run }) => run()));
    const counted = effort.once ? rounds : rounds.slice(1);
    loaders.forEach(({ by }, index) => {
      const runs = counted.flatMap((round) => round[index] ?? []);
      const off = relativeL2(runs[0]?.logits ?? [], counted[0]?.[0]?.logits ?? []);
      if (!(off < 1e-5)) throw new Error(`${by}: its logits differ from ours by ${off} (relative L2).`);
      const isOurs = index === 0;
      report(isOurs ? by : `${by} ${runs[0]?.version}`, runs, isOurs ? "" : `logits ${off.toExponential(1)}`);
    });

    const explained = (name: string, run: Loaded): void => {
      const entry = { ...common, by: "srmap", name: `${model} explained, ${name}` };
      results.push({ ...entry, value: run.done.ms / 1000, unit: "s from start to maps" });
      results.push({ ...entry, value: run.done.peakBytes / 1e6, unit: "MB peak memory" });
    };
    const auto = node(child, path, input, "auto");
    explained("auto", auto);
    results.push({
      ...common,
      by: "srmap",
      name: `${model} explained, peak / file`,
      value: auto.done.peakBytes / size,
    });
    for (const precision of ["f32", "int8"] as const) {
      const file = join(folder, `${precision}.safetensors`);
      if (precision !== "f32")
        await writeTensors(file, about.tensors, { precision, layers: "all", network: about.definition });
      const [whole, outside] = [node(child, file, input, "direct"), node(child, file, input, "low-memory")];
      if (whole.sha256 !== outside.sha256)
        throw new Error(`${model}, ${precision}: weights left in the file give other bytes`);
      const peak = outside.done.peakBytes;
      if (!(peak < lowMemoryCapBytes))
        throw new Error(`${model}, ${precision}: ${peak} bytes with weights left in the file`);
      explained(`direct, ${precision}`, whole);
      explained(`weights left in the file, ${precision}`, outside);
      const command = commandPeak(file, join(folder, "out"));
      if (!(command < lowMemoryCapBytes))
        throw new Error(`${model}, ${precision}: srmap --low-memory took ${command} bytes`);
      const name = `${model}, srmap explain PHOTO --low-memory, ${precision}`;
      results.push({ ...common, by: "srmap", name, value: command / 1e6, unit: "MB peak memory" });
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
