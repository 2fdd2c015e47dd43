import { mustHave } from "../../engine/basics/must-have.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import type { LoadOptions } from "../../host/network/load.ts";
import { chooseModel, type ModelChoice } from "../choices/model.ts";
import { networkOptions, readNetworkOptions } from "../choices/network.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { outputOption } from "../outputs/outputs.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";
import { numberOption, threadRange, wholeOption } from "../terminal/number-options.ts";
import type { MapSpec } from "./map-source.ts";
import { parseMapSpec } from "./maps.ts";
import { type Replacement, replacements } from "./metric.ts";
import { metricNamed, metrics } from "./metrics.ts";

/** What is evaluated, and how, as typed. */
export interface EvaluationRequest {
  readonly annotationsPath: string;
  readonly maps: readonly MapSpec[];
  readonly metrics: readonly string[];
  /** Name of the map that the others are compared with. */
  readonly against: string;
  readonly choice: ModelChoice;
  /** What the weights do not say of the network. */
  readonly load: LoadOptions;
  /** The same as it was typed, by option. */
  readonly typed: Readonly<Record<string, string>>;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly isWhole: boolean;
  readonly maxArea: number;
  readonly limit: number;
  readonly pictures: number;
  readonly steps: number;
  readonly baseline: Replacement | undefined;
  readonly seed: number;
  readonly threads: number;
  /** Processes that evaluate photos side by side; undefined: as many as fit. */
  readonly jobs: number | undefined;
  readonly out: string;
}

const usual = {
  maps: "epsilonPlus:|R|,epsilonPlus:blur,epsilonPlus:sr,gaussian,random",
  metrics: "pointing15,mass,rank",
  maxArea: 1,
  pictures: 10,
  steps: 50,
  seed: 1,
  threads: 1,
  out: "srmap-evaluation",
};

function listOf(name: string, text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.includes("")) throw new UsageError(`--${name} has an empty entry: "${text}".`);
  const twice = entries.find((entry, i) => entries.indexOf(entry) !== i);
  if (twice !== undefined) throw new UsageError(`--${name} has "${twice}" twice.`);
  return entries;
}

function baselineOf(given: Arguments): Replacement | undefined {
  const text = given.value("baseline");
  const found = replacements.find((kind) => kind === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`--baseline must be one of ${replacements.join(", ")}, got "${text}".`);
}

/** The options of `srmap evaluate`. */
export const evaluationOptions: OptionTable = {
  annotations: {
    value: "PATH",
    short: "a",
    help: "Where the objects are: COCO's JSON, or a folder of Pascal VOC's XML, YOLO's text or masks (PNG).",
  },
  maps: {
    value: "LIST",
    help: `Maps: COMPOSITE[:KIND] with KIND |R|, pos, blur, blur=SIGMA, sr, sr*blur; gradcam, gradcam++, layercam, each [@LAYER]; ig, smoothgrad, occlusion, rise; gaussian and random; npy:FOLDER, a .npy file for each photo. Default ${usual.maps}.`,
  },
  metrics: { value: "LIST", help: `Metrics: ${Object.keys(metrics).join(", ")}. Default ${usual.metrics}.` },
  against: { value: "MAP", help: "The map that the others are compared with, photo by photo. Default the first." },
  model: { value: "NAME", short: "m", help: "The network." },
  weights: { value: "FILE", short: "w", help: "Its weights." },
  ...networkOptions,
  whole: { help: "Squash the whole photo to the network's input instead of cropping it." },
  "max-area": { value: "SHARE", help: `Leave out photos of which the objects cover more. Default ${usual.maxArea}.` },
  limit: { value: "N", help: "Only the first N photos." },
  pictures: {
    value: "N",
    help: `How many of the best and of the worst photos the page shows. Default ${usual.pictures}.`,
  },
  budget: { value: "STEPS", help: `Forward passes of a perturbation curve. Default ${usual.steps}.` },
  baseline: {
    value: "KIND",
    help: `What replaces pixels: ${replacements.join(", ")} (imputed; deletion, lerf and aopc alone). Default what each metric says.`,
  },
  seed: { value: "N", help: `Seed of everything random. Default ${usual.seed}.` },
  jobs: {
    value: "N",
    help: `Photos that are evaluated side by side, a process each; the numbers do not depend on it. Default: one for each core and eight photos, as memory allows.`,
  },
  threads: { value: "N", help: `Threads of each process's kernels. Default ${usual.threads}.` },
  ...salientSettingOptions,
  ...outputOption,
};

function typedOptions(given: Arguments): Record<string, string> {
  const typed: Record<string, string> = {};
  for (const name of Object.keys(networkOptions)) {
    const value = given.value(name);
    if (value !== undefined) typed[name] = value;
  }
  return typed;
}

/** Reads the command line. @throws UsageError in a sentence */
export async function readEvaluation(given: Arguments): Promise<EvaluationRequest> {
  if (given.positionals.length === 0) {
    throw new UsageError(
      'evaluate needs photos: srmap evaluate PHOTO... --annotations FILE. See "srmap help evaluate".',
    );
  }
  const annotationsPath = given.value("annotations");
  if (annotationsPath === undefined) throw new UsageError("evaluate needs --annotations FILE: where the objects are.");
  const maps = listOf("maps", given.value("maps") ?? usual.maps).map(parseMapSpec);
  const names = listOf("metrics", given.value("metrics") ?? usual.metrics);
  for (const name of names) metricNamed(name);
  const mapNames = maps.map(({ name }) => name);
  const against = given.value("against") ?? mustHave(mapNames[0], "--maps");
  if (!mapNames.includes(against)) throw new UsageError(`--against must be one of --maps, got "${against}".`);
  return {
    annotationsPath,
    maps,
    metrics: names,
    against,
    seed: wholeOption(given, "seed", { low: 0, high: 2 ** 31 }, usual.seed),
    steps: wholeOption(given, "budget", { low: 1, high: 1000 }, usual.steps),
    baseline: baselineOf(given),
    pictures: wholeOption(given, "pictures", { low: 0, high: 1000 }, usual.pictures),
    maxArea: numberOption(given, "max-area", { low: 0, high: 1 }, usual.maxArea),
    limit: wholeOption(given, "limit", { low: 1, high: Number.MAX_SAFE_INTEGER }, Number.MAX_SAFE_INTEGER),
    threads: wholeOption(given, "threads", threadRange, usual.threads),
    jobs: wholeOption(given, "jobs", { low: 1, high: 256 }, undefined),
    load: await readNetworkOptions(given),
    typed: typedOptions(given),
    settings: salientSettings(given),
    isWhole: given.has("whole"),
    out: given.value("out") ?? usual.out,
    choice: await chooseModel(given.value("model"), given.value("weights")),
  };
}
