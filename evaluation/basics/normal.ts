import { seededRandom } from "./random.ts";

/** Normal numbers of mean 0 and standard deviation 1 by a seed. Source: Box and Muller 1958, the cosine of each pair. */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
