import { notInThisBuild, refuseUnknownOptions } from "./basics/errors.ts";
import { hasRuleLibrary, hasTargets } from "./basics/features.ts";
import { formatShape, type Tensor, tensor } from "./basics/tensor.ts";
import { valueNamed } from "./graph/compiled-graph.ts";
import type { NetworkDefinition } from "./graph/definition.ts";
import { layerRelevance } from "./network/channel-sums.ts";
import { inputTensor } from "./network/input-tensor.ts";
import { Network } from "./network/network.ts";
import type { Pixels } from "./picture/image.ts";
import { preprocess } from "./picture/preprocess.ts";
import { checkRequest } from "./request/check.ts";
import {
  type ExplainOptions,
  type Explanation,
  type RelevanceExplanation,
  type SalientSign,
  salientSigns,
} from "./request/explanation.ts";
import { likeliest, predictionOf, scoresOf } from "./request/prediction.ts";
import { propagate } from "./request/propagate.ts";
import { type ResolvedTarget, resolveTarget, type Target } from "./request/target.ts";
import type { Composite } from "./rules/composite.ts";
import { compositeByName, defaultComposite } from "./rules/composites.ts";
import { heatImage, salientRelevance } from "./salient/salient-relevance.ts";

export type {
  ExplainOptions,
  Explanation,
  Prediction,
  RelevanceExplanation,
  SalientSign,
} from "./request/explanation.ts";
export { salientSigns } from "./request/explanation.ts";

const optionNames = Object.keys({
  target: true,
  composite: true,
  maxPool: true,
  lrn: true,
  at: true,
  salientRelevance: true,
  salientSign: true,
  storeHeat: true,
  clock: true,
} satisfies Record<keyof ExplainOptions, true>);

/** Refuses what is no network, photo or option; says what is one. */
function checkArguments(network: unknown, input: unknown, options: unknown): void {
  if (!(network instanceof Network)) {
    throw new TypeError(
      `explain: the first argument must be a network, got ${describeValue(network)}. Load one: await loadNetwork("alexnet-mini") of srmap/node.`,
    );
  }
  const isPhoto =
    typeof input === "object" && input !== null && "data" in input && ("shape" in input || "width" in input);
  if (!isPhoto) {
    const mend =
      typeof input === "string" ? ` Read it first: await readImage(${JSON.stringify(input)}) of srmap/node.` : "";
    throw new TypeError(
      `explain: the second argument must be a photo, { width, height, data } with RGBA bytes, or a tensor, { shape, data }, got ${describeValue(input)}.${mend}`,
    );
  }
  refuseUnknownOptions("explain", options, optionNames);
}

function describeValue(value: unknown): string {
  if (value instanceof Promise) return "a promise (await it)";
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (typeof value === "object" && value !== null)
    return `an object with ${Object.keys(value).slice(0, 5).join(", ") || "nothing in it"}`;
  return String(value);
}

/**
 * The composite that the options mean.
 * @throws RangeError for an unknown name
 */
export function chosenComposite(options: Pick<ExplainOptions, "composite" | "maxPool" | "lrn">): Composite {
  refuseUnknownOptions("chosenComposite", options, optionNames);
  const { composite = defaultComposite, maxPool, lrn } = options;
  if (!hasRuleLibrary && (typeof composite !== "string" || maxPool !== undefined || lrn !== undefined)) {
    throw notInThisBuild("explain: a composite as data, maxPool, lrn");
  }
  const base = typeof composite === "string" ? compositeByName(composite) : composite;
  return { ...base, maxPool: maxPool ?? base.maxPool, lrn: lrn ?? base.lrn };
}

const isTensor = (input: Pixels | Tensor): input is Tensor => "shape" in input;

/** A tensor given as the input, whose values nothing has checked yet: what they are not is not the network's fault. */
function checkFinite({ name }: NetworkDefinition, { shape, data }: Tensor): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new RangeError(
    `network "${name}": input must be finite, got ${data[at]} at element ${at} of ${formatShape(shape)}. Check how it was prepared.`,
  );
}

/** What `explanationStages` is about to do. */
export interface ExplanationStage {
  readonly stage: "forward" | "relevance" | "salientRelevance";
  /** Which of the targets, from 0; forward is the same for all. */
  readonly target: number;
}

/** The part of the relevance that a sign asks for; the other part becomes 0. */
function ofSign(relevance: Tensor, sign: SalientSign): Tensor {
  if (sign === "both") return relevance;
  return tensor(
    relevance.shape,
    relevance.data.map((r) => (sign === "for" ? Math.max(r, 0) : Math.min(r, 0))),
  );
}

/** The composite, after everything was refused that can be refused without work. */
function checkedComposite(
  network: Network,
  input: Pixels | Tensor,
  targets: readonly Target[],
  options: Omit<ExplainOptions, "target">,
): Composite {
  checkArguments(network, input, options);
  if (!hasTargets && options.at !== undefined) throw notInThisBuild("explain: relevance at a layer");
  const composite = chosenComposite(options);
  const { salientSign = "both" } = options;
  if (!salientSigns.includes(salientSign)) {
    throw new RangeError(
      `explain: salientSign must be one of ${salientSigns.join(", ")}, got ${JSON.stringify(salientSign)}.`,
    );
  }
  checkRequest(network.graph, { composite, targets, at: options.at });
  network.relevancePlan(composite);
  return composite;
}

