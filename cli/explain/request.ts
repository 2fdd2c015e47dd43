import { availableParallelism } from "node:os";
import { didYouMean } from "../../engine/basics/errors.ts";
import type { SalientSign } from "../../engine/explain.ts";
import { valueNamed } from "../../engine/graph/compiled-graph.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { modelByName } from "../../engine/models/index.ts";
import { compileGraph } from "../../engine/network/compile.ts";
import { checkRequest } from "../../engine/request/check.ts";
import { parseTarget, type Target } from "../../engine/request/target.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import type { LoadOptions } from "../../host/network/load.ts";
import { version } from "../../host/version.ts";
import { defaultImageLimits, type ImageLimits } from "../../photos/size-limit.ts";
import { type RelevanceColors, readRelevanceColors } from "../choices/colors.ts";
import { type CompositeChoice, chooseComposite } from "../choices/composite.ts";
import { chooseModel } from "../choices/model.ts";
import { readNetworkOptions } from "../choices/network.ts";
import { type Part, readParts } from "../choices/parts.ts";
import { salientSettings } from "../choices/salient.ts";
import { readTheme } from "../choices/theme.ts";
import type { ThemeName } from "../drawing/theme.ts";
import { shapeOfFirstNpy } from "../inputs/npy-shape.ts";
import { sha256 } from "../outputs/hash.ts";
import type { ZarrPlace } from "../outputs/zarr.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { asUsage, UsageError } from "../terminal/errors.ts";
import { threadRange, wholeOption } from "../terminal/number-options.ts";
import type { Existing } from "./existing.ts";

/** A target and the text it was typed as. */
export interface TypedTarget {
  readonly text: string;
  readonly target: Target;
}

/** All that `srmap explain` was asked for, checked as far as it can be without a photo. */
export interface ExplainRequest {
  /** Undefined for the network that the weight file describes. */
  readonly model: string | undefined;
  readonly weights: string;
  readonly load: LoadOptions;
  /** Threads that share the work. */
  readonly threads: number;
  readonly targets: readonly TypedTarget[];
  readonly choice: CompositeChoice;
  readonly settings: ResolvedSalientRelevanceOptions;
  /** Quality of the JPEG that the heat image goes through; undefined: it does not. */
  readonly heatQuality: number | undefined;
  /** Layer whose relevance is written, too. */
  readonly at: string | undefined;
  /** Written as [H,W] instead of [C,H,W]. */
  readonly isAtSummed: boolean;
  readonly colors: RelevanceColors;
  readonly theme: ThemeName;
  readonly limits: ImageLimits;
  /** False: relevance alone. */
  readonly hasSalient: boolean;
  /** Which relevance the Salient Relevance map is of. */
  readonly salientSign: SalientSign;
  readonly parts: ReadonlySet<Part>;
  /** What happens to results that are there already. */
  readonly existing: Existing;
  /** Where rows of arrays go; undefined unless the parts have "zarr". The run that knows its photos fills it in. */
  readonly zarr: ZarrPlace | undefined;
  /** Undefined when it was not given. */
  readonly out: string | undefined;
  readonly isJson: boolean;
  readonly hasLedger: boolean;
}

async function readLoadOptions(given: Arguments): Promise<LoadOptions> {
  const ifOpen = await shapeOfFirstNpy(given.positionals);
  return {
    ...(await readNetworkOptions(given)),
    ...(ifOpen === undefined ? {} : { inputShapeIfOpen: ifOpen }),
    ...readEngineOptions(given),
  };
}

function readEngineOptions(given: Arguments): LoadOptions {
  const algorithm = given.value("algorithm");
  if (algorithm !== undefined && algorithm !== "auto" && algorithm !== "direct") {
    throw new UsageError(`--algorithm must be auto or direct, got "${algorithm}".`);
  }
  const lowMemory = given.has("low-memory");
  if (lowMemory && algorithm === "auto") throw new UsageError("--low-memory computes by --algorithm direct, got auto.");
  return { ...(algorithm === undefined ? {} : { algorithm }), ...(lowMemory ? { lowMemory } : {}) };
}

/** Threads unless told otherwise: more were not measured. */
const usualThreads = 4;

function readThreads(given: Arguments): number {
  const otherwise = given.has("low-memory") ? 1 : Math.min(availableParallelism(), usualThreads);
  return wholeOption(given, "threads", threadRange, otherwise);
}

function readTargets(given: Arguments): TypedTarget[] {
  const texts = given.has("target") ? given.values("target") : ["top1"];
  return [...new Set(texts)].map((text) => ({ text, target: asUsage(() => parseTarget(text)) }));
}

