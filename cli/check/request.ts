import type { Image } from "../../engine/picture/image.ts";
import { compositeByName, defaultComposite } from "../../engine/rules/composites.ts";
import { type ResolvedSalientRelevanceOptions, resolveSalientRelevanceOptions } from "../../engine/salient/options.ts";
import type { Annotations, AttentionThresholds } from "../../evaluation/index.ts";
import type { LoadOptions } from "../../host/network/load.ts";
import { decodeAnyImage } from "../../host/photos/decode.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import { chooseModel, type ModelChoice } from "../choices/model.ts";
import { networkOptions, readNetworkOptions } from "../choices/network.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { readAnnotations } from "../evaluate/read-annotations.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { numberOption, threadRange, wholeOption } from "../terminal/number-options.ts";
import { type AttentionFile, readAttentionFile } from "./attention-file.ts";

/** What a check is to do: write an attention file, or compare with one. */
export type CheckTask =
  | { readonly write: string; readonly recorded?: undefined }
  | { readonly write?: undefined; readonly recorded: AttentionFile; readonly recordedPath: string };

/** What is checked, and how, as typed or as the attention file says. */
export interface CheckRequest {
  readonly task: CheckTask;
  /** Photos, folders, patterns. */
  readonly typed: readonly string[];
  readonly composite: string;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly thresholds: AttentionThresholds;
  readonly threads: number;
  /** What the weights do not say of the network. */
  readonly load: LoadOptions;
  /** How photos are prepared, as typed or recorded. */
  readonly preprocess: string | undefined;
  readonly choice: ModelChoice;
  readonly annotations: Annotations | undefined;
  readonly forbidden: Image | undefined;
  /** How many photos that failed the page shows with pictures. */
  readonly pictures: number;
}

const usual = { correlation: 0.9, inside: 0.1, forbidden: 0.05, threads: 1, pictures: 100 };
const shares = { low: -1, high: 1 };

/** The options of `srmap check`. */
export const checkOptions: OptionTable = {
  write: { value: "FILE", help: "Record where the network looks now, instead of comparing." },
  annotations: {
    value: "PATH",
    short: "a",
    help: "Objects, as for evaluate: the share of attention on them counts, too.",
  },
  forbidden: { value: "FILE", help: "A mask of the photos' size: not black where nothing may be relevant." },
  model: { value: "NAME", short: "m", help: "The network; when comparing, default the recorded one." },
  weights: { value: "FILE", short: "w", help: "Its weights." },
  ...networkOptions,
  composite: { value: "NAME", short: "c", help: `Composite; only with --write. Default ${defaultComposite}.` },
  threads: {
    value: "N",
    help: `Threads of the kernels; the result does not depend on them. Default ${usual.threads}.`,
  },
  "min-correlation": {
    value: "R",
    help: `Rank correlation of the 16x16 grids, at least. Default ${usual.correlation}.`,
  },
  "max-inside-loss": {
    value: "SHARE",
    help: `Share of attention on the object, down by at most. Default ${usual.inside}.`,
  },
  "max-forbidden": {
    value: "SHARE",
    help: `Share of relevance on the forbidden region, at most. Default ${usual.forbidden}.`,
  },
  "allow-prediction": { help: "Another prediction alone is no failure." },
  junit: { value: "FILE", help: "Write JUnit's XML." },
  html: { value: "FILE", help: "Write a page with before, now and difference of each photo that failed." },
  pictures: { value: "N", help: `How many failed photos the page shows with pictures. Default ${usual.pictures}.` },
  json: { help: "Print one JSON document instead of text." },
  ...salientSettingOptions,
};

async function readRegion(path: string | undefined): Promise<Image | undefined> {
  if (path === undefined) return undefined;
  try {
    return await decodeAnyImage(await readPhotoBytes(path));
  } catch (error) {
    throw new CommandError(`forbidden region ${path}: ${describeError(error)}`);
  }
}

/** The file to write or to compare with, and the photos. */
async function readTask(given: Arguments): Promise<Pick<CheckRequest, "task" | "typed">> {
  const write = given.value("write");
  const [recordedPath, ...rest] = given.positionals;
  const typed = write === undefined ? rest : given.positionals;
  if (recordedPath === undefined || typed.length === 0) {
    throw new UsageError(
      'check needs photos: srmap check --write attention.json PHOTO..., later srmap check attention.json PHOTO... See "srmap help check".',
    );
  }
  if (write !== undefined) return { task: { write }, typed };
  const recorded = await readAttentionFile(recordedPath);
  const fixed = ["composite", "salient", "feature", "sr"].find((name) => given.has(name));
  if (fixed !== undefined) {
    throw new UsageError(`--${fixed} was recorded with the attention file; it can only be given with --write.`);
  }
  return { task: { recorded, recordedPath }, typed };
}

/** Reads the command line and the files that it names. @throws UsageError, CommandError in a sentence */
export async function readCheck(given: Arguments): Promise<CheckRequest> {
  const { task, typed } = await readTask(given);
  const { recorded } = task;
  const composite = recorded?.composite ?? given.value("composite") ?? defaultComposite;
  asUsage(() => compositeByName(composite));
  const settings = recorded === undefined ? salientSettings(given) : resolveSalientRelevanceOptions(recorded.settings);
  const thresholds: AttentionThresholds = {
    minCorrelation: numberOption(given, "min-correlation", shares, usual.correlation),
    maxInsideLoss: numberOption(given, "max-inside-loss", shares, usual.inside),
    maxForbidden: numberOption(given, "max-forbidden", shares, usual.forbidden),
    mayPredictionChange: given.has("allow-prediction"),
  };
  const threads = wholeOption(given, "threads", threadRange, usual.threads);
  const preprocess = given.value("preprocess") ?? recorded?.preprocess;
  const withRecorded: Arguments = {
    ...given,
    value: (name) => (name === "preprocess" ? preprocess : given.value(name)),
  };
  const load = await readNetworkOptions(withRecorded);
  const choice = await chooseModel(given.value("model") ?? recorded?.model ?? undefined, given.value("weights"));
  const annotationsPath = given.value("annotations");
  const annotations = annotationsPath === undefined ? undefined : await readAnnotations(annotationsPath);
  const forbidden = await readRegion(given.value("forbidden"));
  const pictures = wholeOption(given, "pictures", { low: 0, high: 10000 }, usual.pictures);
  return {
    task,
    typed,
    composite,
    settings,
    thresholds,
    threads,
    load,
    preprocess,
    choice,
    annotations,
    forbidden,
    pictures,
  };
}
