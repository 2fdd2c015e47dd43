// Depthwise convolution on NHWC images, four channels in the lanes. Where neighbouring pixels share inputs, four of them and three taps at a time: four
// sums, three weights and six inputs are the 13 registers that V8 fills without the stack. Elsewhere, with strides, six pixels and one tap. Clamped by
// pmax and pmin, which keep NaN too: min and max are nine instructions each, as much as all of a 3x3 filter's products.

/**
 * 6 pixels x `lanes` channels, a multiple of 4. Each pixel's first tap is at a_p; the pointers move on by tapBytes from tap to tap and by rowSkip more
 * after a row of them, the weights by channelBytes.
 */
function tile6(
  lanes: i32, kh: i32, kw: i32, tapBytes: usize, rowSkip: usize, windowBytes: usize,
  a0: usize, a1: usize, a2: usize, a3: usize, a4: usize, a5: usize, w: usize, channelBytes: usize, bias: usize, low: f32, high: f32,
  y0: usize, y1: usize, y2: usize, y3: usize, y4: usize, y5: usize
): void {
  const nextWeights: usize = <usize>16 - <usize>(kh * kw) * channelBytes;
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
        c0 = f32x4.add(c0, f32x4.mul(v128.load(a0), f));
        c1 = f32x4.add(c1, f32x4.mul(v128.load(a1), f));
        c2 = f32x4.add(c2, f32x4.mul(v128.load(a2), f));
        c3 = f32x4.add(c3, f32x4.mul(v128.load(a3), f));
        c4 = f32x4.add(c4, f32x4.mul(v128.load(a4), f));
        c5 = f32x4.add(c5, f32x4.mul(v128.load(a5), f));
        a0 += tapBytes;
        a1 += tapBytes;
        a2 += tapBytes;
        a3 += tapBytes;
        a4 += tapBytes;
        a5 += tapBytes;
        w += channelBytes;
      } while (--taps);
      a0 += rowSkip;
      a1 += rowSkip;
      a2 += rowSkip;
      a3 += rowSkip;
      a4 += rowSkip;
      a5 += rowSkip;
    } while (--rows);
    const lo = f32x4.splat(low), hi = f32x4.splat(high);
    v128.store(y0 + at, f32x4.pmin(f32x4.pmax(c0, lo), hi));
    v128.store(y1 + at, f32x4.pmin(f32x4.pmax(c1, lo), hi));
    v128.store(y2 + at, f32x4.pmin(f32x4.pmax(c2, lo), hi));
    v128.store(y3 + at, f32x4.pmin(f32x4.pmax(c3, lo), hi));
    v128.store(y4 + at, f32x4.pmin(f32x4.pmax(c4, lo), hi));
    v128.store(y5 + at, f32x4.pmin(f32x4.pmax(c5, lo), hi));
    a0 += nextPixels;
    a1 += nextPixels;
    a2 += nextPixels;
    a3 += nextPixels;
    a4 += nextPixels;
    a5 += nextPixels;
    w += nextWeights;
  }
}

/**
 * 4 neighbouring pixels x `lanes` channels, a multiple of 4, where the next pixel's first tap is a pixel's second (stride and dilation alike): six inputs
 * are read for the twelve products of three taps. A row is `triples` times three taps and `rest` more; stepX bytes from input to input, stepY from output to
 * output.
 */
