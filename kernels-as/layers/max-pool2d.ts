// Max pooling on NHWC images. Windows are clipped to the image, so padding is never read; four channels at a time.

/**
 * Max pooling.
 *   y[oy,ox,c] = max of x[oy*strideH - padTop + i*dilationH, ox*strideW - padLeft + j*dilationW, c] over positions inside the image
 * Layout: y, x NHWC with row and pixel strides in elements. y may not alias x. A window without any position gives 0.
 * Rows [begin, end) are written.
 * Source: definition.
 */
export function maxPool2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32,
  inH: i32, inW: i32, outW: i32, channels: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32, begin: i32, end: i32
): void {
  for (let oy = begin; oy < end; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const top = oy * strideH - padTop;
      const left = ox * strideW - padLeft;
      const out = y + (<usize>oy * <usize>yRow + <usize>(ox * yPixel) << 2);
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        let best = f32x4.splat(-Infinity);
        for (let i = 0; i < kh; i++) {
          const iy = top + i * dilationH;
          if (iy < 0 || iy >= inH) continue;
          for (let j = 0; j < kw; j++) {
            const ix = left + j * dilationW;
            if (ix < 0 || ix >= inW) continue;
            best = f32x4.max(best, v128.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2)));
          }
        }
        const empty = f32x4.eq(best, f32x4.splat(-Infinity));
        v128.store(out + (<usize>c << 2), v128.andnot(best, empty));
      }
      for (; c < channels; c++) {
        let best: f32 = -Infinity;
        for (let i = 0; i < kh; i++) {
          const iy = top + i * dilationH;
          if (iy < 0 || iy >= inH) continue;
          for (let j = 0; j < kw; j++) {
            const ix = left + j * dilationW;
            if (ix < 0 || ix >= inW) continue;
            best = max<f32>(best, f32.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2)));
          }
        }
        f32.store(out + (<usize>c << 2), best == -Infinity ? 0 : best);
      }
    }
  }
}

// What happens to an output's relevance.
const winner = 0; // all to the first position (row by row) that holds the maximum, added up where windows overlap
const shared = 1; // in equal parts to all positions that hold the maximum
const proportional = 2; // by x / sum of x over the window
const overwrite = 3; // as winner, but a later window overwrites an earlier one

/**
 * Relevance of max pooling whose windows lie side by side and cover the input, all to the first position (row by row) that holds the
 * maximum. Every element of dx is written.
 *   dx[n, c] = dy[window of n, c] where x[n, c] is the window's first equal to y, else 0
 * Layout: as maxPool2dScatter; input outH*kh x outW*kw; dx, dy, x and y may not alias. Output rows [begin, end) and the input rows under
 * them are done.
 * Source: as maxPool2dScatter, mode 0 (and 3: nothing overlaps).
 */
export function maxPool2dRoute(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, dyRow: i32, dyPixel: i32, x: usize, xRow: i32, xPixel: i32, y: usize, yRow: i32, yPixel: i32,
  channels: i32, outW: i32, kh: i32, kw: i32, begin: i32, end: i32
): void {
  const zero = f32x4.splat(0);
  for (let oy = begin; oy < end; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const dyAt = dy + (<usize>(oy * dyRow + ox * dyPixel) << 2);
      const yAt = y + (<usize>(oy * yRow + ox * yPixel) << 2);
      const xAt = x + (<usize>(oy * kh * xRow + ox * kw * xPixel) << 2);
      const dxAt = dx + (<usize>(oy * kh * dxRow + ox * kw * dxPixel) << 2);
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const at = <usize>c << 2;
        const r = v128.load(dyAt + at);
        const best = v128.load(yAt + at);
        let open = i32x4.splat(-1);
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const hit = v128.and(open, f32x4.eq(v128.load(xAt + (<usize>(i * xRow + j * xPixel) << 2) + at), best));
            v128.store(dxAt + (<usize>(i * dxRow + j * dxPixel) << 2) + at, f32x4.add(zero, v128.and(hit, r)));
            open = v128.andnot(open, hit);
          }
        }
      }
      for (; c < channels; c++) {
        const at = <usize>c << 2;
        const r: f32 = f32.load(dyAt + at) + 0;
        const best = f32.load(yAt + at);
        let isOpen = true;
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const isHit = isOpen && f32.load(xAt + (<usize>(i * xRow + j * xPixel) << 2) + at) == best;
            f32.store(dxAt + (<usize>(i * dxRow + j * dxPixel) << 2) + at, isHit ? r : 0);
            isOpen = isOpen && !isHit;
          }
        }
      }
    }
  }
}

