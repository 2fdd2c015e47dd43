/** sqrt(sum (actual - expected)^2 / sum expected^2); NaN for different lengths. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(error / norm);
}

/** Pearson's correlation. */
export function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/**
 * Checks a result before it is timed.
 * @returns what it was compared with and how far off it is, for the report
 * @throws Error beyond the tolerance, NaN included
 */
export function checked(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  against: string,
  tolerance: number,
): string {
  const off = relativeL2(actual, expected);
  if (!(off <= tolerance)) throw new Error(`${what}: differs from ${against} by ${off} (relative L2).`);
  return `${against} ${off.toExponential(1)}`;
}
