import { farPoint, nearPoint } from "./winograd-points";

// The weights' side of Winograd's algorithm (winograd.ts): U = G g G^T, once for many photos.

/** G for six points, applied to up to five taps in double; `last` is the last tap, those beyond it are 0. Results `step` bytes apart. */
@inline
function filterPoints6(out: usize, step: usize, g0: v128, g1: v128, g2: v128, g3: v128, g4: v128, last: v128): void {
  const a = <f64>nearPoint, b = <f64>farPoint;
  const aa = a * a, bb = b * b;
  const near = f64x2.splat(2 * aa * (aa - bb));
  const far = f64x2.splat(2 * bb * (bb - aa));
  // sum over taps j of a^j g_j, even and odd j apart
  const even = f64x2.add(f64x2.add(g0, f64x2.mul(f64x2.splat(aa), g2)), f64x2.mul(f64x2.splat(aa * aa), g4));
  const odd = f64x2.add(f64x2.mul(f64x2.splat(a), g1), f64x2.mul(f64x2.splat(aa * a), g3));
  const farEven = f64x2.add(f64x2.add(g0, f64x2.mul(f64x2.splat(bb), g2)), f64x2.mul(f64x2.splat(bb * bb), g4));
  const farOdd = f64x2.add(f64x2.mul(f64x2.splat(b), g1), f64x2.mul(f64x2.splat(bb * b), g3));
  v128.store(out, f64x2.div(g0, f64x2.splat(aa * bb)));
  v128.store(out + step, f64x2.div(f64x2.add(even, odd), near));
  v128.store(out + 2 * step, f64x2.div(f64x2.sub(even, odd), near));
  v128.store(out + 3 * step, f64x2.div(f64x2.add(farEven, farOdd), far));
  v128.store(out + 4 * step, f64x2.div(f64x2.sub(farEven, farOdd), far));
  v128.store(out + 5 * step, last);
}

/** G for four points, applied to three taps. */
@inline
function filterPoints4(out: usize, step: usize, g0: v128, g1: v128, g2: v128): void {
  const half = f64x2.splat(0.5);
  const even = f64x2.mul(half, f64x2.add(g0, g2));
  const odd = f64x2.mul(half, g1);
  v128.store(out, g0);
  v128.store(out + step, f64x2.add(even, odd));
  v128.store(out + 2 * step, f64x2.sub(even, odd));
  v128.store(out + 3 * step, g2);
}

/** Two lanes of a packed tap, in double. */
@inline
function tapPair(packed: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(packed));
}

/** Copies a block of `points` runs of 256 bytes to `to`, where they lie pointBytes apart. */
function storeBlock(to: usize, pointBytes: usize, block: usize, points: i32): void {
  for (let p = block; p < block + (<usize>points << 8); p += 256) {
    for (let at: usize = 0; at < 256; at += 64) {
      v128.store(to + at, v128.load(p + at));
      v128.store(to + at, v128.load(p + at, 16), 16);
      v128.store(to + at, v128.load(p + at, 32), 32);
      v128.store(to + at, v128.load(p + at, 48), 48);
    }
    to += pointBytes;
  }
}

/**
 * Transforms packed 3x3 or 5x5 weights of one group for winogradConv2d.
 *   u[i*n+j][o/8][c][o%8] = (G w[o,c] G^T)[i,j]
 * Layout: packed as conv2dPack or conv2dPackTransposed write it ([outC/8][taps][taps][inC][8]); u [points][outC/8][inC][8], inC a multiple of 8.
 * scratch: 576 + 256 points bytes. Panels [begin, end) of 8 outputs are written. Double inside, rounded once.
 * Source: Lavin and Gray 2015, section 4.
 */
export function winogradPack(
  u: usize, packed: usize, scratch: usize, outC: i32, inC: i32, size: i32, taps: i32, begin: i32, end: i32
): void {
  const n = size + taps - 1;
  const isFive = taps == 5;
  const tap = <usize>inC << 5;
  const tapRow = <usize>taps * tap;
  const pointBytes = <usize>(outC >> 3) * tap;
  const none = f64x2.splat(0);
  const halfRow = <usize>taps << 4;
  const points = scratch + 480; // one row of points
  const block = scratch + 576; // [points][8 channels][8 outputs]: written to u in runs, for u's points lie in one set of the caches
  for (let panel = begin; panel < end; panel++) {
    for (let c: usize = 0; c < <usize>inC; c += 8) {
      const from = packed + <usize>(panel * taps) * tapRow + (c << 5);
      for (let pair: usize = 0; pair < 256; pair += 8) {
        // pair at [channel, outputs] of the block
        for (let j: usize = 0; j < <usize>taps; j++) {
          const column = from + j * tap + pair;
          const out = scratch + (j << 4); // at [0, j] of [n][taps]
          const g0 = tapPair(column), g1 = tapPair(column + tapRow), g2 = tapPair(column + 2 * tapRow);
          if (isFive) {
            const g4 = tapPair(column + 4 * tapRow);
            filterPoints6(out, halfRow, g0, g1, g2, tapPair(column + 3 * tapRow), g4, g4);
          } else if (n == 6) {
            filterPoints6(out, halfRow, g0, g1, g2, none, none, g2);
          } else {
            filterPoints4(out, halfRow, g0, g1, g2);
          }
        }
        let out = block + pair; // block at [i*n+j, pair]
        for (let i = 0; i < n; i++) {
          const half = scratch + <usize>i * halfRow;
          const h0 = v128.load(half), h1 = v128.load(half, 16), h2 = v128.load(half, 32);
          if (isFive) {
            const h4 = v128.load(half, 64);
            filterPoints6(points, 16, h0, h1, h2, v128.load(half, 48), h4, h4);
          } else if (n == 6) {
            filterPoints6(points, 16, h0, h1, h2, none, none, h2);
          } else {
            filterPoints4(points, 16, h0, h1, h2);
          }
          for (let p = points; p < points + (<usize>n << 4); p += 16) {
            v128.store64_lane(out, f32x4.demote_f64x2_zero(v128.load(p)), 0);
            out += 256;
          }
        }
      }
      storeBlock(u + <usize>panel * tap + (c << 5), pointBytes, block, n * n); // u at [0, panel, c, 0]
    }
  }
}
