import { dotLessHalf } from "./nearest-tiles";
import { noLimit, weights } from "./nearest-weight";
import { kthSmallest } from "./select";

// The first guesses of limits of the search for nearest patches (nearest.ts).

/** Minima that a first guess is taken from; each over every 16th block. */
export const minimaBlocks: i32 = 16;

/**
 * A first guess for a limit: about the rank-th smallest 2 (half_i + half_j - a_i . a_j) / W(i,j) of the candidates of blocks
 * [begin,end), a their first `used` pairs, taken from 128 minima over every 128th candidate.
 * Scratch [128] float32; pairs [blocks,pairCount,8] of two i16, in units, used <= pairCount; unit, half, x and y [blocks,8] float32;
 * end - begin a multiple of 16; 1 <= rank <= 128.
 * Source: |a_i - a_j|^2 = 2 (half_i + half_j - a_i . a_j), half being half of the squared norm; a guess alone, which changes no result.
 */
export function guessLimit(
  scratch: usize, pairs: usize, unit: usize, half: usize, x: usize, y: usize, i: i32, pairCount: i32, used: i32, rank: i32, begin: i32,
  end: i32
): f32 {
  const query = pairs + ((<usize>((i >> 3) * pairCount)) << 5) + ((<usize>(i & 7)) << 2);
  const stop = query + ((<usize>used) << 5);
  const unused = (<usize>(pairCount - used)) << 5;
  const qx = v128.load32_splat(x + ((<usize>i) << 2));
  const qy = v128.load32_splat(y + ((<usize>i) << 2));
  const qh = v128.load32_splat(half + ((<usize>i) << 2));
  const qu = v128.load32_splat(unit + ((<usize>i) << 2));
  const zero = f32x4.splat(0);
  for (let n = 0; n < minimaBlocks << 5; n += 16) v128.store(scratch + <usize>n, f32x4.splat(noLimit));
  let a = pairs + ((<usize>(begin * pairCount)) << 5);
  for (let b = begin; b < end; b++) {
    let s0 = zero;
    let s1 = zero;
    for (let q = query; q < stop; q += 32) {
      const p = v128.load32_splat(q);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(p, v128.load(a)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(p, v128.load(a, 16)));
      a += 32; // pairs at [b, k+1, 0]
    }
    a += unused;
    const at = (<usize>b) << 5;
    const to = scratch + ((<usize>(b & (minimaBlocks - 1))) << 5);
    const d0 = f32x4.sub(qh, dotLessHalf(s0, v128.load(unit + at), qu, v128.load(half + at)));
    const d1 = f32x4.sub(qh, dotLessHalf(s1, v128.load(unit + at, 16), qu, v128.load(half + at, 16)));
    const dy0 = f32x4.sub(v128.load(y + at), qy);
    const dy1 = f32x4.sub(v128.load(y + at, 16), qy);
    const w0 = weights(f32x4.sub(v128.load(x + at), qx), f32x4.mul(dy0, dy0));
    const w1 = weights(f32x4.sub(v128.load(x + at, 16), qx), f32x4.mul(dy1, dy1));
    v128.store(to, f32x4.pmin(v128.load(to), f32x4.div(f32x4.pmax(zero, d0), w0)));
    v128.store(to, f32x4.pmin(v128.load(to, 16), f32x4.div(f32x4.pmax(zero, d1), w1)), 16);
  }
  return 2 * kthSmallest(scratch, minimaBlocks << 3, rank, 0, noLimit);
}
