import type { ActivationNode, FunctionNode } from "../../engine/graph/definition.ts";

/** The value of an activation at x. */
export function activate(node: ActivationNode, x: number): number {
  switch (node.op) {
    case "relu":
      return x > 0 ? x : 0;
    case "leakyRelu":
      return x < 0 ? node.slope * x : x;
    case "clip":
      return Math.min(Math.max(x, node.low), node.high);
    default:
      return node satisfies never;
  }
}

/** Its derivative at x; 0 at the kinks of relu and clip, as PyTorch has it for relu. */
export function activationGradient(node: ActivationNode, x: number): number {
  switch (node.op) {
    case "relu":
      return x > 0 ? 1 : 0;
    case "leakyRelu":
      return x < 0 ? node.slope : 1;
    case "clip":
      return x > node.low && x < node.high ? 1 : 0;
    default:
      return node satisfies never;
  }
}

/** A function of one value with the defaults of its definition. */
export function evaluateFunction({ function: name, alpha, beta }: FunctionNode, x: number): number {
  const logistic = (v: number): number => 1 / (1 + Math.exp(-v));
  const softplus = (v: number): number => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const unit = (v: number): number => Math.min(Math.max(v, 0), 1);
  switch (name) {
    case "sigmoid":
      return logistic(x);
    case "tanh":
      return Math.tanh(x);
    case "silu":
      return x * logistic((alpha ?? 1) * x);
    case "hardSigmoid":
      return unit((alpha ?? 0.2) * x + (beta ?? 0.5));
    case "hardSwish":
      return x * unit((alpha ?? 1 / 6) * x + (beta ?? 0.5));
    case "gelu":
      return 0.5 * x * erfc(-x / Math.SQRT2);
    case "geluTanh":
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    case "elu":
      return (beta ?? 1) * (x > 0 ? x : (alpha ?? 1) * Math.expm1(x));
    case "celu":
      return Math.max(x, 0) + Math.min(0, (alpha ?? 1) * Math.expm1(x / (alpha ?? 1)));
    case "mish":
      return x * Math.tanh(softplus(x));
    case "softplus":
      return softplus(x);
    case "softsign":
      return x / (1 + Math.abs(x));
    case "exp":
      return Math.exp(x);
    case "log":
      return Math.log(x);
    case "sqrt":
      return Math.sqrt(x);
    case "abs":
      return Math.abs(x);
    case "power":
      return x ** (alpha ?? 2);
    case "reciprocal":
      return 1 / x;
    case "erf":
      return 1 - erfc(x);
    case "sign":
      return Math.sign(x);
    case "threshold":
      return x > (alpha ?? 1) ? x : 0;
    default:
      return name satisfies never;
  }
}

/** Its derivative by a central difference: the functions are smooth but for kinks, which tests keep away from. */
export function functionGradient(node: FunctionNode, x: number): number {
  const h = 1e-5 * Math.max(1, Math.abs(x));
  const at = (k: number): number => evaluateFunction(node, x + k * h);
  return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
}

/** 1 - erf(x): by Maclaurin's series of erf near 0, by Legendre's continued fraction of erfc beyond (DLMF 7.6.2, 7.9.1). */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 100; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = x;
  for (let n = 200; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** Softmax over `channels` at each of `area` pixels: exp(x - max) / sum of exp(x - max). */
export function softmax(x: ArrayLike<number>, channels: number, area = 1): Float64Array {
  const y = new Float64Array(channels * area);
  for (let p = 0; p < area; p++) {
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < channels; c++) max = Math.max(max, x[c * area + p]!);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.exp(x[c * area + p]! - max);
    for (let c = 0; c < channels; c++) y[c * area + p] = Math.exp(x[c * area + p]! - max) / sum;
  }
  return y;
}

/** Parameters of a batch normalisation, per channel. */
export interface BatchNormParameters {
  readonly scale?: ArrayLike<number> | undefined;
  readonly bias?: ArrayLike<number> | undefined;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly epsilon: number;
}

/** The factor and the offset that batch normalisation is at inference: y = factor * x + offset. */
export function batchNormAffine(p: BatchNormParameters, channel: number): { factor: number; offset: number } {
  const factor = (p.scale?.[channel] ?? 1) / Math.sqrt(p.variance[channel]! + p.epsilon);
  return { factor, offset: (p.bias?.[channel] ?? 0) - factor * p.mean[channel]! };
}

/** y = scale * (x - mean) / sqrt(variance + epsilon) + bias, channel by channel. */
export function batchNorm(p: BatchNormParameters, x: ArrayLike<number>, channels: number): Float64Array {
  const area = x.length / channels;
  return Float64Array.from({ length: x.length }, (_, k) => {
    const c = Math.floor(k / area);
    const normalised = (x[k]! - p.mean[c]!) / Math.sqrt(p.variance[c]! + p.epsilon);
    return (p.scale?.[c] ?? 1) * normalised + (p.bias?.[c] ?? 0);
  });
}
