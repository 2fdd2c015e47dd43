/** How a case fills its tensors. */
export type Fill =
  /** Uniform in [-1, 1). */
  | "uniform"
  /** Uniform in [0, 1) with half of the values 0: what follows a ReLU. */
  | "rectified"
  | "zeros"
  /** Uniform in [-8, 8): where functions level off. */
  | "wide"
  /** Uniform in [0.25, 2.25): where roots and logarithms are defined. */
  | "positive"
  /** Around 1e-40, below the smallest normal float32. */
  | "denormal"
  /** Around 1e15: products near 1e30, sums still finite in float32. */
  | "huge"
  /** Small integers -4..4: sums are exact in float32 and ties are common. */
  | "integers";

/** Uniform integers in [0, 2^32): mulberry32 from a seed. Kept here so that the bench draws the same data. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** `length` float32 values drawn as `fill` says, the same for the same seed. */
export function fillValues(length: number, fill: Fill, seed: number): Float32Array {
  const next = generator(Math.imul(seed + 1, 0x9e3779b1));
  const uniform = (): number => next() / 2 ** 31 - 1;
  return Float32Array.from({ length }, () => {
    switch (fill) {
      case "uniform":
        return uniform();
      case "rectified":
        return Math.max(0, uniform());
      case "zeros":
        return 0;
      case "wide":
        return uniform() * 8;
      case "positive":
        return uniform() + 1.25;
      case "denormal":
        return uniform() * 1e-40;
      case "huge":
        return uniform() * 1e15;
      case "integers":
        return (next() % 9) - 4;
      default:
        return fill satisfies never;
    }
  });
}