function slide4(
  lanes: i32, kh: i32, triples: i32, rest: i32, a: usize, stepX: usize, rowBytes: usize, w: usize, channelBytes: usize, bias: usize,
  low: f32, high: f32, y: usize, stepY: usize
): void {
  const tripleBytes: usize = <usize>3 * stepX;
  const rowSkip = rowBytes - <usize>triples * tripleBytes;
  const lastStep = rest ? tripleBytes : rowSkip + tripleBytes;
  for (let at: usize = 0; at < <usize>lanes << 2; at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let c1 = c0, c2 = c0, c3 = c0;
    let f = w + at;
    let p0 = a + at, p1 = p0 + stepX, p2 = p1 + stepX, p3 = p2 + stepX, p4 = p3 + stepX, p5 = p4 + stepX;
    let rows = kh;
    do {
      let t = triples;
      do {
        // f at [i, j, c..c+3]; p_k at [pixel k, i, j, c..c+3]
        const w0 = v128.load(f);
        f += channelBytes;
        const w1 = v128.load(f);
        f += channelBytes;
        const w2 = v128.load(f);
        f += channelBytes;
        const x0 = v128.load(p0), x1 = v128.load(p1), x2 = v128.load(p2), x3 = v128.load(p3), x4 = v128.load(p4), x5 = v128.load(p5);
        c0 = f32x4.add(f32x4.add(f32x4.add(c0, f32x4.mul(x0, w0)), f32x4.mul(x1, w1)), f32x4.mul(x2, w2));
        c1 = f32x4.add(f32x4.add(f32x4.add(c1, f32x4.mul(x1, w0)), f32x4.mul(x2, w1)), f32x4.mul(x3, w2));
        c2 = f32x4.add(f32x4.add(f32x4.add(c2, f32x4.mul(x2, w0)), f32x4.mul(x3, w1)), f32x4.mul(x4, w2));
        c3 = f32x4.add(f32x4.add(f32x4.add(c3, f32x4.mul(x3, w0)), f32x4.mul(x4, w1)), f32x4.mul(x5, w2));
        t--;
        const step = t ? tripleBytes : lastStep;
        p0 += step;
        p1 += step;
        p2 += step;
        p3 += step;
        p4 += step;
        p5 += step;
      } while (t);
      if (rest) {
        const w0 = v128.load(f);
        f += channelBytes;
        const x0 = v128.load(p0), x1 = v128.load(p1), x2 = v128.load(p2), x3 = v128.load(p3);
        c0 = f32x4.add(c0, f32x4.mul(x0, w0));
        c1 = f32x4.add(c1, f32x4.mul(x1, w0));
        c2 = f32x4.add(c2, f32x4.mul(x2, w0));
        c3 = f32x4.add(c3, f32x4.mul(x3, w0));
        if (rest > 1) {
          const w1 = v128.load(f);
          f += channelBytes;
          c0 = f32x4.add(c0, f32x4.mul(x1, w1));
          c1 = f32x4.add(c1, f32x4.mul(x2, w1));
          c2 = f32x4.add(c2, f32x4.mul(x3, w1));
          c3 = f32x4.add(c3, f32x4.mul(v128.load(p4), w1));
        }
        p0 += rowSkip;
        p1 += rowSkip;
        p2 += rowSkip;
        p3 += rowSkip;
        p4 += rowSkip;
        p5 += rowSkip;
      }
    } while (--rows);
    const lo = f32x4.splat(low), hi = f32x4.splat(high);
    let o = y + at;
    v128.store(o, f32x4.pmin(f32x4.pmax(c0, lo), hi));
    o += stepY;
    v128.store(o, f32x4.pmin(f32x4.pmax(c1, lo), hi));
    o += stepY;
    v128.store(o, f32x4.pmin(f32x4.pmax(c2, lo), hi));
    o += stepY;
    v128.store(o, f32x4.pmin(f32x4.pmax(c3, lo), hi));
  }
}

/** One channel of one pixel, as in tile6: what is left of the channels. */
function single(
  y: usize, kh: i32, kw: i32, tapBytes: usize, rowSkip: usize, a: usize, w: usize, channelBytes: usize, start: f32, low: f32, high: f32
): void {
  let sum = start;
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      sum += f32.load(a) * f32.load(w);
      a += tapBytes;
      w += channelBytes;
    }
    a += rowSkip;
  }
  sum = sum < low ? low : sum;
  f32.store(y, high < sum ? high : sum);
}

/**
 * Depthwise convolution: every channel has its own filter.
 *   y[oy,ox,c] = clamp(bias[c] + sum over i,j of w[i,j,c] * x[oy*strideH + i*dilationH, ox*strideW + j*dilationW, c], low, high)
 * Layout: y, x NHWC as in conv2dForward; w [kh][kw][channels]; bias [channels] or 0. y may not alias x.
 * Rows [begin, end) are written.
 * Fixed order: a sum starts with the bias and runs over i, j.
 * Source: definition with group = channels.
 */
export function depthwiseConv2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize,
  outW: i32, channels: i32, kh: i32, kw: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32,
  low: f32, high: f32, begin: i32, end: i32
): void {
  const tapBytes = <usize>(dilationW * xPixel) << 2;
  const rowSkip = (<usize>(dilationH * xRow) << 2) - <usize>kw * tapBytes;
  const windowBytes = <usize>(kh * dilationH * xRow) << 2;
  const stepX = <usize>(strideW * xPixel) << 2;
  const stepY = <usize>yPixel << 2;
  const channelBytes = <usize>channels << 2;
  const whole = channels & ~3;
  const lastX = stepX * <usize>(outW - 1), lastY = stepY * <usize>(outW - 1);
  const triples = kw / 3, rest = kw % 3;
  const slides = tapBytes == stepX && outW >= 4 && triples > 0;
  for (let oy = begin; oy < end; oy++) {
    let p = x + (<usize>(oy * strideH) * <usize>xRow << 2);
    let q = y + (<usize>oy * <usize>yRow << 2);
    if (slides) {
      const rowBytes = <usize>(dilationH * xRow) << 2;
      for (let ox = 0; ox < outW; ox += 4) {
        // the last four begin earlier, and some values are stored again
        const first = <usize>min(ox, outW - 4);
        slide4(whole, kh, triples, rest, p + first * stepX, stepX, rowBytes, w, channelBytes, bias, low, high, q + first * stepY, stepY);
      }
      continue;
    }
    const endX = p + lastX, endY = q + lastY;
    for (let ox = 0; ox < outW; ox += 6, p += 6 * stepX, q += 6 * stepY) {
      // past the last pixel the pointers stay, and the same value is stored again
      tile6(whole, kh, kw, tapBytes, rowSkip, windowBytes,
        p, min(p + stepX, endX), min(p + 2 * stepX, endX), min(p + 3 * stepX, endX), min(p + 4 * stepX, endX), min(p + 5 * stepX, endX),
        w, channelBytes, bias, low, high,
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
        single(o, kh, kw, tapBytes, rowSkip, a, w + offset, channelBytes, start, low, high);
      }
    }
  }
}
