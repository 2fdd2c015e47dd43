// Relevance rules as data. Every rule of a linear layer (convolution, dense) is a list of branches on one recipe:
//   Z_b   = sum over terms t of sign_t * (W_t x_t) + bias_b
//   S_b   = coefficient_b * R / (Z_b + stabilizer * sign(Z_b))      (0 where the gate is shut or the divisor is 0)
//   R_in  = sum over b, t of sign_t * x_t * (W_t^T S_b)
// with x_t a part of the input, W_t a modification of the weights and bias_b a modification of the bias.

/** How weights or biases are modified. signed: positive * max(w,0) + negative * min(w,0); squared: w^2; ones: 1. */
export type Modification =
  | { readonly kind: "signed"; readonly positive: number; readonly negative: number }
  | { readonly kind: "squared" }
  | { readonly kind: "ones" };

/** What takes the place of the input in a term. low and high are the per-channel bounds of the zBox rule. */
export type InputPart = "input" | "positive" | "negative" | "low" | "high" | "ones";

/** One product of a branch. */
export interface Term {
  readonly input: InputPart;
  readonly weight: Modification;
  readonly sign: 1 | -1;
}

/** One fraction of a rule. */
export interface Branch {
  readonly coefficient: number;
  /** Only outputs whose unmodified pre-activation is positive (1) or negative (-1) take part; 0: all. */
  readonly gate: 0 | 1 | -1;
  /** What joins Z; undefined: nothing. */
  readonly bias: Modification | undefined;
  readonly terms: readonly Term[];
}

