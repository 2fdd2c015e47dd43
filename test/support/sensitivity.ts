import { fillValues } from "../cases/values.ts";

/**
 * What rounding can do to a float64 computation when it is done in float32: the computation is repeated with every parameter
 * and input value moved by a relative 2^-20 at random (16 units in the last place of float32, about what a sum of a few hundred
 * products gathers), and the largest change is taken six-fold, since two draws do not meet the worst case.
 * Catches what bounds from magnitudes cannot: divisors near 0, and winners of max pooling that are close.
 * @param compute the oracle, from parameters and input
 */
export function sensitivity(
  parameters: ReadonlyMap<string, Float32Array>,
  input: Float32Array,
  compute: (parameters: ReadonlyMap<string, Float64Array>, input: Float64Array) => Float64Array,
): { exact: Float64Array; tolerance: number } {
  const moved = (values: Float32Array, seed: number, size: number): Float64Array => {
    const noise = fillValues(values.length, "uniform", seed);
    return Float64Array.from(values, (value, i) => value * (1 + size * noise[i]!));
  };
  const draw = (seed: number, size: number): Float64Array =>
    compute(
      new Map([...parameters].map(([name, values], k) => [name, moved(values, 100 * seed + k, size)])),
      moved(input, 100 * seed + 99, size),
    );
  const exact = draw(0, 0);
  let largest = 0;
  for (const seed of [1, 2]) {
    draw(seed, 2 ** -20).forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - exact[i]!));
    });
  }
  return { exact, tolerance: 6 * largest };
}
