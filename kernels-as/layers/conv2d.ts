// Direct convolution on NHWC images. One micro-kernel: 4 pixels x 8 output channels, no k-unrolling. V8 gives 15 vector
// registers and hoists the loads of a loop body, so 8 accumulators + 2 weights + 4 broadcasts just fit; larger tiles and
// unrolled ones spill and run at half the speed (measured). It stays a function of its own, called per tile, because V8
// cannot replace a running WebAssembly function by its optimised version.

// A run longer than this (floats) is cut at the taps: the sum of each run is added to the output's total, so rounding errors
// grow with the length of a run plus the number of runs, not with their product (measured: AlexNet conv1, 363 terms, error
// 1.4e-7 rms against 4.3e-7 for one running sum and for PyTorch).
const longestRun = 512;

/** The bias, or 0, of 8 output channels, as the totals of 4 pixels. */
@inline
function startTotals(totals: usize, bias: usize): void {
  const b0 = bias ? v128.load(bias) : f32x4.splat(0);
  const b1 = bias ? v128.load(bias, 16) : f32x4.splat(0);
  v128.store(totals, b0);
  v128.store(totals, b1, 16);
  v128.store(totals, b0, 32);
  v128.store(totals, b1, 48);
  v128.store(totals, b0, 64);
  v128.store(totals, b1, 80);
  v128.store(totals, b0, 96);
  v128.store(totals, b1, 112);
}

/** y[0..7] = clamp(totals[0..7], low, high). pmax and pmin keep NaN too; min and max are nine instructions each for it and for -0. */
@inline
function storePixel(y: usize, totals: usize, low: f32, high: f32): void {
  v128.store(y, f32x4.pmin(f32x4.pmax(v128.load(totals), f32x4.splat(low)), f32x4.splat(high)));
  v128.store(y, f32x4.pmin(f32x4.pmax(v128.load(totals, 16), f32x4.splat(low)), f32x4.splat(high)), 16);
}

/**
 * 4 x 8 outputs. Each pixel's inputs are `rows` x `taps` runs of `depth` contiguous floats; weights are read in order.
 * After a run the pixel pointers move on by tapSkip bytes, after a row of runs by rowSkip bytes more. totals: 128 bytes.
 */
function tile4x8(
  rows: i32, taps: i32, depth: i32, rowSkip: isize, tapSkip: isize,
  a0: usize, a1: usize, a2: usize, a3: usize,
  w: usize, bias: usize, totals: usize, low: f32, high: f32,
  y0: usize, y1: usize, y2: usize, y3: usize
): void {
  startTotals(totals, bias);
  const runBytes = <usize>depth << 5;
  while (rows > 0) {
    let t = taps;
    do {
      let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      const stop = w + runBytes;
      do {
        // w at [ky, kx, c, 0..7]; a_p at [pixel p, ky, kx, c]
        const w0 = v128.load(w);
        const w1 = v128.load(w, 16);
        const x0 = v128.load_splat<f32>(a0);
        c00 = f32x4.add(c00, f32x4.mul(x0, w0));
        c01 = f32x4.add(c01, f32x4.mul(x0, w1));
        const x1 = v128.load_splat<f32>(a1);
        c10 = f32x4.add(c10, f32x4.mul(x1, w0));
        c11 = f32x4.add(c11, f32x4.mul(x1, w1));
        const x2 = v128.load_splat<f32>(a2);
        c20 = f32x4.add(c20, f32x4.mul(x2, w0));
        c21 = f32x4.add(c21, f32x4.mul(x2, w1));
        const x3 = v128.load_splat<f32>(a3);
        c30 = f32x4.add(c30, f32x4.mul(x3, w0));
        c31 = f32x4.add(c31, f32x4.mul(x3, w1));
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
        w += 32;
      } while (w < stop);
      v128.store(totals, f32x4.add(v128.load(totals), c00));
      v128.store(totals, f32x4.add(v128.load(totals, 16), c01), 16);
      v128.store(totals, f32x4.add(v128.load(totals, 32), c10), 32);
      v128.store(totals, f32x4.add(v128.load(totals, 48), c11), 48);
      v128.store(totals, f32x4.add(v128.load(totals, 64), c20), 64);
      v128.store(totals, f32x4.add(v128.load(totals, 80), c21), 80);
      v128.store(totals, f32x4.add(v128.load(totals, 96), c30), 96);
      v128.store(totals, f32x4.add(v128.load(totals, 112), c31), 112);
      a0 += tapSkip;
      a1 += tapSkip;
      a2 += tapSkip;
      a3 += tapSkip;
    } while (--t);
    a0 += rowSkip;
    a1 += rowSkip;
    a2 += rowSkip;
    a3 += rowSkip;
    rows--;
  }
  storePixel(y0, totals, low, high);
  storePixel(y1, totals + 32, low, high);
  storePixel(y2, totals + 64, low, high);
  storePixel(y3, totals + 96, low, high);
}

