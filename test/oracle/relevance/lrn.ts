import { type LrnGeometry, lrn, lrnDenominator, lrnInputGrad, lrnNeighbours, lrnScaledAlpha } from "../lrn.ts";

/** How LRN hands relevance down. */
export type LrnMode = "identity" | "taylor" | "caffeToolbox" | "epsilon" | "gradient";

/**
 * Messages of output k to its inputs, before any normalisation (Binder et al. 2016, arXiv 1604.00825, section 3): y_k expanded to
 * first order between x and the point where of all inputs only x_k is left, with a = alpha / n and S_k = bias + a sum x^2:
 *   y_k ~ x_k (bias + a x_k^2)^-beta - 2 a beta sum over i != k of x_k x_i^2 S_k^(-beta-1)
 * @returns [i, z_ik] for every neighbour i of k, k itself included
 */
export function taylorMessages(g: LrnGeometry, x: ArrayLike<number>, k: number, s: number): [number, number][] {
  const a = lrnScaledAlpha(g);
  return lrnNeighbours(g, k).map((i) => [
    i,
    i === k
      ? x[k]! * (g.bias + a * x[k]! * x[k]!) ** -g.beta
      : -2 * a * g.beta * x[k]! * x[i]! * x[i]! * s ** (-g.beta - 1),
  ]);
}

/**
 * Relevance through an LRN.
 *   identity: R. gradient: J^T R.
 *   taylor: R_i = sum_k z_ik / s(sum_i z_ik) R_k: weights that sum to 1
 *   caffeToolbox: R_i = sum_k z_ik R_k, divided by nothing, as lrp_toolbox ships it (lrn_layer.cpp, lrn_backward_type 1)
 *   epsilon: R_i = x_i sum_k dy_k/dx_i R_k / s(y_k): what zennit's Epsilon and captum's EpsilonRule make of the layer
 * with s(z) = z + stabilizer * sign(z), sign(0) = 1; a divisor of 0 hands on nothing.
 */
export function lrnRelevance(
  g: LrnGeometry,
  x: ArrayLike<number>,
  relevance: ArrayLike<number>,
  mode: LrnMode,
  stabilizer: number,
): Float64Array {
  if (mode === "identity") return Float64Array.from(relevance);
  if (mode === "gradient") return lrnInputGrad(g, x, relevance);
  const stable = (z: number): number => z + (z < 0 ? -stabilizer : stabilizer);
  if (mode === "epsilon") {
    const ratio = lrn(g, x).map((y, k) => (stable(y) === 0 ? 0 : relevance[k]! / stable(y)));
    return lrnInputGrad(g, x, ratio).map((gradient, i) => x[i]! * gradient);
  }
  const result = new Float64Array(relevance.length);
  const s = lrnDenominator(g, x);
  for (let k = 0; k < result.length; k++) {
    const messages = taylorMessages(g, x, k, s[k]!);
    const divisor = mode === "taylor" ? stable(messages.reduce((sum, [, z]) => sum + z, 0)) : 1;
    if (divisor === 0) continue;
    for (const [i, z] of messages) result[i]! += (z / divisor) * relevance[k]!;
  }
  return result;
}
