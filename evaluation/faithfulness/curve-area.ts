import type { PerturbationCurve } from "./perturbation-curve.ts";

/** Area under a curve by trapezoids: low is good for deletion, high for insertion (Petsiuk et al. 2018). */
export function curveArea({ shares, scores }: PerturbationCurve): number {
  let area = 0;
  for (let i = 1; i < shares.length; i++) area += ((shares[i]! - shares[i - 1]!) * (scores[i]! + scores[i - 1]!)) / 2;
  return area;
}

/** Area over the perturbation curve: mean of score(0) - score(k) over all k from 0 (Samek et al. 2017, equation 12). */
export function aopc({ scores }: PerturbationCurve): number {
  const [first = Number.NaN] = scores;
  return scores.reduce((sum, score) => sum + first - score, 0) / scores.length;
}
