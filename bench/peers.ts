import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SeededNetName } from "../test/cases/seeded-nets.ts";
import { median } from "./measure.ts";
import type { Result } from "./result.ts";
import { exportSeeded } from "./seeded.ts";

const scripts = fileURLToPath(new URL("../../bench/peers/", import.meta.url));
const installed = fileURLToPath(new URL("../../.peers/node_modules/", import.meta.url));

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

/** Which measure of ours a peer's line stands beside. */
const measures: Readonly<Record<string, string>> = {
  "li2019 in PyTorch": "li2019",
  "zennit EpsilonPlus": "epsilonPlus",
  "captum epsilon": "epsilon",
};

const relativeL2 = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(error / norm);
};

/**
 * Runs every peer that is installed, each in a process of its own, and checks what it computed against ours.
 * @param ours our logits, and our maps by composite
 */
export function benchPeers(
  name: SeededNetName,
  threads: number,
  samples: number,
  ours: { readonly logits: Float32Array; readonly maps: ReadonlyMap<string, Float32Array> },
): Result[] {
  const folder = exportSeeded(name);
  const python = process.env["SRMAP_PYTHON"];
  const commands: [string, string, boolean][] = [
    [process.execPath, "onnxruntime-web.mjs", existsSync(`${installed}onnxruntime-web`)],
    [process.execPath, "onnxruntime-node.mjs", existsSync(`${installed}onnxruntime-node`)],
    [process.execPath, "tfjs-wasm.mjs", threads === 1 && existsSync(`${installed}@tensorflow/tfjs-backend-wasm`)],
    [python ?? "python3", "torch_peers.py", python !== undefined],
  ];
  const results: Result[] = [];
  for (const [command, script, isThere] of commands) {
    if (!isThere) {
      if (threads === 1) console.log(`  (no ${script}: run bench/peers/install.sh, or set SRMAP_PYTHON)`);
      continue;
    }
    const run = spawnSync(command, [`${scripts}${script}`, folder, String(threads), String(samples)], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const lines = run.stdout.split("\n").filter((line) => line.startsWith("{"));
    if (lines.length === 0) console.log(`  (${script} failed: ${run.stderr.trim().split("\n").at(-1)})`);
    for (const line of lines) {
      const got = JSON.parse(line) as PeerLine; // written by our own script
      const off = relativeL2(got.logits, ours.logits);
      if (!(off < 1e-3)) throw new Error(`${got.peer}: its logits differ from ours by ${off} (relative L2).`);
      const measure = measures[got.peer] ?? "forward";
      const map = got.relevance ? ours.maps.get(measure) : undefined;
      const mapOff = map && got.relevance ? `, map ${relativeL2(got.relevance, map).toExponential(1)}` : "";
      const common = { group: name, by: `${got.peer} ${got.version}`, threads };
      results.push({
        ...common,
        name: measure,
        timing: {
          medianMs: median(got.wall),
          minMs: Math.min(...got.wall),
          maxMs: Math.max(...got.wall),
          cpuMs: median(got.cpu),
          samples: got.wall.length,
        },
        check: `logits ${off.toExponential(1)}${mapOff}`,
      });
      results.push({ ...common, name: "peak memory of the process", value: got.peakMiB, unit: "MiB" });
      results.push({ ...common, name: "load", value: got.loadMs, unit: "ms" });
    }
  }
  return results;
}
