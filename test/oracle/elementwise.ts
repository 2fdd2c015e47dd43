import type { ActivationNode } from "../../engine/graph/definition.ts";

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
