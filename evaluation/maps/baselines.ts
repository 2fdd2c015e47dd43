import { seededRandom } from "../basics/random.ts";

/** The map of someone who bets on the middle: a Gaussian with a standard deviation of a quarter of each side. [H,W] */
export function centredGaussian(width: number, height: number): Float64Array {
  return Float64Array.from({ length: width * height }, (_, i) => {
    const x = ((i % width) + 0.5) / width - 0.5;
    const y = (Math.floor(i / width) + 0.5) / height - 0.5;
    return Math.exp(-0.5 * ((x / 0.25) ** 2 + (y / 0.25) ** 2));
  });
}

/** A map of uniform random values. [H,W] */
export function randomMap(width: number, height: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: width * height }, () => random());
}
