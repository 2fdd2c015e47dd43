import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SeededNetName } from "../../test/cases/seeded-nets.ts";
import { checked } from "../measure/difference.ts";
import { timingOf } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { exportSeeded } from "../nets/seeded.ts";
import { type Computed, epsilonPlusLrnGradient, headlineComposites } from "../parts/networks.ts";

const scripts = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));
const installed = fileURLToPath(new URL("../../../.peers/node_modules/", import.meta.url));

interface PeerLine {
  readonly peer: string;
  readonly version: string;
  readonly threads: number;
  readonly loadMs: number;
  readonly peakMiB: number;
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
  readonly logits: readonly number[];
  readonly relevance?: readonly number[] | null;
}

/** Which measure of ours a peer's line stands beside: the same rules in every layer. */
function measureOf(peer: string, name: SeededNetName): string {
  const hasLrn = headlineComposites(name).includes(epsilonPlusLrnGradient);
  switch (peer) {
    case "li2019 in PyTorch":
      return "li2019";
    case "zennit EpsilonPlus":
      return hasLrn ? epsilonPlusLrnGradient.name : "epsilonPlus";
    case "zennit EpsilonGammaBox":
      return "epsilonGammaBox";
    case "captum epsilon":
      return "captumEpsilon";
    default:
      return "forward";
  }
}

// Other sums in another order: logits to about 1e-6. Maps also follow the winners of max pools, where near-ties fall differently:
// VGG-16's in float32 are 2e-3 from those in float64.
const logitsTolerance = 1e-4;
const mapTolerance = 1e-2;

/** The competitors that are there. */
function commands(threads: number): [command: string, script: string][] {
  const python = process.env["SRMAP_PYTHON"];
  const known: [string, string, boolean][] = [
    [process.execPath, "onnxruntime-web.mjs", existsSync(`${installed}onnxruntime-web`)],
    [process.execPath, "onnxruntime-node.mjs", existsSync(`${installed}onnxruntime-node`)],
    // Plain Node has no threads for tfjs-wasm.
    [process.execPath, "tfjs-wasm.mjs", threads === 1 && existsSync(`${installed}@tensorflow/tfjs-backend-wasm`)],
    [python ?? "python3", "torch_peers.py", python !== undefined],
  ];
  return known.flatMap(([command, script, isThere]): [string, string][] => (isThere ? [[command, script]] : []));
}

/** How people get the competitors that are missing; empty when all are there. */
export function missingPeers(): string {
  const missing = 4 - commands(1).length;
  return missing === 0
    ? ""
    : "Peers: install them with bench/peers/install.sh, name a Python with torch, zennit and captum in SRMAP_PYTHON, and add --peers.";
}

/**
 * Runs every peer that is installed, each in a process of its own, and checks what it computed against ours.
 * @throws Error when a peer's logits or map are not ours: the two would not have done the same work
 */
export function benchPeers(name: SeededNetName, threads: number, samples: number, ours: Computed): Result[] {
  const folder = exportSeeded(name);
  const results: Result[] = [];
  const measures = threads === 1 ? "all" : "headline";
  for (const [command, script] of commands(threads)) {
    const run = spawnSync(command, [`${scripts}${script}`, folder, String(threads), String(samples), measures], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) throw new Error(`${script} failed on ${name}: ${run.stderr.trim()}`);
    if (run.stderr.includes("left out")) console.log(run.stderr.trim());
    for (const line of run.stdout.split("\n").filter((each) => each.startsWith("{"))) {
      const got = JSON.parse(line) as PeerLine; // written by our own script
      const measure = measureOf(got.peer, name);
      const checks = [checked(`${got.peer} on ${name}`, got.logits, ours.logits, "our logits", logitsTolerance)];
      const map = ours.maps.get(measure);
      if (got.relevance) {
        // Maps that were not computed at this number of threads were compared at one.
        if (map === undefined) continue;
        checks.push(checked(`${got.peer} on ${name}`, got.relevance, map, "our map", mapTolerance));
      }
      const common = { group: name, by: `${got.peer} ${got.version}`, threads };
      const timing = timingOf(got.wall, got.cpu);
      results.push({ ...common, name: measure, timing, check: checks.join(", ") });
      // Loading, and memory before a backward pass, are those of the process that also runs what follows.
      if (measure !== "forward") continue;
      results.push({ ...common, name: "peak memory of the process", value: got.peakMiB, unit: "MiB" });
      results.push({ ...common, name: "load", value: got.loadMs, unit: "ms" });
    }
  }
  return results;
}
