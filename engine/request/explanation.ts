import type { Tensor } from "../basics/tensor.ts";
import type { LedgerRow } from "../layers/ledger.ts";
import type { LayerRelevance } from "../network/channel-sums.ts";
import type { Image } from "../picture/image.ts";
import type { Composite } from "../rules/composite.ts";
import type { LrnRule, MaxPoolRule } from "../rules/rules.ts";
import type { ResolvedSalientRelevanceOptions, SalientRelevanceOptions } from "../salient/options.ts";
import type { Target, TargetKind } from "./target.ts";

/** Which relevance counts by its sign. */
export type SalientSign = "both" | "for" | "against";

/** Every `SalientSign`. */
export const salientSigns: readonly SalientSign[] = ["both", "for", "against"];

/** How a photo is explained. */
export interface ExplainOptions {
  /** What to explain; default the most probable class. */
  readonly target?: Target;
  /** Composite by name or as data; default `epsilonPlus`. */
  readonly composite?: string | Composite;
  /** Replaces the composite's rule for max pooling. */
  readonly maxPool?: MaxPoolRule;
  /** Replaces the composite's rule for LRN. */
  readonly lrn?: LrnRule;
  /** Also returns the relevance at this layer's output. */
  readonly at?: string;
  /** Settings of the Salient Relevance step. */
  readonly salientRelevance?: SalientRelevanceOptions;
  /**
   * Which relevance the Salient Relevance map is of: all of it by its size, as published, or only what speaks for the target, or
   * only what speaks against it. Default "both".
   */
  readonly salientSign?: SalientSign;
  /**
   * What the 8-bit heat image [height,width,RGB] of feature "lab" goes through before the Salient Relevance step: Li et al. 2019
   * stored theirs as JPEG, which changes it. Default: nothing.
   */
  readonly storeHeat?: (heat: Uint8Array, height: number, width: number) => Uint8Array;
  /** Milliseconds on any clock, for the timings; without it they are 0, since the engine reads nothing from its host. */
  readonly clock?: () => number;
}

/** A class with its score. */
export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly logit: number;
  /** By softmax or by the sigmoids that the network ends in; undefined for a network with one output and no sigmoid, of which softmax makes 1 whatever it is. */
  readonly probability: number | undefined;
}

/** What the network saw, said, and found relevant. */
export interface RelevanceExplanation {
  readonly model: string;
  /** The class that the target is about. */
  readonly target: Prediction;
  readonly targetKind: TargetKind;
  /** The target in words. */
  readonly targetDescription: string;
  /** The five most probable classes, best first. */
  readonly top: readonly Prediction[];
  /** [classes], before softmax. */
  readonly logits: Tensor;
  /** [classes]. */
  readonly probabilities: Tensor;
  /** What made them of the logits: sigmoids, each class for itself, where the network ends in them, else softmax. */
  readonly probabilityFunction: "softmax" | "sigmoid";
  /** Relevance of every input element, [C,H,W], signed. */
  readonly relevance: Tensor;
  /** Relevance at the layer asked for by `at`. */
  readonly layer: LayerRelevance | undefined;
  /** One row per layer, from the output to the input. For a contrastive target, that of R - N R_other before it is cut at 0. */
  readonly ledger: readonly LedgerRow[];
  /** The preprocessed input, [C,H,W]. */
  readonly input: Tensor;
  /** The picture the network saw; undefined when a tensor was given. */
  readonly picture: Image | undefined;
  readonly composite: Composite;
  readonly timingsMs: { readonly forward: number; readonly relevance: number };
}

/** The same, and what stands out in it. */
export interface Explanation extends RelevanceExplanation {
  /** The Salient Relevance map, [H,W] in [0,1]. */
  readonly salientRelevance: Tensor;
  readonly salientRelevanceOptions: ResolvedSalientRelevanceOptions;
  readonly timingsMs: { readonly forward: number; readonly relevance: number; readonly salientRelevance: number };
}
