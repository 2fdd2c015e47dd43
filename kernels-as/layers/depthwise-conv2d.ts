// Depthwise convolution on NHWC images, four channels in the lanes: what tiles a row is cut into, and in which order they are computed.

import { leapThree, slideThree } from "./depthwise-three";
import { leapFour, slideFour, slideWide, tileSix } from "./depthwise-tiles";

/** Where the module is to be small it goes without the tiles that but few layers use; the same values. */
const isSmall = ASC_SHRINK_LEVEL > 1;

/** One channel of one pixel, as in tileSix: what is left of the channels. */
function single(
  y: usize, kh: i32, kw: i32, tapBytes: usize, rowSkip: usize, a: usize, w: usize, start: f32, low: f32, high: f32
): void {
  let sum = start;
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      sum += f32.load(a) * f32.load(w);
      a += tapBytes;
      w += 16;
    }
    a += rowSkip;
  }
  sum = sum < low ? low : sum;
  f32.store(y, high < sum ? high : sum);
}

/**
 * `lanes` channels of a row of outW >= 4 pixels whose neighbours share inputs: a pixel's second tap, or with `leaps` its third, is the next one's first. Seven pixels
 * at a time for filters three wide and at most three high, else four; the last ones of a row may begin earlier, and some values are stored again.
 */
function row(
  lanes: i32, outW: i32, kh: i32, kw: i32, leaps: bool, a: usize, tapBytes: usize, rowBytes: usize, w: usize, bias: usize, hold: usize,
  low: f32, high: f32, y: usize, stepY: usize, isLarge: bool
): void {
  const stepX = tapBytes << <usize>leaps;
  const isThree = kw == 3 && kh <= 3;
  for (let ox = 0; ox < outW; ) {
    const left = outW - ox;
    if (!isSmall && isThree && left > 4 && left != 8 && outW >= 7) {
      const first = <usize>min(ox, outW - 7);
      const p = a + first * stepX, q = y + first * stepY;
      if (leaps) {
        const next = isLarge ? a + <usize>min(ox + 7, outW - 7) * stepX : 0;
        leapThree(lanes, kh, p, tapBytes, rowBytes, w, bias, hold, low, high, q, stepY, next);
      } else {
        slideThree(lanes, kh, p, tapBytes, rowBytes, w, bias, hold, low, high, q, stepY);
      }
      ox += 7;
    } else {
      const first = <usize>min(ox, outW - 4);
      const p = a + first * stepX, q = y + first * stepY;
      if (!isSmall && leaps) leapFour(lanes, kh, kw, p, tapBytes, rowBytes, w, bias, low, high, q, stepY);
      else if (!isSmall && kw <= 7) slideFour(lanes, kh, kw, p, tapBytes, rowBytes, w, bias, low, high, q, stepY);
      else slideWide(lanes, kh, kw, p, tapBytes, rowBytes, w, bias, low, high, q, stepY);
      ox += 4;
    }
  }
}

/** Copies 16 channels of `rows` x `pixels` pixels side by side. */
function copyLines(to: usize, from: usize, rowBytes: usize, pixelBytes: usize, rows: i32, pixels: i32): void {
  for (; rows; rows--, from += rowBytes) {
    let p = from;
    for (let n = pixels; n; n--, p += pixelBytes, to += 64) {
      v128.store(to, v128.load(p));
      v128.store(to, v128.load(p, 16), 16);
      v128.store(to, v128.load(p, 32), 32);
      v128.store(to, v128.load(p, 48), 48);
    }
  }
}

/**
 * How many rows of the output may be computed from a copy of their inputs, 0 if it pays not: it does where so many of a window's lines
 * of 64 bytes have their place in the same sets of the first-level cache (48 kB: 64 sets of 12) that these do not hold them: 7x7 on 384 channels 1.5 times as
 * fast, 3x3 on 1024 1.8 times.
 */
function copiedRows(inW: i32, kh: i32, kw: i32, strideH: i32, dilationH: i32, tile: i32, pixelBytes: i32, channels: i32, scratchBytes: i32): i32 {
  const crowded = (kh * tile + kh * kw) * min(4096, pixelBytes & -pixelBytes) > 12 * 4096;
  if (isSmall || !crowded || kh * kw < 9 || channels & 15) return 0;
  const inH = (scratchBytes - 64) / (64 * inW);
  const more = inH - 1 - (kh - 1) * dilationH;
  return more < 0 ? 0 : more / strideH + 1;
}