/** What becomes of a target's relevance before the next target's turn. */
type Finish<Result> = (relevance: RelevanceExplanation, target: number) => Generator<ExplanationStage, Result>;

function* stagesOf<Result>(
  network: Network,
  input: Pixels | Tensor,
  targets: readonly Target[],
  options: Omit<ExplainOptions, "target">,
  finish: Finish<Result>,
): Generator<ExplanationStage, Result[]> {
  const { definition } = network;
  const clock = options.clock ?? (() => 0);
  const composite = checkedComposite(network, input, targets, options);
  const at = !hasTargets || options.at === undefined ? undefined : valueNamed(network.graph, options.at);
  if (isTensor(input)) checkFinite(definition, input);
  const { tensor: values, picture } = isTensor(input)
    ? { tensor: inputTensor(definition, input), picture: undefined }
    : preprocess(input, definition.preprocessing, definition.inputShape);

  yield { stage: "forward", target: 0 };
  const started = clock();
  const logits = network.forward(values);
  const forward = clock() - started;
  const probabilities = network.probabilities(logits);
  const scores = scoresOf(network, logits, probabilities);
  const resolved = targets.map((target) => resolveTarget(target, scores, composite.start));
  const top = likeliest(scores, 5);

  const results: Result[] = [];
  for (const [index, target] of targets.entries()) {
    const found = resolved[index] as ResolvedTarget; // one per target
    yield { stage: "relevance", target: index };
    const relevanceStarted = clock();
    const result = propagate(network, composite, target, found, at === undefined ? [] : [at]);
    const relevance = clock() - relevanceStarted;
    const inside = at === undefined ? undefined : result.kept.get(at);
    const explained: RelevanceExplanation = {
      model: definition.name,
      target: predictionOf(scores, found.index),
      targetKind: found.kind,
      targetDescription: found.description,
      top,
      logits,
      probabilities,
      probabilityFunction: network.graph.probabilities,
      relevance: result.relevance,
      layer: hasTargets && inside && options.at !== undefined ? layerRelevance(options.at, inside) : undefined,
      ledger: result.ledger,
      input: values,
      picture,
      composite,
      timingsMs: { forward, relevance },
    };
    results.push(yield* finish(explained, index));
  }
  return results;
}

/**
 * As `explainTargets`, with a stop before each stage: for hosts that show progress, let other work in between, or end early. Between
 * stages the network must not be used for anything else.
 * @throws as explain
 */
export function explanationStages(
  network: Network,
  input: Pixels | Tensor,
  targets: readonly Target[],
  options: Omit<ExplainOptions, "target"> = {},
): Generator<ExplanationStage, Explanation[]> {
  return stagesOf(network, input, targets, options, function* (explained, target): Generator<
    ExplanationStage,
    Explanation
  > {
    yield { stage: "salientRelevance", target };
    const clock = options.clock ?? (() => 0);
    const started = clock();
    const relevance = ofSign(explained.relevance, options.salientSign ?? "both");
    const [, height = 1, width = 1] = relevance.shape;
    const heat = options.storeHeat?.(heatImage(relevance), height, width);
    const salient = salientRelevance(network.kernels, relevance, options.salientRelevance, heat);
    return {
      ...explained,
      salientRelevance: salient.map,
      salientRelevanceOptions: salient.options,
      timingsMs: { ...explained.timingsMs, salientRelevance: clock() - started },
    };
  });
}

// biome-ignore lint/correctness/useYield: the relevance is all that was asked for
function* nothingMore(explained: RelevanceExplanation): Generator<ExplanationStage, RelevanceExplanation> {
  return explained;
}

function finished<Result>(stages: Generator<ExplanationStage, Result>): Result {
  for (;;) {
    const { done, value } = stages.next();
    if (done) return value;
  }
}

/**
 * Explains several targets of one photo: one forward pass, one backward pass per target (two for a contrastive one).
 * @throws as explain
 */
export function explainTargets(
  network: Network,
  input: Pixels | Tensor,
  targets: readonly Target[],
  options: Omit<ExplainOptions, "target"> = {},
): Explanation[] {
  return finished(explanationStages(network, input, targets, options));
}

/**
 * As `explainTargets` without the Salient Relevance step, which takes most of the time.
 * @throws as explain
 */
export function relevanceOfTargets(
  network: Network,
  input: Pixels | Tensor,
  targets: readonly Target[],
  options: Omit<ExplainOptions, "target" | "salientRelevance" | "salientSign" | "storeHeat"> = {},
): RelevanceExplanation[] {
  const stages = stagesOf(network, input, targets, options, nothingMore);
  return finished(stages);
}

/**
 * Explains what a network looked at: forward pass, relevance of the target by the composite's rules, and the Salient Relevance map
 * of that relevance (Li et al. 2019). Relevance starts before softmax.
 * @param input a photo, which is preprocessed as the network's weights expect, or a tensor [C,H,W] that already is
 * @throws RangeError for an unknown target, layer or composite, ShapeError for an input that does not fit, TypeError for arguments
 *   and options that are none
 */
export function explain(network: Network, input: Pixels | Tensor, options: ExplainOptions = {}): Explanation {
  checkArguments(network, input, options);
  const { target = "top1", ...rest } = options;
  const [explanation] = explainTargets(network, input, [target], rest);
  return explanation as Explanation; // one per target
}