function readLimits(given: Arguments): ImageLimits {
  const typed = given.value("max-megapixels");
  const megapixels = Number(typed ?? defaultImageLimits.maxPixels / 1e6);
  if (!(megapixels > 0 && megapixels <= 1000)) {
    throw new UsageError(`--max-megapixels must be a number over 0 and at most 1000, got "${typed}".`);
  }
  return { maxPixels: megapixels * 1e6 };
}

function readHeatQuality(given: Arguments, feature: string): number | undefined {
  const quality = wholeOption(given, "heat-jpeg", { low: 1, high: 100 }, undefined);
  if (quality === undefined) return undefined;
  if (feature === "gray") {
    throw new UsageError(`--heat-jpeg needs --feature lab, got ${feature}: other features have no heat image.`);
  }
  return quality;
}

function readOneOf<Choice extends string>(
  given: Arguments,
  option: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const typed = given.value(option) ?? choices[0];
  const choice = choices.find((entry) => entry === typed);
  if (choice !== undefined) return choice;
  throw new UsageError(
    `--${option} must be one of ${choices.join(", ")}, got "${typed}".${didYouMean(typed, choices)}`,
  );
}

/**
 * SHA-256 of everything that decides a result but the photo: what differs in it differs in the result, or may.
 * @param weightsSha256 of the weight file
 */
export function requestHash(request: ExplainRequest, weightsSha256: string): string {
  const { model, targets, choice, settings, heatQuality, at, isAtSummed, colors, theme, hasSalient, salientSign } =
    request;
  const { kernels: _, ...load } = request.load;
  const parts = [...request.parts].sort();
  const decisive = { version, weightsSha256, model, load, targets: targets.map(({ text }) => text), choice, settings };
  const text = JSON.stringify({
    ...decisive,
    heatQuality,
    at,
    isAtSummed,
    colors,
    theme,
    hasSalient,
    salientSign,
    parts,
  });
  return sha256(new TextEncoder().encode(text));
}

/**
 * Refuses what does not fit a network: targets, layers, a composite that leaves a layer without a rule.
 * @throws UsageError
 */
export function checkFits(request: ExplainRequest, definition: NetworkDefinition): void {
  const { targets, choice, at, isAtSummed } = request;
  asUsage(() => {
    const graph = compileGraph(definition);
    checkRequest(graph, { composite: choice.composite, targets: targets.map(({ target }) => target), at });
    const shape = at === undefined ? undefined : graph.values[valueNamed(graph, at)]?.shape;
    if (isAtSummed && shape?.length !== 3) {
      throw new UsageError(`--at-sum: layer "${at}" has no height and width, so that its sum would be one number.`);
    }
  });
}

/**
 * Reads the command line of `srmap explain`. A network of the package is checked against it here, before its weights are read.
 * @throws UsageError, CommandError
 */
export async function readRequest(given: Arguments): Promise<ExplainRequest> {
  const { model, weights } = await chooseModel(given.value("model"), given.value("weights"));
  const settings = salientSettings(given);
  const theme = readTheme(given);
  const request: ExplainRequest = {
    model,
    weights,
    load: await readLoadOptions(given),
    threads: readThreads(given),
    targets: readTargets(given),
    choice: await chooseComposite(given),
    settings,
    heatQuality: readHeatQuality(given, settings.feature),
    at: given.value("at"),
    isAtSummed: given.has("at-sum"),
    colors: readRelevanceColors(given, theme),
    theme,
    limits: readLimits(given),
    hasSalient: !given.has("no-salient"),
    salientSign: readOneOf(given, "salient-sign", ["both", "for", "against"]),
    parts: readParts(given),
    existing: readOneOf(given, "existing", ["skip", "replace", "error"]),
    zarr: undefined,
    out: given.value("out"),
    isJson: given.has("json"),
    hasLedger: given.has("ledger"),
  };
  const needsSalient = ["salient", "salient-sign", "sr", "feature", "heat-jpeg"].find((name) => given.has(name));
  if (!request.hasSalient && needsSalient !== undefined) {
    throw new UsageError(`--${needsSalient} is about the Salient Relevance step, which --no-salient leaves out.`);
  }
  if (request.isAtSummed && request.at === undefined) throw new UsageError("--at-sum needs --at LAYER.");
  // Names of classes of one's own are known with the network.
  if (model !== undefined && request.load.labels === undefined) checkFits(request, modelByName(model));
  return request;
}