/** maxPool2dScatter's first winner for one window, four channels at a time; returns the first channel that is left to do. */
function scatterToFirst(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, x: usize, xRow: i32, xPixel: i32, y: usize,
  top: i32, left: i32, inH: i32, inW: i32, kh: i32, kw: i32, dilationH: i32, dilationW: i32, begin: i32, end: i32
): i32 {
  let c = begin;
  for (; c + 4 <= end; c += 4) {
    const r = v128.load(dy + (<usize>c << 2));
    if (!v128.any_true(r)) continue;
    const best = v128.load(y + (<usize>c << 2));
    let open = i32x4.splat(-1);
    for (let i = 0; i < kh; i++) {
      const iy = top + i * dilationH;
      if (iy < 0 || iy >= inH) continue;
      for (let j = 0; j < kw; j++) {
        const ix = left + j * dilationW;
        if (ix < 0 || ix >= inW) continue;
        const hit = v128.and(open, f32x4.eq(v128.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2)), best));
        const at = dx + (<usize>(iy * dxRow + ix * dxPixel + c) << 2);
        v128.store(at, f32x4.add(v128.load(at), v128.and(hit, r)));
        open = v128.andnot(open, hit);
      }
    }
  }
  return c;
}

/**
 * What the relevance r of one window and channel is divided by: how many values are the best (mode shared), their sum (proportional), or 1.
 * x is at the channel of pixel (0, 0).
 */
function divisorOf(
  mode: i32, best: f32, x: usize, xRow: i32, xPixel: i32,
  top: i32, left: i32, inH: i32, inW: i32, kh: i32, kw: i32, dilationH: i32, dilationW: i32
): f32 {
  if (mode != shared && mode != proportional) return 1;
  let ties = 0;
  let sum: f32 = 0;
  for (let i = 0; i < kh; i++) {
    const iy = top + i * dilationH;
    if (iy < 0 || iy >= inH) continue;
    for (let j = 0; j < kw; j++) {
      const ix = left + j * dilationW;
      if (ix < 0 || ix >= inW) continue;
      const v = f32.load(x + (<usize>(iy * xRow + ix * xPixel) << 2));
      if (v == best) ties++;
      sum += v;
    }
  }
  return mode == shared ? <f32>ties : sum;
}

/** maxPool2dScatter for one window and channel; dx and x are at the channel of pixel (0, 0). */
function scatterOne(
  dx: usize, dxRow: i32, dxPixel: i32, r: f32, x: usize, xRow: i32, xPixel: i32, best: f32, mode: i32,
  top: i32, left: i32, inH: i32, inW: i32, kh: i32, kw: i32, dilationH: i32, dilationW: i32
): void {
  const divisor = divisorOf(mode, best, x, xRow, xPixel, top, left, inH, inW, kh, kw, dilationH, dilationW);
  if (mode == proportional && divisor == 0) return;
  for (let i = 0; i < kh; i++) {
    const iy = top + i * dilationH;
    if (iy < 0 || iy >= inH) continue;
    for (let j = 0; j < kw; j++) {
      const ix = left + j * dilationW;
      if (ix < 0 || ix >= inW) continue;
      const v = f32.load(x + (<usize>(iy * xRow + ix * xPixel) << 2));
      const at = dx + (<usize>(iy * dxRow + ix * dxPixel) << 2);
      if (mode == proportional) {
        f32.store(at, f32.load(at) + (v / divisor) * r); // v / sum first: a denormal sum would make r / sum infinite
      } else if (v == best) {
        f32.store(at, mode == overwrite ? r : f32.load(at) + r / divisor);
        if (mode != shared) return; // the first one takes it
      }
    }
  }
}

/**
 * Relevance of max pooling, scattered to the inputs. dx must be zero before.
 * mode 0 winner takes all, 1 ties shared, 2 proportional x / sum x (nothing where the sum is 0), 3 winner, overwriting.
 * Layout: dx, x NHWC of the input, dy, y NHWC of the output, strides in elements. dx may not alias anything.
 * Channels [begin, end) are written, windows in raster order: any split gives the same bytes.
 * Source: docs/rules.md, "Rules of the other layers"; mode 3 is torch's max_unpool2d as in the code of Li et al. 2019.
 */
export function maxPool2dScatter(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, dyRow: i32, dyPixel: i32, x: usize, xRow: i32, xPixel: i32, y: usize, yRow: i32, yPixel: i32,
  mode: i32, inH: i32, inW: i32, outH: i32, outW: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32, begin: i32, end: i32
): void {
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const top = oy * strideH - padTop;
      const left = ox * strideW - padLeft;
      const dyAt = dy + (<usize>(oy * dyRow + ox * dyPixel) << 2);
      const yAt = y + (<usize>(oy * yRow + ox * yPixel) << 2);
      let c = begin;
      if (mode == winner) {
        c = scatterToFirst(
          dx, dxRow, dxPixel, dyAt, x, xRow, xPixel, yAt, top, left, inH, inW, kh, kw, dilationH, dilationW, begin, end
        );
      }
      for (; c < end; c++) {
        const at = <usize>c << 2;
        const r = f32.load(dyAt + at);
        if (r == 0 && mode != overwrite) continue;
        const best = f32.load(yAt + at);
        scatterOne(
          dx + at, dxRow, dxPixel, r, x + at, xRow, xPixel, best, mode, top, left, inH, inW, kh, kw, dilationH, dilationW
        );
      }
    }
  }
}
