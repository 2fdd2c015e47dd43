/** Unit roundoff of float32. */
export const unitRoundoff: number = 2 ** -24;

/** Largest error of one float32 operation whose result is denormal: half of the smallest denormal. */
const underflow = 2 ** -150;

/**
 * Bound on the error of a sum of `terms` products computed in float32, in any order:
 *   |computed - exact| <= gamma_n * sum of |w x|, gamma_n = n u / (1 - n u), with n = terms + 1 for the products' rounding
 * and one denormal rounding per product, which relative bounds leave out.
 * Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1 and 2.8.
 * @param magnitude sum of |w x|, from the oracle
 */
export function sumBound(terms: number, magnitude: number): number {
  const n = (terms + 1) * unitRoundoff;
  return (n / (1 - n)) * magnitude + terms * underflow;
}

/** `sumBound` for every output, with the same number of terms. */
export function sumBounds(terms: number, magnitudes: ArrayLike<number>): Float64Array {
  return Float64Array.from(magnitudes, (magnitude) => sumBound(terms, magnitude));
}