/** Copies `count` floats from each row of the 4x8 scratch tile: the tail of the output channels. */
function storeTail(scratch: usize, count: i32, y0: usize, y1: usize, y2: usize, y3: usize): void {
  for (let lane: usize = 0; lane < <usize>count << 2; lane += 4) {
    f32.store(y0 + lane, f32.load(scratch + lane));
    f32.store(y1 + lane, f32.load(scratch + lane, 32));
    f32.store(y2 + lane, f32.load(scratch + lane, 64));
    f32.store(y3 + lane, f32.load(scratch + lane, 96));
  }
}

/**
 * `remaining` outputs of one panel of weights, four pixels at a time in raster order from (rowY, rowX) on. Rows of `outW` pixels lie rowBytes
 * apart, pixels stepX and stepY bytes; `lanes` channels are left, of which at most 8 are written. The rest as in tile4x8.
 */
function convolvePixels(
  remaining: i32, outW: i32, lanes: i32, rowX: usize, rowBytesX: usize, stepX: usize, rowY: usize, rowBytesY: usize, stepY: usize,
  kh: i32, taps: i32, depth: i32, rowSkip: isize, tapSkip: isize, w: usize, bias: usize, scratch: usize, low: f32, high: f32
): void {
  const totals = scratch + 128;
  let ox = 0;
  let a0 = rowX;
  let y0 = rowY;
  while (remaining > 0) {
    // four pixels in raster order; past the last one the pointers stay, and the same value is stored again
    let a1 = a0, y1 = y0;
    if (remaining > 1) {
      if (++ox == outW) {
        ox = 0;
        rowX += rowBytesX; rowY += rowBytesY;
        a1 = rowX; y1 = rowY;
      } else { a1 += stepX; y1 += stepY; }
    }
    let a2 = a1, y2 = y1;
    if (remaining > 2) {
      if (++ox == outW) {
        ox = 0;
        rowX += rowBytesX; rowY += rowBytesY;
        a2 = rowX; y2 = rowY;
      } else { a2 += stepX; y2 += stepY; }
    }
    let a3 = a2, y3 = y2;
    if (remaining > 3) {
      if (++ox == outW) {
        ox = 0;
        rowX += rowBytesX; rowY += rowBytesY;
        a3 = rowX; y3 = rowY;
      } else { a3 += stepX; y3 += stepY; }
    }
    if (lanes >= 8) {
      tile4x8(kh, taps, depth, rowSkip, tapSkip, a0, a1, a2, a3, w, bias, totals, low, high, y0, y1, y2, y3);
    } else {
      tile4x8(kh, taps, depth, rowSkip, tapSkip, a0, a1, a2, a3, w, bias, totals, low, high,
        scratch, scratch + 32, scratch + 64, scratch + 96);
      storeTail(scratch, lanes, y0, y1, y2, y3);
    }
    remaining -= 4;
    if (remaining > 0) {
      if (++ox == outW) {
        ox = 0;
        rowX += rowBytesX; rowY += rowBytesY;
        a0 = rowX; y0 = rowY;
      } else { a0 = a3 + stepX; y0 = y3 + stepY; }
    }
  }
}

