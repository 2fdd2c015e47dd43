import type { NodeDefinition } from "../../../engine/graph/definition.ts";
import type { MaxPoolMode } from "../pool2d.ts";
import {
  alphaBeta,
  captumAlpha1Beta0,
  captumGamma,
  defaultStabilizer,
  epsilon,
  type FractionRule,
  flat,
  gamma,
  innvestigateAlphaBeta,
  zBox,
  zPlus,
  zPlusNoBias,
} from "./fractions.ts";
import type { LrnMode } from "./lrn.ts";

/** Position of a linear layer: `pixel` if no convolution or dense layer lies between it and the network's input. */
export type Position = "pixel" | "hidden";

/** A rule for every kind of node. */
export interface Composite64 {
  /** "gradient": sum of w R. "pass": R as it is, where shapes allow. */
  linear(node: NodeDefinition, position: Position, inputShape: readonly number[]): FractionRule | "gradient" | "pass";
  /** Activations: R as it is, the derivative, or zennit's deconvnet and guided backprop hooks. */
  readonly activation: "pass" | "gradient" | "deconvnet" | "guided";
  readonly maxPool: MaxPoolMode;
  /** Of proportional max pooling; default 1e-6. */
  readonly maxPoolStabilizer?: number;
  /** Average pooling and add: x over its sum, or the gradient. */
  readonly sum: FractionRule | "gradient";
  /** Products: all to the signal, half to each, or the gradient. */
  readonly product: "gate" | "uniform" | "gradient";
  readonly lrn: LrnMode;
  readonly lrnStabilizer: number;
  /** Multiply the map by the input at the end. */
  readonly timesInput: boolean;
}

const lrp: Omit<Composite64, "linear"> = {
  activation: "pass",
  maxPool: "winner",
  sum: epsilon(defaultStabilizer),
  product: "gate",
  lrn: "identity",
  lrnStabilizer: defaultStabilizer,
  timesInput: false,
};

const gradients: Composite64 = {
  linear: () => "gradient",
  activation: "gradient",
  maxPool: "winner",
  sum: "gradient",
  product: "gradient",
  lrn: "gradient",
  lrnStabilizer: 0,
  timesInput: false,
};

/** By kind and position: a rule for dense layers, one for convolutions, one for the convolution at the pixels. */
function ranges(denseRule: FractionRule, conv: FractionRule, pixel: FractionRule = conv): Composite64 {
  return {
    ...lrp,
    linear: (node, position) => (node.op === "dense" ? denseRule : position === "pixel" ? pixel : conv),
  };
}

/** True for a batch norm that belongs to no layer before it: `foldBatchNorm` made it a depthwise convolution of one pixel. */
export function isLoneBatchNorm(node: NodeDefinition): boolean {
  if (node.op !== "conv2d" || node.weight !== `${node.name}: folded weight`) return false;
  return node.group === node.outChannels && node.kernelShape.every((size) => size === 1);
}

/** zennit's rule for such batch norms. */
function passing(composite: Composite64): Composite64 {
  return {
    ...composite,
    linear: (node, position, shape) => (isLoneBatchNorm(node) ? "pass" : composite.linear(node, position, shape)),
  };
}

/** As `ranges`, but the pixel rule also applies to a dense layer there: zennit's composites with "Flat". */
function flatPixels(conv: FractionRule): Composite64 {
  return {
    ...lrp,
    linear: (node, position) => (position === "pixel" ? flat() : node.op === "dense" ? epsilon() : conv),
  };
}

/** epsilonGammaBox for pixel values that lie between low[c] and high[c]. */
export function epsilonGammaBox(low: readonly number[], high: readonly number[]): Composite64 {
  const expand = (bounds: readonly number[], shape: readonly number[]): number[] => {
    const area = (shape[1] ?? 1) * (shape[2] ?? 1);
    return bounds.flatMap((bound) => new Array<number>(area).fill(bound));
  };
  return passing({
    ...lrp,
    linear: (node, position, shape) => {
      if (node.op === "dense") return epsilon();
      return position === "pixel" ? zBox(expand(low, shape), expand(high, shape)) : gamma(0.25);
    },
  });
}

/** The composites of ../shared/design/relevance.md that need no parameters, by name. */
export const composites64: Readonly<Record<string, Composite64>> = {
  li2019: { ...ranges(zPlusNoBias(1e-9), epsilon(0)), sum: epsilon(0) },
  epsilonPlus: passing(ranges(epsilon(), zPlus())),
  epsilonPlusFlat: passing(flatPixels(zPlus())),
  epsilonAlpha2Beta1: passing(ranges(epsilon(), alphaBeta(2, 1))),
  epsilonAlpha2Beta1Flat: passing(flatPixels(alphaBeta(2, 1))),
  presetA: ranges(epsilon(0.1), alphaBeta(1, 0)),
  presetB: ranges(epsilon(0.1), alphaBeta(2, 1)),
  innvestigatePresetA: ranges(epsilon(0.1), innvestigateAlphaBeta(1, 0)),
  innvestigatePresetB: ranges(epsilon(0.1), innvestigateAlphaBeta(2, 1)),
  captumEpsilon: { ...lrp, linear: () => epsilon(1e-9), sum: epsilon(1e-9) },
  captumGamma: { ...lrp, linear: () => captumGamma(), sum: epsilon(1e-9) },
  captumAlpha1Beta0: { ...lrp, linear: () => captumAlpha1Beta0(), sum: epsilon(1e-9) },
  gradient: gradients,
  gradientTimesInput: { ...gradients, timesInput: true },
  deconvnet: { ...gradients, activation: "deconvnet" },
  guidedBackprop: { ...gradients, activation: "guided" },
  // As in zennit, which leaves activations and LRN their gradient.
  excitationBackprop: { ...gradients, linear: () => zPlus(), sum: epsilon(defaultStabilizer) },
};

/** The same rule on every linear layer, and the LRP defaults elsewhere. */
export function uniform(rule: FractionRule | "gradient" | "pass", others: Partial<Composite64> = {}): Composite64 {
  return { ...lrp, linear: () => rule, ...others };
}
