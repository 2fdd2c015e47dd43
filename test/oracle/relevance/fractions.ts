import type { Conv2dGeometry } from "../conv2d.ts";
import { forEachConv2dTap } from "../conv2d.ts";

/** A layer that multiplies inputs by weights and adds a bias, as the list of its connections. */
export interface LinearLayer {
  readonly inCount: number;
  readonly outCount: number;
  /** Visits every connection i -> j with its weight w_ij. */
  forEach(visit: (j: number, i: number, w: number) => void): void;
  /** b_j. */
  bias(j: number): number;
}

/** A convolution as connections. */
export function conv2dLayer(
  g: Conv2dGeometry,
  outCount: number,
  weight: ArrayLike<number>,
  bias?: ArrayLike<number>,
): LinearLayer {
  const area = outCount / g.outChannels;
  // Listed once: rules go through the connections many times.
  const outputs: number[] = [];
  const inputs: number[] = [];
  const weights: number[] = [];
  forEachConv2dTap(g, (j, i, k) => {
    outputs.push(j);
    inputs.push(i);
    weights.push(weight[k]!);
  });
  return {
    inCount: g.channels * g.height * g.width,
    outCount,
    forEach(visit) {
      for (let n = 0; n < outputs.length; n++) visit(outputs[n]!, inputs[n]!, weights[n]!);
    },
    bias: (j) => bias?.[Math.floor(j / area)] ?? 0,
  };
}

/** A dense layer as connections. */
export function denseLayer(inCount: number, weight: ArrayLike<number>, bias?: ArrayLike<number>): LinearLayer {
  const outCount = weight.length / inCount;
  return {
    inCount,
    outCount,
    forEach(visit) {
      for (let j = 0; j < outCount; j++) for (let i = 0; i < inCount; i++) visit(j, i, weight[j * inCount + i]!);
    },
    bias: (j) => bias?.[j] ?? 0,
  };
}

/**
 * One fraction of a rule. With contributions q_ij and bias part b'_j:
 *   R_i += coefficient * sum over j of q_ij / s(sum_i q_ij + b'_j) * R_j
 */
export interface Fraction {
  readonly coefficient: number;
  /** q_ij from x_i and w_ij; i for rules whose bounds depend on the input. */
  contribution(x: number, w: number, i: number): number;
  /** b'_j from b_j. */
  bias(b: number): number;
  /** Takes part only where the layer's output z_j has this sign; undefined: everywhere. */
  readonly onlySign?: 1 | -1;
}

/** A rule of a linear layer: fractions and how their divisors are kept from 0. */
export interface FractionRule {
  readonly fractions: readonly Fraction[];
  readonly stabilizer: number;
  /** signed: s(z) = z + stabilizer * sign(z), sign(0) = 1. positive: s(z) = z + stabilizer. */
  readonly stabilizerSign: "signed" | "positive";
}

/** Where relevance went that no input received. */
export interface Absorbed {
  readonly bias: number;
  readonly stabilizer: number;
  readonly dropped: number;
}

/** Relevance of a layer's inputs and what became of the rest. */
export interface Propagated extends Absorbed {
  readonly relevance: Float64Array;
}

const none = (): number => 0;
const same = (b: number): number => b;
const positive = (v: number): number => Math.max(v, 0);
const negative = (v: number): number => Math.min(v, 0);

/** zennit's default stabiliser. */
export const defaultStabilizer = 1e-6;

/** R_i = sum_j x_i w_ij / s(z_j) R_j; stabilizer 0 is LRP-0 (Bach et al. 2015, eq. 56 and 58). */
export function epsilon(stabilizer: number = defaultStabilizer): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: (x, w) => x * w, bias: same };
  return { fractions: [fraction], stabilizer, stabilizerSign: "signed" };
}

/**
 * Generalised gamma (Andeol et al. 2021): where z_j > 0 the positive products count (1 + gamma)-fold in numerator and
 * denominator, where z_j < 0 the negative ones do; the bias likewise by its own sign. Where z_j = 0 nothing is handed on.
 */
export function gamma(factor = 0.25, stabilizer: number = defaultStabilizer): FractionRule {
  const favour = (part: (v: number) => number, onlySign: 1 | -1): Fraction => ({
    coefficient: 1,
    contribution: (x, w) => x * w + factor * part(x * w),
    bias: (b) => b + factor * part(b),
    onlySign,
  });
  return { fractions: [favour(positive, 1), favour(negative, -1)], stabilizer, stabilizerSign: "signed" };
}

/** alpha * positive products over their sum - beta * negative ones over theirs, the bias split by sign (Bach et al., eq. 60). */
export function alphaBeta(alpha: number, beta: number, stabilizer: number = defaultStabilizer): FractionRule {
  const side = (coefficient: number, part: (v: number) => number): Fraction => ({
    coefficient,
    contribution: (x, w) => part(x * w),
    bias: part,
  });
  return { fractions: [side(alpha, positive), side(-beta, negative)], stabilizer, stabilizerSign: "signed" };
}

/** alphaBeta(1, 0). */
export function zPlus(stabilizer: number = defaultStabilizer): FractionRule {
  return alphaBeta(1, 0, stabilizer);
}

