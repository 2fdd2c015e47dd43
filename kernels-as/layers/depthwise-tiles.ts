// Depthwise convolution of filters of any size, four or six pixels at a time. A way out after every tap keeps V8 from reading the inputs of all taps first: then
// they do not fit into its 15 registers.

/** c + x w */
@inline
function plus(c: v128, x: v128, w: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, w));
}

/** c within [low, high]. pmax and pmin keep NaN too; min and max are nine instructions each, as much as all of a 3x3 filter's products. */
@inline
export function clamped(c: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(c, low), high);
}

/** Stores four sums, clamped, stepY apart. */
@inline
function storeFour(y: usize, stepY: usize, low: f32, high: f32, c0: v128, c1: v128, c2: v128, c3: v128): void {
  const lo = f32x4.splat(low), hi = f32x4.splat(high);
  v128.store(y, clamped(c0, lo, hi));
  v128.store((y += stepY), clamped(c1, lo, hi));
  v128.store((y += stepY), clamped(c2, lo, hi));
  v128.store((y += stepY), clamped(c3, lo, hi));
}

/**
 * 4 neighbouring pixels x `lanes` channels, a multiple of 4, of a filter at most 7 wide, where the next pixel's first tap is a pixel's second (stride and dilation alike): a tap reads one
 * input and multiplies four. `step` bytes from tap to tap and from pixel to pixel, rowBytes from tap to tap downwards.
 */
export function slideFour(
  lanes: i32, kh: i32, kw: i32, a: usize, step: usize, rowBytes: usize, w: usize, bias: usize,
  low: f32, high: f32, y: usize, stepY: usize
): void {
  let f = w;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0;
    let row = a + at;
    let rows = kh;
    do {
      let p = row;
      row += rowBytes;
      let x0 = v128.load(p), x1 = v128.load((p += step)), x2 = v128.load((p += step));
      // f at [i, j, c..c+3], p at [pixel 3, i, j, c..c+3]
      do {
        let f0 = v128.load(f);
        let x3 = v128.load((p += step));
        c0 = plus(c0, x0, f0), c1 = plus(c1, x1, f0), c2 = plus(c2, x2, f0), c3 = plus(c3, x3, f0);
        if (kw == 1) break;
        f0 = v128.load(f, 16);
        x0 = v128.load((p += step));
        c0 = plus(c0, x1, f0), c1 = plus(c1, x2, f0), c2 = plus(c2, x3, f0), c3 = plus(c3, x0, f0);
        if (kw == 2) break;
        f0 = v128.load(f, 32);
        x1 = v128.load((p += step));
        c0 = plus(c0, x2, f0), c1 = plus(c1, x3, f0), c2 = plus(c2, x0, f0), c3 = plus(c3, x1, f0);
        if (kw == 3) break;
        f0 = v128.load(f, 48);
        x2 = v128.load((p += step));
        c0 = plus(c0, x3, f0), c1 = plus(c1, x0, f0), c2 = plus(c2, x1, f0), c3 = plus(c3, x2, f0);
        if (kw == 4) break;
        f0 = v128.load(f, 64);
        x3 = v128.load((p += step));
        c0 = plus(c0, x0, f0), c1 = plus(c1, x1, f0), c2 = plus(c2, x2, f0), c3 = plus(c3, x3, f0);
        if (kw == 5) break;
        f0 = v128.load(f, 80);
        x0 = v128.load((p += step));
        c0 = plus(c0, x1, f0), c1 = plus(c1, x2, f0), c2 = plus(c2, x3, f0), c3 = plus(c3, x0, f0);
        if (kw == 6) break;
        f0 = v128.load(f, 96);
        x1 = v128.load((p += step));
        c0 = plus(c0, x2, f0), c1 = plus(c1, x3, f0), c2 = plus(c2, x0, f0), c3 = plus(c3, x1, f0);
      } while (false);
      f += <usize>kw << 4;
    } while (--rows);
    storeFour(y + at, stepY, low, high, c0, c1, c2, c3);
  }
}

/** As slideFour, of any width: a round is four taps, after which the inputs stand where they stood before. Where few taps fit, its rounds cost 5 %. */
export function slideWide(
  lanes: i32, kh: i32, kw: i32, a: usize, step: usize, rowBytes: usize, w: usize, bias: usize,
  low: f32, high: f32, y: usize, stepY: usize
): void {
  let f = w;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0;
    let row = a + at;
    let rows = kh;
    do {
      let p = row, taps = kw;
      row += rowBytes;
      let x0 = v128.load(p), x1 = v128.load((p += step)), x2 = v128.load((p += step)), x3 = x2;
      for (;;) {
        let f0 = v128.load(f);
        x3 = v128.load((p += step));
        c0 = plus(c0, x0, f0), c1 = plus(c1, x1, f0), c2 = plus(c2, x2, f0), c3 = plus(c3, x3, f0);
        f += 16;
        if (!--taps) break;
        f0 = v128.load(f);
        x0 = v128.load((p += step));
        c0 = plus(c0, x1, f0), c1 = plus(c1, x2, f0), c2 = plus(c2, x3, f0), c3 = plus(c3, x0, f0);
        f += 16;
        if (!--taps) break;
        f0 = v128.load(f);
        x1 = v128.load((p += step));
        c0 = plus(c0, x2, f0), c1 = plus(c1, x3, f0), c2 = plus(c2, x0, f0), c3 = plus(c3, x1, f0);
        f += 16;
        if (!--taps) break;
        f0 = v128.load(f);
        x2 = v128.load((p += step));
        c0 = plus(c0, x3, f0), c1 = plus(c1, x0, f0), c2 = plus(c2, x1, f0), c3 = plus(c3, x2, f0);
        f += 16;
        if (!--taps) break;
      }
    } while (--rows);
    storeFour(y + at, stepY, low, high, c0, c1, c2, c3);
  }
}

