import { type Composite, compositeByName } from "./composites.ts";
import { ShapeError } from "./errors.ts";
import type { Image } from "./image.ts";
import type { LedgerRow } from "./ledger.ts";
import type { Network } from "./network.ts";
import { preprocess } from "./preprocess.ts";
import type { LrnRule, MaxPoolRule } from "./rules.ts";
import type { ResolvedSalientRelevanceOptions, SalientRelevanceOptions } from "./salient-options.ts";
import { salientRelevance } from "./salient-relevance.ts";
import { labelOf, resolveTarget, type Target } from "./target.ts";
import type { Tensor } from "./tensor.ts";

/** How a photo is explained. */
export interface ExplainOptions {
  /** Class to explain; default the most probable one. */
  readonly target?: Target;
  /** Composite by name or as data; default `li2019`. */
  readonly composite?: string | Composite;
  /** Replaces the composite's rule for max pooling. */
  readonly maxPool?: MaxPoolRule;
  /** Replaces the composite's rule for LRN. */
  readonly lrn?: LrnRule;
  /** Settings of the Salient Relevance step. */
  readonly salientRelevance?: SalientRelevanceOptions;
  /** Milliseconds on any clock, for the timings; without it they are 0, since the engine reads nothing from its host. */
  readonly clock?: () => number;
}

/** A class with its score. */
export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly logit: number;
  readonly probability: number;
}

/** What the network saw, said, and looked at. */
export interface Explanation {
  readonly model: string;
  /** The class explained. */
  readonly target: Prediction;
  /** The five most probable classes, best first. */
  readonly top: readonly Prediction[];
  /** [classes], before softmax. */
  readonly logits: Tensor;
  /** [classes]. */
  readonly probabilities: Tensor;
  /** Relevance of every input element, [C,H,W], signed. */
  readonly relevance: Tensor;
  /** The Salient Relevance map, [H,W] in [0,1]. */
  readonly salientRelevance: Tensor;
  /** One row per layer, from the output to the input. */
  readonly ledger: readonly LedgerRow[];
  /** The preprocessed input, [C,H,W]. */
  readonly input: Tensor;
  /** The picture the network saw; undefined when a tensor was given. */
  readonly picture: Image | undefined;
  readonly composite: Composite;
  readonly salientRelevanceOptions: ResolvedSalientRelevanceOptions;
  readonly timingsMs: { readonly forward: number; readonly relevance: number; readonly salientRelevance: number };
}

/** The composite that the options mean. */
function chosenComposite({ composite = "li2019", maxPool, lrn }: ExplainOptions): Composite {
  const base = typeof composite === "string" ? compositeByName(composite) : composite;
  return { ...base, maxPool: maxPool ?? base.maxPool, lrn: lrn ?? base.lrn };
}

const isTensor = (input: Image | Tensor): input is Tensor => "shape" in input;

/**
 * Explains what a network looked at: forward pass, relevance of the target class by the composite's rules, and the Salient
 * Relevance map of that relevance (Li et al. 2019). Relevance starts from the class's logit, before softmax.
 * @param input a photo, which is preprocessed as the network's weights expect, or a tensor [C,H,W] that already is
 * @throws RangeError for an unknown target or composite, ShapeError for an input that does not fit
 */
export function explain(network: Network, input: Image | Tensor, options: ExplainOptions = {}): Explanation {
  const { definition } = network;
  const clock = options.clock ?? (() => 0);
  const plan = network.relevancePlan(chosenComposite(options));
  const { tensor: inputTensor, picture } = isTensor(input)
    ? { tensor: input, picture: undefined }
    : preprocess(input, definition.preprocessing, definition.inputShape);
  if (network.outputShape.slice(1).some((size) => size !== 1)) {
    throw new ShapeError(
      `network "${definition.name}": gives a map of classes [${network.outputShape.join(",")}], not one score per class. Put a global pooling at its end.`,
    );
  }

  const started = clock();
  const logits = network.forward(inputTensor);
  const forwardDone = clock();
  const probabilities = network.probabilities(logits);
  const prediction = (index: number): Prediction => ({
    index,
    label: labelOf(definition.labels, index),
    logit: logits.data[index] ?? Number.NaN,
    probability: probabilities.data[index] ?? Number.NaN,
  });
  const order = [...logits.data.keys()].sort((a, b) => logits.data[b]! - logits.data[a]! || a - b);
  const target = resolveTarget(options.target ?? "top1", logits, definition.labels);

  const start = new Float32Array(logits.data.length);
  start[target] = logits.data[target] ?? 0;
  const relevanceStarted = clock();
  const { relevance, ledger } = plan.run(start);
  const relevanceDone = clock();
  const salient = salientRelevance(network.kernels, relevance, options.salientRelevance);
  return {
    model: definition.name,
    target: prediction(target),
    top: order.slice(0, 5).map(prediction),
    logits,
    probabilities,
    relevance,
    salientRelevance: salient.map,
    ledger,
    input: inputTensor,
    picture,
    composite: plan.composite,
    salientRelevanceOptions: salient.options,
    timingsMs: {
      forward: forwardDone - started,
      relevance: relevanceDone - relevanceStarted,
      salientRelevance: clock() - relevanceDone,
    },
  };
}
