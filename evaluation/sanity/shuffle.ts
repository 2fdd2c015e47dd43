import { seededRandom } from "../basics/random.ts";

/**
 * The parameters of a layer made random: its own values in random places. Adebayo et al. 2018 draw them anew as before training; a
 * shuffle needs no knowledge of how the network began, keeps every value's size, so that nothing overflows, and variances positive.
 * Source: Fisher and Yates, seeded.
 */
export function shuffledParameters(values: Float32Array, seed: number): Float32Array {
  const random = seededRandom(seed);
  const out = values.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    const value = out[i]!;
    out[i] = out[other]!;
    out[other] = value;
  }
  return out;
}