/** A rule for layers that multiply their input by weights. */
export interface LinearRule {
  readonly name: string;
  /**
   * recipe: as above. gradient: R_in = W^T R, no division and no product. pass: R_in = R, where input and output have one shape.
   */
  readonly propagation: "recipe" | "gradient" | "pass";
  readonly branches: readonly Branch[];
  /** Added to Z with Z's sign (sign(0) = +1), or as it is when stabilizerSign is "positive". */
  readonly stabilizer: number;
  readonly stabilizerSign: "signed" | "positive";
  /** True for rules with the parts low and high. */
  readonly needsBox?: boolean;
  /** Per-channel bounds of the input for the parts low and high. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

/** The weights and biases as they are. */
export const unmodified: Modification = { kind: "signed", positive: 1, negative: 1 };
const positivePart: Modification = { kind: "signed", positive: 1, negative: 0 };
const negativePart: Modification = { kind: "signed", positive: 0, negative: 1 };

/** zennit's default; the LRP literature uses 1e-9 to 0.25 of the output's spread. */
export const defaultStabilizer = 1e-6;

function checkStabilizer(rule: string, stabilizer: number): number {
  if (!(stabilizer >= 0) || !Number.isFinite(stabilizer)) {
    throw new RangeError(`rule "${rule}": the stabilizer must be a finite number of at least 0, got ${stabilizer}.`);
  }
  return stabilizer;
}

/**
 * R_i = sum_j x_i w_ij / (z_j + eps sign z_j) R_j with the bias in z (Bach et al. 2015, eq. 58). eps = 0 is LRP-0.
 * @throws RangeError for a negative stabilizer
 */
export function epsilon(stabilizer: number = defaultStabilizer): LinearRule {
  return {
    name: stabilizer === 0 ? "lrp0" : "epsilon",
    propagation: "recipe",
    branches: [{ coefficient: 1, gate: 0, bias: unmodified, terms: [{ input: "input", weight: unmodified, sign: 1 }] }],
    stabilizer: checkStabilizer("epsilon", stabilizer),
    stabilizerSign: "signed",
  };
}

/**
 * alpha times the positive contributions over their sum less beta times the negative ones over theirs, alpha - beta = 1; the
 * bias is split by sign, not counted twice (Bach et al. 2015, eq. 60, with the bias split as zennit does).
 * @throws RangeError when alpha - beta is not 1 or one of them is negative
 */
export function alphaBeta(alpha: number, beta: number, stabilizer: number = defaultStabilizer): LinearRule {
  if (!(alpha >= 1) || !(beta >= 0) || Math.abs(alpha - beta - 1) > 1e-9) {
    throw new RangeError(
      `rule "alphaBeta": needs alpha - beta = 1 with alpha >= 1 and beta >= 0, got alpha ${alpha} and beta ${beta}.`,
    );
  }
  const positive: Branch = {
    coefficient: alpha,
    gate: 0,
    bias: positivePart,
    terms: [
      { input: "positive", weight: positivePart, sign: 1 },
      { input: "negative", weight: negativePart, sign: 1 },
    ],
  };
  const negative: Branch = {
    coefficient: -beta,
    gate: 0,
    bias: negativePart,
    terms: [
      { input: "positive", weight: negativePart, sign: 1 },
      { input: "negative", weight: positivePart, sign: 1 },
    ],
  };
  return {
    name: "alphaBeta",
    propagation: "recipe",
    branches: beta === 0 ? [positive] : [positive, negative],
    stabilizer: checkStabilizer("alphaBeta", stabilizer),
    stabilizerSign: "signed",
  };
}

/** (x+ w+ + x- w-) over its sum, b+ in the denominator: alphaBeta(1, 0) (Montavon et al. 2017, signed inputs as in zennit). */
export function zPlus(stabilizer: number = defaultStabilizer): LinearRule {
  return { ...alphaBeta(1, 0, stabilizer), name: "zPlus" };
}

/**
 * The dense-layer rule of Li et al. 2019 as their code has it: z+ without bias, Z = x max(W,0)^T + 1e-9, the stabiliser always
 * positive; the input as it is, since it follows a ReLU.
 */
export function li2019Dense(): LinearRule {
  return {
    name: "zPlusNoBias",
    propagation: "recipe",
    branches: [
      { coefficient: 1, gate: 0, bias: undefined, terms: [{ input: "input", weight: positivePart, sign: 1 }] },
    ],
    stabilizer: 1e-9,
    stabilizerSign: "positive",
  };
}

/**
 * Generalised gamma: where z > 0 the positive products count (1 + gamma)-fold, where z < 0 the negative ones do, in numerator and
 * denominator, the bias likewise by its own sign; where z = 0 nothing is handed on. For non-negative inputs and z > 0 it is the
 * gamma rule w + gamma w+ (Montavon et al. 2019; generalised as in zennit).
 * @throws RangeError for a negative gamma
 */
export function gamma(factor = 0.25, stabilizer: number = defaultStabilizer): LinearRule {
  if (!(factor >= 0) || !Number.isFinite(factor)) {
    throw new RangeError(`rule "gamma": gamma must be a finite number of at least 0, got ${factor}.`);
  }
  const favoursPositive: Modification = { kind: "signed", positive: 1 + factor, negative: 1 };
  const favoursNegative: Modification = { kind: "signed", positive: 1, negative: 1 + factor };
  const branch = (gate: 1 | -1, withPositive: Modification, withNegative: Modification): Branch => ({
    coefficient: 1,
    gate,
    bias: withPositive,
    terms: [
      { input: "positive", weight: withPositive, sign: 1 },
      { input: "negative", weight: withNegative, sign: 1 },
    ],
  });
  return {
    name: "gamma",
    propagation: "recipe",
    branches: [branch(1, favoursPositive, favoursNegative), branch(-1, favoursNegative, favoursPositive)],
    stabilizer: checkStabilizer("gamma", stabilizer),
    stabilizerSign: "signed",
  };
}

/**
 * x w - low w+ - high w- over its sum, for layers whose input lies in a box: the pixels (Montavon et al. 2017, z^B rule). The bias
 * cancels, b - b+ - b- = 0, as in zennit.
 * @param low least value of each input channel; without low and high they follow from the network's preprocessing
 * @throws RangeError when one bound is missing or a low exceeds its high
 */
export function zBox(
  low?: readonly number[],
  high?: readonly number[],
  stabilizer: number = defaultStabilizer,
): LinearRule {
  if ((low === undefined) !== (high === undefined) || low?.length !== high?.length) {
    throw new RangeError(
      'rule "zBox": needs low and high with one number per input channel each, or neither (then the bounds of the preprocessing are used).',
    );
  }
  low?.forEach((bound, channel) => {
    if (!(bound <= (high?.[channel] ?? Number.NaN))) {
      throw new RangeError(
        `rule "zBox": low must not exceed high, got ${bound} and ${high?.[channel]} for channel ${channel}.`,
      );
    }
  });
  return {
    name: "zBox",
    propagation: "recipe",
    branches: [
      {
        coefficient: 1,
        gate: 0,
        bias: undefined,
        terms: [
          { input: "input", weight: unmodified, sign: 1 },
          { input: "low", weight: positivePart, sign: -1 },
          { input: "high", weight: negativePart, sign: -1 },
        ],
      },
    ],
    stabilizer: checkStabilizer("zBox", stabilizer),
    stabilizerSign: "signed",
    needsBox: true,
    ...(low && high ? { low, high } : {}),
  };
}

/** w^2 over the sum of w^2 and b^2, for unbounded inputs (Montavon et al. 2017; the bias as in zennit). */
export function wSquare(stabilizer: number = defaultStabilizer): LinearRule {
  return {
    name: "wSquare",
    propagation: "recipe",
    branches: [
      {
        coefficient: 1,
        gate: 0,
        bias: { kind: "squared" },
        terms: [{ input: "ones", weight: { kind: "squared" }, sign: 1 }],
      },
    ],
    stabilizer: checkStabilizer("wSquare", stabilizer),
    stabilizerSign: "signed",
  };
}

/** The same share to every input inside the image (Lapuschkin et al. 2019). */
export function flat(stabilizer: number = defaultStabilizer): LinearRule {
  return {
    name: "flat",
    propagation: "recipe",
    branches: [
      { coefficient: 1, gate: 0, bias: undefined, terms: [{ input: "ones", weight: { kind: "ones" }, sign: 1 }] },
    ],
    stabilizer: checkStabilizer("flat", stabilizer),
    stabilizerSign: "signed",
  };
}

/** The gradient: R_in = W^T R, nothing divided or multiplied. */
export function gradient(): LinearRule {
  return { name: "gradient", propagation: "gradient", branches: [], stabilizer: 0, stabilizerSign: "signed" };
}

/** R unchanged, for layers whose input and output have one shape. */
export function pass(): LinearRule {
  return { name: "pass", propagation: "pass", branches: [], stabilizer: 0, stabilizerSign: "signed" };
}

/** How max pooling hands down relevance; see maxPool2dScatter in kernels-as. */
export const maxPoolRules = ["winner", "shared", "proportional", "overwrite"] as const;
export type MaxPoolRule = (typeof maxPoolRules)[number];

/**
 * How LRN hands down relevance. identity: unchanged. taylor: Binder et al. 2016, messages divided by their sum so that relevance
 * is conserved. caffeToolbox: the same messages undivided, as lrp_toolbox ships them. epsilon: x dy/dx R / y, as zennit's and
 * captum's epsilon do on an LRN layer; does not conserve. gradient: dy/dx R.
 */
export const lrnRules = ["identity", "taylor", "caffeToolbox", "epsilon", "gradient"] as const;
export type LrnRule = (typeof lrnRules)[number];

/**
 * How ReLU, clip and leaky ReLU hand down relevance. pass: unchanged. gradient: by the derivative. deconvnet: only positive
 * relevance. guided: only positive relevance, by the derivative.
 */
export const activationRules = ["pass", "gradient", "deconvnet", "guided"] as const;
export type ActivationRule = (typeof activationRules)[number];

/** How average pooling and add hand down relevance. norm: x over the sum of x. gradient: by the derivative. */
export const sumRules = ["norm", "gradient"] as const;
export type SumRule = (typeof sumRules)[number];

/**
 * How a product of two values hands down relevance. gate: all to the signal, the gate is held constant (Arras et al. 2017). uniform: half
 * to each. gradient: by the derivative.
 */
export const productRules = ["gate", "uniform", "gradient"] as const;
export type ProductRule = (typeof productRules)[number];

/** The rules of layers without weights: where they are chosen in a composite, and their names. */
export const choicesWithoutWeights: {
  readonly maxPool: readonly MaxPoolRule[];
  readonly lrn: readonly LrnRule[];
  readonly activation: readonly ActivationRule[];
  readonly sum: readonly SumRule[];
  readonly product: readonly ProductRule[];
} = { maxPool: maxPoolRules, lrn: lrnRules, activation: activationRules, sum: sumRules, product: productRules };
