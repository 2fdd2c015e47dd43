/** Seeded uniform integers in [0, 2^32): mulberry32, the generator of the reference nets. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Seeded source of the random data of a test. Put the seed into the failure message. */
export interface Rng {
  /** Uniform in [low, high). */
  uniform(low?: number, high?: number): number;
  /** Uniform integer in [low, high]. */
  integer(low: number, high: number): number;
  /** `length` float32 values, uniform in [low, high). */
  f32(length: number, low?: number, high?: number): Float32Array;
}

/** Makes a generator from a seed. */
export function rng(seed: number): Rng {
  const next = mulberry32(seed);
  const uniform = (low = 0, high = 1): number => low + (high - low) * (next() / 2 ** 32);
  return {
    uniform,
    integer: (low, high) => low + Math.floor((next() / 2 ** 32) * (high - low + 1)),
    f32: (length, low = -1, high = 1) => Float32Array.from({ length }, () => uniform(low, high)),
  };
}
