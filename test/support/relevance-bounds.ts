import { type Fraction, type FractionRule, type LinearLayer, stabilise } from "../oracle/relevance/fractions.ts";
import { unitRoundoff } from "./tolerance.ts";

/** Bounds on the errors of a rule computed in float32. */
export interface RelevanceBounds {
  /** Per input; Infinity where a divisor is lost in its own rounding error. */
  readonly relevance: Float64Array;
  /** Of the layer's sums absorbed by bias and by stabiliser; Infinity likewise. */
  readonly bias: number;
  readonly stabilizer: number;
}

/** Size of what a contribution is computed from; more than |q| where q is itself a difference (zBox). */
export type Magnitude = (x: number, w: number, i: number) => number;

/**
 * How far float32 may be from R_i = sum over j of q_ij / s_j R_j, to first order and then some. With u the unit roundoff and n_j
 * the number of products in divisor j, its absolute error is e_j = (n_j + 4) u A_j, A_j the sum of its terms' magnitudes; a
 * quotient R_j / s_j has relative error e_j / (|s_j| - e_j) + 2u; each product q_ij (R_j / s_j) adds 6u (modified weights,
 * products, parts), the sum over the m_i outputs that read input i adds m_i u:
 *   |error of R_i| <= sum over j of M_ij |R_j / s_j| ((m_i + 8) u + e_j / (|s_j| - e_j))
 */
export function relevanceBounds(
  layer: LinearLayer,
  x: ArrayLike<number>,
  relevance: ArrayLike<number>,
  rule: FractionRule,
  magnitude?: Magnitude,
): RelevanceBounds {
  const u = unitRoundoff;
  const result = new Float64Array(layer.inCount);
  const readers = new Float64Array(layer.inCount);
  const terms = new Float64Array(layer.outCount).fill(1);
  const z = Float64Array.from({ length: layer.outCount }, (_, j) => layer.bias(j));
  const zSize = z.map(Math.abs);
  layer.forEach((j, i, w) => {
    readers[i]!++;
    terms[j]!++;
    z[j]! += x[i]! * w;
    zSize[j]! += Math.abs(x[i]! * w);
  });
  let bias = 0;
  let stabilizer = 0;
  for (const fraction of rule.fractions) {
    const size: Magnitude = magnitude ?? ((a, w, i) => Math.abs(fraction.contribution(a, w, i)));
    const divisor = Float64Array.from({ length: layer.outCount }, (_, j) => fraction.bias(layer.bias(j)));
    const divisorSize = divisor.map(Math.abs);
    layer.forEach((j, i, w) => {
      divisor[j]! += fraction.contribution(x[i]!, w, i);
      divisorSize[j]! += size(x[i]!, w, i);
    });
    const quotient = new Float64Array(layer.outCount);
    const relative = new Float64Array(layer.outCount);
    for (let j = 0; j < quotient.length; j++) {
      const isGateUnsure = fraction.onlySign !== undefined && Math.abs(z[j]!) <= (terms[j]! + 4) * u * zSize[j]!;
      if (!isGateUnsure && !isOpen(fraction, z[j]!)) continue;
      const stable = stabilise(divisor[j]!, rule);
      if (stable === 0 || relevance[j] === 0) continue;
      const error = (terms[j]! + 4) * u * divisorSize[j]!;
      // Where even the sign of the divisor is unsure, so is that of the stabiliser.
      const isLost = isGateUnsure || (error > 0 && error >= Math.abs(divisor[j]!)) || error >= Math.abs(stable) / 2;
      quotient[j] = Math.abs((fraction.coefficient * relevance[j]!) / stable);
      relative[j] = isLost ? Number.POSITIVE_INFINITY : error / (Math.abs(stable) - error);
      const share = quotient[j]! * (relative[j]! + 8 * u);
      if (fraction.bias(layer.bias(j)) !== 0) bias += Math.abs(fraction.bias(layer.bias(j))) * share;
      stabilizer += isLost ? share : rule.stabilizer * share + quotient[j]! * Math.abs(stable - divisor[j]!) * 2 * u;
    }
    layer.forEach((j, i, w) => {
      const product = size(x[i]!, w, i) * quotient[j]!;
      if (product > 0) result[i]! += product * ((readers[i]! + 8) * u + relative[j]!);
    });
  }
  // Denormal results round absolutely.
  return { relevance: result.map((each, i) => each + readers[i]! * 2 ** -149), bias, stabilizer };
}

function isOpen(fraction: Fraction, z: number): boolean {
  return fraction.onlySign === undefined || (fraction.onlySign === 1 ? z > 0 : z < 0);
}
