import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checked } from "../measure/difference.ts";
import { type Effort, median, timingOf } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const peers = path("../../../bench/peers/");
const installed = path("../../../.peers/node_modules/");

/** The networks, by timm's names. */
const fullSizeNetworks = [
  "resnet50",
  "mobilenetv3_large_100",
  "efficientnet_b0",
  "densenet121",
  "convnext_tiny",
] as const;

/** What is measured: who does it, and which of our measures it stands beside. */
interface Runner {
  readonly by: string;
  readonly measure: string;
}

/** One process: what it computed, and its times. */
interface Line {
  readonly version: string;
  readonly peakMiB: number;
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
  readonly logits: readonly number[];
  readonly relevance?: readonly number[] | null;
}

/** A runner's medians, process after process. */
export interface Measured extends Runner {
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
  readonly peakMiB: readonly number[];
  readonly version: string;
  readonly check: string;
}

const gradient = "gradientTimesInput";
const runners: readonly Runner[] = [
  { by: "srmap", measure: "forward" },
  { by: "onnxruntime-web", measure: "forward" },
  { by: "onnxruntime-node", measure: "forward" },
  { by: "PyTorch", measure: "forward" },
  { by: "srmap", measure: gradient },
  { by: "PyTorch", measure: gradient },
  { by: "srmap", measure: "lrp0" },
  { by: "srmap", measure: "epsilonPlus" },
];

// Other sums in another order, through up to 120 layers; maps follow the winners of max pools and the signs of ReLUs too.
const logitsTolerance = 1e-4;
const mapTolerance = 2e-2;

function execute(command: string, args: readonly string[]): string {
  const run = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${run.stderr.trim()}`);
  return run.stdout;
}

/** The network's file and input, made once. */
function made(python: string, name: string): string {
  const folder = path(`../../bench-data/${name}/`);
  if (existsSync(`${folder}net.json`)) return folder;
  mkdirSync(folder, { recursive: true });
  execute(python, [`${peers}full_size.py`, "make", folder, name]);
  return folder;
}

function runOnce({ by, measure }: Runner, python: string, folder: string, name: string, samples: number): Line {
  const [program, args] =
    by === "srmap"
      ? [process.execPath, [path("full-size-child.js"), folder, measure]]
      : by === "PyTorch"
        ? [python, [`${peers}full_size.py`, measure === "forward" ? measure : "gradient", folder, name]]
        : [process.execPath, [`${peers}${by}.mjs`, folder, "1"]];
  const out = execute(program, [...args, String(samples)]);
  return JSON.parse(out.slice(out.indexOf("{"))) as Line; // written by our own scripts
}

/** Runs everybody in turns, a process each, and checks that all compute the same. */
function measureNetwork(python: string, name: string, rounds: number, samples: number): Measured[] {
  const folder = made(python, name);
  const there = runners.filter(({ by }) => !by.startsWith("onnxruntime") || existsSync(`${installed}${by}`));
  const lines: Line[][] = there.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, runner] of there.entries()) lines[i]?.push(runOnce(runner, python, folder, name, samples));
  }
  const first = (by: string, measure: string): Line | undefined =>
    lines[there.findIndex((runner) => runner.by === by && runner.measure === measure)]?.[0];
  const [forward, map] = [first("srmap", "forward"), first("srmap", gradient)?.relevance ?? []];
  return there.map((runner, i) => {
    const mine = lines[i] ?? [];
    const checks = mine.map(({ logits, relevance }) => {
      const what = `${name}, ${runner.measure} by ${runner.by}`;
      const check = checked(what, logits, forward?.logits ?? [], "our logits", logitsTolerance);
      const isSame = runner.measure === gradient && relevance;
      return isSame ? `${check}, ${checked(what, relevance, map, "our map", mapTolerance)}` : check;
    });
    return {
      ...runner,
      wall: mine.map(({ wall }) => median(wall)),
      cpu: mine.map(({ cpu }) => median(cpu)),
      peakMiB: mine.map(({ peakMiB }) => peakMiB),
      version: mine[0]?.version ?? "",
      check: checks[0] ?? "",
    };
  });
}

/** What everybody took for one network. */
export interface FullSize {
  readonly name: string;
  readonly rows: readonly Measured[];
}

/**
 * ResNet-50, MobileNetV3-large, EfficientNet-B0, DenseNet-121 and ConvNeXt-tiny at 224 pixels, one thread: srmap forward and explained, beside
 * onnxruntime and PyTorch, process after process in turns. Needs SRMAP_PYTHON, a Python with torch, timm and onnx.
 * @param only names of networks; all without any
 * @param rounds processes of everybody, of five calls each
 */
export function benchFullSize(effort: Effort, only: readonly string[], rounds: number): FullSize[] {
  const python = process.env["SRMAP_PYTHON"];
  if (python === undefined) {
    console.log("full-size: left out, SRMAP_PYTHON names no Python with torch, timm and onnx.");
    return [];
  }
  const chosen = fullSizeNetworks.filter((name) => only.includes(name));
  const names = chosen.length > 0 ? chosen : effort.once ? (["mobilenetv3_large_100"] as const) : fullSizeNetworks;
  return names.map((name) => {
    console.log(`full-size: ${name}`);
    return { name, rows: measureNetwork(python, name, effort.once ? 1 : rounds, effort.once ? 1 : 5) };
  });
}

/** The same as rows of the report. */
export function fullSizeResults(all: readonly FullSize[]): Result[] {
  return all.flatMap(({ name, rows }) =>
    rows.flatMap(({ by, measure, version, wall, cpu, peakMiB, check }): Result[] => {
      const common = { group: `${name}, full size`, by: `${by} ${version}`.trim(), threads: 1, check };
      return [
        { ...common, name: measure, timing: timingOf(wall, cpu) },
        { ...common, name: `${measure}, peak memory`, value: median(peakMiB), unit: "MiB" },
      ];
    }),
  );
}
