// Depthwise 3x3 convolution, seven pixels at a time: the images of most networks are 7, 14, 28, 56 or 112 pixels wide. Seven sums, the three weights of
// a row and three inputs, which take turns, are the 13 registers that V8 fills without the stack. Every sum is also stored where nobody reads it:
// else V8 of Node 20 reads all inputs of a row before the first product and runs out of registers (46 GFLOP/s instead of 51 at stride 1, 35 instead of
// 48 at stride 2); that of Node 24 and 26 keeps the order by itself and loses 3 % by it. The rows are written out: a loop over them takes 6 to 10 % longer.

import { clamped } from "./depthwise-tiles";

/** c + x0 w0 + x1 w1 + x2 w2, also stored at `hold`. */
@inline
function three(hold: usize, c: v128, x0: v128, x1: v128, x2: v128, w0: v128, w1: v128, w2: v128): v128 {
  const sum = f32x4.add(f32x4.add(f32x4.add(c, f32x4.mul(x0, w0)), f32x4.mul(x1, w1)), f32x4.mul(x2, w2));
  v128.store(hold, sum);
  return sum;
}

/** Stores seven sums, clamped, stepY apart. */
@inline
function storeSeven(
  y: usize, stepY: usize, low: f32, high: f32, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128
): void {
  const lo = f32x4.splat(low), hi = f32x4.splat(high);
  v128.store(y, clamped(c0, lo, hi));
  v128.store((y += stepY), clamped(c1, lo, hi));
  v128.store((y += stepY), clamped(c2, lo, hi));
  v128.store((y += stepY), clamped(c3, lo, hi));
  v128.store((y += stepY), clamped(c4, lo, hi));
  v128.store((y += stepY), clamped(c5, lo, hi));
  v128.store((y += stepY), clamped(c6, lo, hi));
}

/**
 * 7 neighbouring pixels x `lanes` channels, a multiple of 4, of a filter of `rows` x 3 taps, where the next pixel's first tap is a pixel's second: `step` bytes from tap to
 * tap and from pixel to pixel, rowBytes from tap to tap downwards. `rows`, 1 to 3, is no constant: V8 reads no row before it has passed the branch.
 */
export function slideThree(
  lanes: i32, rows: i32, a: usize, step: usize, rowBytes: usize, w: usize, bias: usize, hold: usize,
  low: f32, high: f32, y: usize, stepY: usize
): void {
  const filterBytes = <usize>rows * 48;
  let f = w;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16, f += filterBytes) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
    let row = a + at, p = row;
    let w0 = v128.load(f), w1 = v128.load(f, 16), w2 = v128.load(f, 32);
    let x0 = v128.load(p), x1 = v128.load((p += step)), x2 = x1;
    c0 = three(hold, c0, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
    c1 = three(hold, c1, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
    c2 = three(hold, c2, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
    c3 = three(hold, c3, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
    c4 = three(hold, c4, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
    c5 = three(hold, c5, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
    c6 = three(hold, c6, x0, x1, v128.load((p += step)), w0, w1, w2);
    if (rows > 1) {
      w0 = v128.load(f, 48), w1 = v128.load(f, 64), w2 = v128.load(f, 80);
      p = row += rowBytes;
      x0 = v128.load(p), x1 = v128.load((p += step));
      c0 = three(hold, c0, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
      c1 = three(hold, c1, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
      c2 = three(hold, c2, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
      c3 = three(hold, c3, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
      c4 = three(hold, c4, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
      c5 = three(hold, c5, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
      c6 = three(hold, c6, x0, x1, v128.load((p += step)), w0, w1, w2);
      if (rows > 2) {
        w0 = v128.load(f, 96), w1 = v128.load(f, 112), w2 = v128.load(f, 128);
        p = row += rowBytes;
        x0 = v128.load(p), x1 = v128.load((p += step));
        c0 = three(hold, c0, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
        c1 = three(hold, c1, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
        c2 = three(hold, c2, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
        c3 = three(hold, c3, x0, x1, (x2 = v128.load((p += step))), w0, w1, w2);
        c4 = three(hold, c4, x1, x2, (x0 = v128.load((p += step))), w0, w1, w2);
        c5 = three(hold, c5, x2, x0, (x1 = v128.load((p += step))), w0, w1, w2);
        c6 = three(hold, c6, x0, x1, v128.load((p += step)), w0, w1, w2);
      }
    }
    storeSeven(y + at, stepY, low, high, c0, c1, c2, c3, c4, c5, c6);
  }
}

/** Reads four lines of 64 bytes, so that they are in the cache when they are needed. */
@inline
function touch(from: usize): void {
  v128.load(from);
  v128.load(from, 64);
  v128.load(from, 128);
  v128.load(from, 192);
}

/**
 * As slideThree, of stride 2: `tap` bytes from tap to tap, twice as many from pixel to pixel. `next`: the first tap of the seven pixels after these, whose
 * lower two rows are read by the way (15 pixels a row, 15/16 of 256 bytes for each four channels); 0 where the image is in the cache.
 */
export function leapThree(
  lanes: i32, rows: i32, a: usize, tap: usize, rowBytes: usize, w: usize, bias: usize, hold: usize,
  low: f32, high: f32, y: usize, stepY: usize, next: usize
): void {
  const filterBytes = <usize>rows * 48;
  let f = w;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16, f += filterBytes) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
    let row = a + at, p = row;
    let w0 = v128.load(f), w1 = v128.load(f, 16), w2 = v128.load(f, 32);
    let x0 = v128.load(p), x2 = x0;
    c0 = three(hold, c0, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
    c1 = three(hold, c1, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
    c2 = three(hold, c2, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
    c3 = three(hold, c3, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
    c4 = three(hold, c4, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
    c5 = three(hold, c5, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
    c6 = three(hold, c6, x0, v128.load((p += tap)), v128.load((p += tap)), w0, w1, w2);
    if (rows > 1) {
      if (next) touch(next + rowBytes + 15 * at);
      w0 = v128.load(f, 48), w1 = v128.load(f, 64), w2 = v128.load(f, 80);
      p = row += rowBytes;
      x0 = v128.load(p);
      c0 = three(hold, c0, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
      c1 = three(hold, c1, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
      c2 = three(hold, c2, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
      c3 = three(hold, c3, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
      c4 = three(hold, c4, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
      c5 = three(hold, c5, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
      c6 = three(hold, c6, x0, v128.load((p += tap)), v128.load((p += tap)), w0, w1, w2);
      if (rows > 2) {
        if (next) touch(next + 2 * rowBytes + 15 * at);
        w0 = v128.load(f, 96), w1 = v128.load(f, 112), w2 = v128.load(f, 128);
        p = row += rowBytes;
        x0 = v128.load(p);
        c0 = three(hold, c0, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
        c1 = three(hold, c1, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
        c2 = three(hold, c2, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
        c3 = three(hold, c3, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
        c4 = three(hold, c4, x0, v128.load((p += tap)), (x2 = v128.load((p += tap))), w0, w1, w2);
        c5 = three(hold, c5, x2, v128.load((p += tap)), (x0 = v128.load((p += tap))), w0, w1, w2);
        c6 = three(hold, c6, x0, v128.load((p += tap)), v128.load((p += tap)), w0, w1, w2);
      }
    }
    storeSeven(y + at, stepY, low, high, c0, c1, c2, c3, c4, c5, c6);
  }
}