/** Li et al. 2019, their code's dense layers: x_i max(w_ij, 0) over its sum + 1e-9, no bias, x not split. */
export function zPlusNoBias(stabilizer = 1e-9): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: (x, w) => x * positive(w), bias: none };
  return { fractions: [fraction], stabilizer, stabilizerSign: "positive" };
}

/**
 * x w - low w+ - high w- over its sum (Montavon et al. 2017, deep Taylor's box), low and high per input position.
 * The bias cancels: b - b+ - b- = 0, as in zennit.
 */
export function zBox(
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  stabilizer: number = defaultStabilizer,
): FractionRule {
  const fraction: Fraction = {
    coefficient: 1,
    contribution: (x, w, i) => x * w - low[i]! * positive(w) - high[i]! * negative(w),
    bias: none,
  };
  return { fractions: [fraction], stabilizer, stabilizerSign: "signed" };
}

/** w^2 over sum of w^2 + b^2, as zennit has it (Montavon et al. 2017 have no bias). */
export function wSquare(stabilizer: number = defaultStabilizer): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: (_, w) => w * w, bias: (b) => b * b };
  return { fractions: [fraction], stabilizer, stabilizerSign: "signed" };
}

/** 1 over the number of inputs inside the image (Lapuschkin et al. 2019). */
export function flat(stabilizer: number = defaultStabilizer): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: () => 1, bias: none };
  return { fractions: [fraction], stabilizer, stabilizerSign: "signed" };
}

/** captum's GammaRule: x (w + gamma w+) over its sum and the whole bias, whatever the sign of input and output. */
export function captumGamma(factor = 0.25): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: (x, w) => x * (w + factor * positive(w)), bias: same };
  return { fractions: [fraction], stabilizer: 1e-9, stabilizerSign: "signed" };
}

/** captum's Alpha1_Beta0_Rule: x w+ over its sum and the whole bias. */
export function captumAlpha1Beta0(): FractionRule {
  const fraction: Fraction = { coefficient: 1, contribution: (x, w) => x * positive(w), bias: same };
  return { fractions: [fraction], stabilizer: 1e-9, stabilizerSign: "signed" };
}

/** alphaBeta with the whole bias in every divisor and no stabiliser: iNNvestigate (its issue 273). */
export function innvestigateAlphaBeta(alpha: number, beta: number): FractionRule {
  const split = alphaBeta(alpha, beta, 0);
  const fractions = split.fractions.filter(({ coefficient }) => coefficient !== 0);
  return { ...split, fractions: fractions.map((fraction) => ({ ...fraction, bias: same })) };
}

/** s(z). */
export function stabilise(z: number, rule: Pick<FractionRule, "stabilizer" | "stabilizerSign">): number {
  return rule.stabilizerSign === "positive" || z >= 0 ? z + rule.stabilizer : z - rule.stabilizer;
}

/** A rule on a linear layer. A share whose divisor is 0, or whose sign condition fails for all fractions, is dropped. */
export function propagateLinear(
  layer: LinearLayer,
  x: ArrayLike<number>,
  relevance: ArrayLike<number>,
  rule: FractionRule,
): Propagated {
  const result = new Float64Array(layer.inCount);
  const z = new Float64Array(layer.outCount);
  for (let j = 0; j < z.length; j++) z[j] = layer.bias(j);
  layer.forEach((j, i, w) => {
    z[j]! += x[i]! * w;
  });
  let bias = 0;
  let stabilizer = 0;
  const unclaimed = Float64Array.from(relevance);
  for (const fraction of rule.fractions) {
    const takesPart = (j: number): boolean =>
      fraction.onlySign === undefined || (fraction.onlySign === 1 ? z[j]! > 0 : z[j]! < 0);
    const divisor = new Float64Array(layer.outCount);
    for (let j = 0; j < divisor.length; j++) divisor[j] = fraction.bias(layer.bias(j));
    layer.forEach((j, i, w) => {
      divisor[j]! += fraction.contribution(x[i]!, w, i);
    });
    const quotient = divisor.map((sum, j) => {
      const stable = stabilise(sum, rule);
      if (!takesPart(j) || stable === 0) return 0;
      unclaimed[j]! -= fraction.coefficient * relevance[j]!;
      const each = (fraction.coefficient * relevance[j]!) / stable;
      bias += fraction.bias(layer.bias(j)) * each;
      stabilizer += (stable - sum) * each;
      return each;
    });
    layer.forEach((j, i, w) => {
      result[i]! += fraction.contribution(x[i]!, w, i) * quotient[j]!;
    });
  }
  return { relevance: result, bias, stabilizer, dropped: unclaimed.reduce((sum, each) => sum + each, 0) };
}

/** R_i = sum_j w_ij R_j: the gradient, if R is one. */
export function linearGradient(layer: LinearLayer, relevance: ArrayLike<number>): Float64Array {
  const result = new Float64Array(layer.inCount);
  layer.forEach((j, i, w) => {
    result[i]! += w * relevance[j]!;
  });
  return result;
}