/** Rows [begin, end) of `whole` channels where neighbouring pixels share inputs, from the first block of channels to the last. */
function neighbours(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize, scratch: usize, scratchBytes: i32,
  outW: i32, channels: i32, whole: i32, kh: i32, kw: i32, strideH: i32, leaps: bool, dilationH: i32, dilationW: i32,
  low: f32, high: f32, begin: i32, end: i32
): void {
  const tapBytes = <usize>(dilationW * xPixel) << 2, xRowBytes = <usize>xRow << 2;
  const inW = ((outW - 1) << <i32>leaps) + kw;
  const copied = copiedRows(inW, kh, kw, strideH, dilationH, ((kw == 3 && kh <= 3 ? 6 : 3) << <i32>leaps) + kw, <i32>tapBytes, channels, scratchBytes);
  const band = copied ? copied : end - begin;
  // Blocks of channels keep a window's rows in the first-level cache; a small window's are there anyway.
  const block = copied ? 16 : kh * kw > 9 ? 64 : channels;
  const isLarge = <usize>((end - begin) * strideH) * xRowBytes >= <usize>1 << 20;
  const copy = scratch + 64;
  for (let c = 0; c < whole; c += block) {
    const at = <usize>c << 2;
    const lanes = min(block, whole - c);
    const start = bias ? bias + at : 0;
    let filter = w + at * <usize>(kh * kw), tap = tapBytes, rowBytes = xRowBytes;
    if (!isSmall && copied) {
      tap = 64;
      rowBytes = <usize>inW * 64;
    }
    for (let first = begin; first < end; first += band) {
      const last = min(first + band, end);
      let p = x + <usize>(first * strideH) * xRowBytes + at;
      if (!isSmall && copied) {
        copyLines(copy, p, xRowBytes, tapBytes, (last - first - 1) * strideH + (kh - 1) * dilationH + 1, inW);
        p = copy;
      }
      for (let oy = first; oy < last; oy++, p += <usize>strideH * rowBytes) {
        const q = y + (<usize>oy * <usize>yRow << 2) + at;
        const rowStep = <usize>dilationH * rowBytes;
        row(lanes, outW, kh, kw, leaps, p, tap, rowStep, filter, start, scratch, low, high, q, <usize>yPixel << 2, isLarge);
      }
    }
  }
}

/**
 * Depthwise convolution: every channel has its own filter.
 *   y[oy,ox,c] = clamp(bias[c] + sum over i,j of w[i,j,c] * x[oy*strideH + i*dilationH, ox*strideW + j*dilationW, c], low, high)
 * Layout: y, x NHWC as in conv2dForward; w [ceil(channels/4)][kh][kw][4]; bias [channels] or 0. scratch: scratchBytes, 64 or more; the more rows fit, the fewer are
 * copied twice where the pixels of an image crowd the cache. y may not alias x. Rows [begin, end) are written.
 * Fixed order: a sum starts with the bias and runs over i, j.
 * Source: definition with group = channels.
 */
export function depthwiseConv2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize, scratch: usize, scratchBytes: i32,
  outW: i32, channels: i32, kh: i32, kw: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32,
  low: f32, high: f32, begin: i32, end: i32
): void {
  const tapBytes = <usize>(dilationW * xPixel) << 2;
  const rowSkip = (<usize>(dilationH * xRow) << 2) - <usize>kw * tapBytes;
  const windowBytes = <usize>(kh * dilationH * xRow) << 2;
  const stepX = <usize>(strideW * xPixel) << 2, stepY = <usize>yPixel << 2;
  const leaps = !isSmall && kw <= 7 && strideW == dilationW << 1;
  const shares = outW >= 4 && (leaps || strideW == dilationW);
  const whole = channels & ~3;
  if (shares) {
    neighbours(y, yRow, yPixel, x, xRow, xPixel, w, bias, scratch, scratchBytes,
      outW, channels, whole, kh, kw, strideH, leaps, dilationH, dilationW, low, high, begin, end);
  }
  for (let oy = begin; oy < end; oy++) {
    let p = x + (<usize>(oy * strideH) * <usize>xRow << 2);
    let q = y + (<usize>oy * <usize>yRow << 2);
    const endX = p + stepX * <usize>(outW - 1), endY = q + stepY * <usize>(outW - 1);
    for (let ox = shares ? outW : 0; ox < outW; ox += 6, p += 6 * stepX, q += 6 * stepY) {
      // past the last pixel the pointers stay, and the same value is stored again
      tileSix(whole, kh, kw, tapBytes, rowSkip, windowBytes,
        p, min(p + stepX, endX), min(p + 2 * stepX, endX), min(p + 3 * stepX, endX), min(p + 4 * stepX, endX), min(p + 5 * stepX, endX),
        w, bias, low, high,
        q, min(q + stepY, endY), min(q + 2 * stepY, endY), min(q + 3 * stepY, endY), min(q + 4 * stepY, endY), min(q + 5 * stepY, endY));
    }
  }
  for (let c = whole; c < channels; c++) {
    const offset = <usize>c << 2;
    const start: f32 = bias ? f32.load(bias + offset) : 0;
    for (let oy = begin; oy < end; oy++) {
      let a = x + (<usize>(oy * strideH) * <usize>xRow << 2) + offset;
      let o = y + (<usize>oy * <usize>yRow << 2) + offset;
      for (let ox = 0; ox < outW; ox++, a += stepX, o += stepY) {
        single(o, kh, kw, tapBytes, rowSkip, a, w + (<usize>whole * <usize>(kh * kw) << 2) + (<usize>(c & 3) << 2), start, low, high);
      }
    }
  }
}
