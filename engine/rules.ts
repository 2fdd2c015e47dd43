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
  readonly branches: readonly Branch[];
  /** Added to Z with Z's sign (sign(0) = +1), or as it is when stabilizerSign is "positive". */
  readonly stabilizer: number;
  readonly stabilizerSign: "signed" | "positive";
  /** Per-channel bounds of the pixel values, for parts low and high. */
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
    branches: [
      { coefficient: 1, gate: 0, bias: undefined, terms: [{ input: "input", weight: positivePart, sign: 1 }] },
    ],
    stabilizer: 1e-9,
    stabilizerSign: "positive",
  };
}

/** How max pooling hands down relevance; see maxPool2dScatter in kernels-as. */
export type MaxPoolRule = "winner" | "shared" | "proportional" | "overwrite";

/**
 * How LRN hands down relevance. identity: unchanged. taylor: Binder et al. 2016, messages divided by their sum so that relevance
 * is conserved.
 */
export type LrnRule = "identity" | "taylor";