/**
 * 2-D convolution (cross-correlation) of one group, with bias and clamping.
 *   y[oy,ox,m] = clamp(bias[m] + sum over i,j,c of w[m,c,i,j] * x[oy*strideH + i*dilationH, ox*strideW + j*dilationW, c], low, high)
 * Layout: y and x NHWC with the given row and pixel strides (elements), so that a group or a bordered image is addressed
 * by its pointer; x points at the first tap of output (0,0). w packed [ceil(outC/8)][kh][kw][inC][8] with zero tail lanes,
 * bias [outC rounded up to 8] or 0. scratch: 256 bytes. y may not alias x. Rows [begin, end) of the output are written, in
 * blocks of blockRows so that the inputs of a block stay in cache while all weights pass over it.
 * Fixed order: a run sums over c (and j, if the row is one run); the total starts with the bias and adds the runs by i, j.
 * Source: definition; checked against the float64 oracle.
 */
export function conv2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize, scratch: usize,
  outW: i32, outC: i32, inC: i32, kh: i32, kw: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32,
  low: f32, high: f32, blockRows: i32, begin: i32, end: i32
): void {
  // The taps of one row form a single run when the group owns all channels of the pixel and there is no dilation.
  const merged = inC == xPixel && dilationW == 1 && kw * inC <= longestRun;
  const taps = merged ? 1 : kw;
  const depth = merged ? kw * inC : inC;
  const tapSkip: isize = merged ? 0 : <isize>(dilationW * xPixel - inC) << 2;
  const rowSkip: isize = (<isize>(dilationH * xRow) << 2) - (merged ? <isize>depth << 2 : <isize>(kw * dilationW * xPixel) << 2);
  const stepX = <usize>(strideW * xPixel) << 2;
  const stepY = <usize>yPixel << 2;
  const panelBytes = <usize>(kh * kw * inC) << 5;
  for (let top = begin; top < end; top += blockRows) {
    const bottom = min(top + blockRows, end);
    for (let m = 0; m < outC; m += 8) {
      const panel = w + <usize>(m >> 3) * panelBytes;
      const panelBias = bias ? bias + (<usize>m << 2) : 0;
      const rowX = x + (<usize>top * <usize>(strideH * xRow) << 2);
      const rowY = y + (<usize>top * <usize>yRow << 2) + (<usize>m << 2);
      convolvePixels(
        (bottom - top) * outW, outW, outC - m, rowX, <usize>(strideH * xRow) << 2, stepX, rowY, <usize>yRow << 2, stepY,
        kh, taps, depth, rowSkip, tapSkip, panel, panelBias, scratch, low, high
      );
    }
  }
}

/**
 * What conv2dForward gives, with stride 1 and no dilation, at single outputs.
 *   y_k[m] = clamp(bias[m] + sum over i,j,c of w[m,c,i,j] * x_k[i, j, c], low, high)
 * Layout: places [count] pairs of addresses (i32): the output y_k, its first tap x_k; the rest as conv2dForward, outC a multiple of 8.
 * Weights outside, outputs by fours inside: a panel stays in the first-level cache. The order of every sum is conv2dForward's.
 * Source: definition.
 */
export function conv2dAtPlaces(
  places: usize, count: i32, xRow: i32, xPixel: i32, w: usize, bias: usize, scratch: usize,
  outC: i32, inC: i32, taps: i32, low: f32, high: f32
): void {
  const merged = inC == xPixel && taps * inC <= longestRun;
  const runs = merged ? 1 : taps;
  const depth = merged ? taps * inC : inC;
  const tapSkip: isize = merged ? 0 : <isize>(xPixel - inC) << 2;
  const rowSkip: isize = (<isize>xRow << 2) - (merged ? <isize>depth << 2 : <isize>(taps * xPixel) << 2);
  const panelBytes = <usize>(taps * taps * inC) << 5;
  const last = places + (<usize>(count - 1) << 3);
  for (let m: usize = 0; m < <usize>outC << 2; m += 32) {
    for (let p0 = places; p0 <= last; p0 += 32) {
      // past the last one, the same value is stored again
      const p1 = min(p0 + 8, last), p2 = min(p0 + 16, last), p3 = min(p0 + 24, last);
      tile4x8(taps, runs, depth, rowSkip, tapSkip, load<usize>(p0, 4), load<usize>(p1, 4), load<usize>(p2, 4), load<usize>(p3, 4),
        w, bias ? bias + m : 0, scratch, low, high,
        load<usize>(p0) + m, load<usize>(p1) + m, load<usize>(p2) + m, load<usize>(p3) + m);
    }
    w += panelBytes;
  }
}