/** As slideFour, of stride 2: `tap` bytes from tap to tap, twice as many from pixel to pixel. Even and odd taps have their own inputs. */
export function leapFour(
  lanes: i32, kh: i32, kw: i32, a: usize, tap: usize, rowBytes: usize, w: usize, bias: usize,
  low: f32, high: f32, y: usize, stepY: usize
): void {
  const step = tap << 1;
  let f = w;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0;
    let row = a + at;
    let rows = kh;
    do {
      let p = row, q = row + tap;
      row += rowBytes;
      // f at [i, j, c..c+3], p and q at [pixel 3, i, even or odd j, c..c+3]
      do {
        let f0 = v128.load(f);
        let x0 = v128.load(p), x1 = v128.load((p += step)), x2 = v128.load((p += step)), x3 = v128.load((p += step));
        c0 = plus(c0, x0, f0), c1 = plus(c1, x1, f0), c2 = plus(c2, x2, f0), c3 = plus(c3, x3, f0);
        if (kw == 1) break;
        f0 = v128.load(f, 16);
        let z0 = v128.load(q), z1 = v128.load((q += step)), z2 = v128.load((q += step)), z3 = v128.load((q += step));
        c0 = plus(c0, z0, f0), c1 = plus(c1, z1, f0), c2 = plus(c2, z2, f0), c3 = plus(c3, z3, f0);
        if (kw == 2) break;
        f0 = v128.load(f, 32);
        x0 = v128.load((p += step));
        c0 = plus(c0, x1, f0), c1 = plus(c1, x2, f0), c2 = plus(c2, x3, f0), c3 = plus(c3, x0, f0);
        if (kw == 3) break;
        f0 = v128.load(f, 48);
        z0 = v128.load((q += step));
        c0 = plus(c0, z1, f0), c1 = plus(c1, z2, f0), c2 = plus(c2, z3, f0), c3 = plus(c3, z0, f0);
        if (kw == 4) break;
        f0 = v128.load(f, 64);
        x1 = v128.load((p += step));
        c0 = plus(c0, x2, f0), c1 = plus(c1, x3, f0), c2 = plus(c2, x0, f0), c3 = plus(c3, x1, f0);
        if (kw == 5) break;
        f0 = v128.load(f, 80);
        z1 = v128.load((q += step));
        c0 = plus(c0, z2, f0), c1 = plus(c1, z3, f0), c2 = plus(c2, z0, f0), c3 = plus(c3, z1, f0);
        if (kw == 6) break;
        f0 = v128.load(f, 96);
        x2 = v128.load((p += step));
        c0 = plus(c0, x3, f0), c1 = plus(c1, x0, f0), c2 = plus(c2, x1, f0), c3 = plus(c3, x2, f0);
      } while (false);
      f += <usize>kw << 4;
    } while (--rows);
    storeFour(y + at, stepY, low, high, c0, c1, c2, c3);
  }
}

/**
 * 6 pixels x `lanes` channels, a multiple of 4. Each pixel's first tap is at a_p; the pointers move on by tapBytes from tap to tap and by rowSkip more
 * after a row of them, the weights lie one after the other.
 */
export function tileSix(
  lanes: i32, kh: i32, kw: i32, tapBytes: usize, rowSkip: usize, windowBytes: usize,
  a0: usize, a1: usize, a2: usize, a3: usize, a4: usize, a5: usize, w: usize, bias: usize, low: f32, high: f32,
  y0: usize, y1: usize, y2: usize, y3: usize, y4: usize, y5: usize
): void {
  const nextPixels: usize = <usize>16 - windowBytes;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
    let rows = kh;
    do {
      let taps = kw;
      do {
        // w at [i, j, c..c+3]; a_p at [pixel p, i, j, c..c+3]
        const f = v128.load(w);
        c0 = plus(c0, v128.load(a0), f);
        c1 = plus(c1, v128.load(a1), f);
        c2 = plus(c2, v128.load(a2), f);
        c3 = plus(c3, v128.load(a3), f);
        c4 = plus(c4, v128.load(a4), f);
        c5 = plus(c5, v128.load(a5), f);
        a0 += tapBytes;
        a1 += tapBytes;
        a2 += tapBytes;
        a3 += tapBytes;
        a4 += tapBytes;
        a5 += tapBytes;
        w += 16;
      } while (--taps);
      a0 += rowSkip;
      a1 += rowSkip;
      a2 += rowSkip;
      a3 += rowSkip;
      a4 += rowSkip;
      a5 += rowSkip;
    } while (--rows);
    const lo = f32x4.splat(low), hi = f32x4.splat(high);
    v128.store(y0 + at, clamped(c0, lo, hi));
    v128.store(y1 + at, clamped(c1, lo, hi));
    v128.store(y2 + at, clamped(c2, lo, hi));
    v128.store(y3 + at, clamped(c3, lo, hi));
    v128.store(y4 + at, clamped(c4, lo, hi));
    v128.store(y5 + at, clamped(c5, lo, hi));
    a0 += nextPixels;
    a1 += nextPixels;
    a2 += nextPixels;
    a3 += nextPixels;
    a4 += nextPixels;
    a5 += nextPixels;
  }
}
