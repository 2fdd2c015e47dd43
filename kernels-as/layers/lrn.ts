// Local response normalisation, Caffe semantics (alpha divided by the number of summed positions):
//   y = x * scale^-beta, scale = k + alpha / n * sum of x^2 over the window.

/** s^-beta of two numbers; the usual exponents by square roots, which are exact everywhere and quick. */
@inline
function negativePowers(s: v128, beta: f64): v128 {
  const one = f64x2.splat(1);
  if (beta == 0.75) {
    const root = f64x2.sqrt(s);
    return f64x2.div(one, f64x2.mul(root, f64x2.sqrt(root)));
  }
  if (beta == 0.5) return f64x2.div(one, f64x2.sqrt(s));
  if (beta == 1) return f64x2.div(one, s);
  const low = Math.pow(f64x2.extract_lane(s, 0), -beta);
  return f64x2.replace_lane(f64x2.splat(low), 1, Math.pow(f64x2.extract_lane(s, 1), -beta));
}

// Two channels are computed at a time where the windows of both lie inside, else one, in both lanes.

/** One float32 in both lanes, or two, in float64. */
@inline
function promoted(p: usize, isPair: bool): v128 {
  return isPair ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : f64x2.splat(<f64>f32.load(p));
}

/** Stores one number or two as float32. */
@inline
function storeDemoted(p: usize, v: v128, isPair: bool): void {
  const rounded = f32x4.demote_f64x2_zero(v);
  if (isPair) v128.store64_lane(p, rounded, 0);
  else v128.store32_lane(p, rounded, 0);
}

/** Sums of x^2 over the channels c - half to c + half and c + 1 - half to c + 1 + half; x at [iy, ix, c - half]. */
@inline
function windowSquaresPair(x: usize, half: i32): v128 {
  let sum = f64x2.splat(0);
  const stop = x + (<usize>half << 3) + 4;
  for (let p = x; p < stop; p += 4) {
    const v = promoted(p, true);
    sum = f64x2.add(sum, f64x2.mul(v, v));
  }
  return sum;
}

/** Sum of x^2 over the window of element (iy, ix, c); across: `size` channels, else size x size positions of channel c. */
@inline
function windowSquares(x: usize, xRow: i32, xPixel: i32, inH: i32, inW: i32, channels: i32, size: i32, across: i32, iy: i32, ix: i32, c: i32): f64 {
  const half = size >> 1;
  let sum: f64 = 0;
  if (across) {
    const row = x + (<usize>(iy * xRow + ix * xPixel) << 2);
    const last = min(c + half, channels - 1);
    for (let q = max(c - half, 0); q <= last; q++) {
      const v = <f64>f32.load(row + (<usize>q << 2));
      sum += v * v;
    }
  } else {
    for (let qy = max(iy - half, 0); qy <= min(iy + half, inH - 1); qy++) {
      for (let qx = max(ix - half, 0); qx <= min(ix + half, inW - 1); qx++) {
        const v = <f64>f32.load(x + (<usize>(qy * xRow + qx * xPixel + c) << 2));
        sum += v * v;
      }
    }
  }
  return sum;
}

/**
 * Local response normalisation.
 *   y[p] = x[p] * (k + alphaOverN * sum over q in window(p) of x[q]^2)^-beta
 * The window holds `size` channels around p (across = 1) or size x size positions of the same channel (across = 0).
 * Layout: y, x NHWC, strides in elements. y may not alias x. Rows [begin, end) are written.
 * Source: Krizhevsky et al. 2012, section 3.3, with Caffe's alpha / n; double inside, rounded once.
 */
export function lrnForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, inH: i32, inW: i32, channels: i32,
  size: i32, across: i32, alphaOverN: f64, beta: f64, k: f64, begin: i32, end: i32
): void {
  const half = size >> 1;
  const pairsEnd = across ? channels - half - 1 : 0;
  const alphas = f64x2.splat(alphaOverN);
  const ks = f64x2.splat(k);
  for (let iy = begin; iy < end; iy++) {
    for (let ix = 0; ix < inW; ix++) {
      const row = x + (<usize>(iy * xRow + ix * xPixel) << 2);
      const to = y + (<usize>(iy * yRow + ix * yPixel) << 2);
      for (let c = 0; c < channels; ) {
        const isPair = c >= half && c < pairsEnd;
        const at = row + (<usize>c << 2);
        const squares = isPair
          ? windowSquaresPair(at - (<usize>half << 2), half)
          : f64x2.splat(windowSquares(x, xRow, xPixel, inH, inW, channels, size, across, iy, ix, c));
        const scale = f64x2.add(ks, f64x2.mul(alphas, squares));
        storeDemoted(to + (<usize>c << 2), f64x2.mul(promoted(at, isPair), negativePowers(scale, beta)), isPair);
        c += isPair ? 2 : 1;
      }
    }
  }
}

/**
 * First half of LRN relevance: per output p the share of its own input and the factor of its neighbours' squares.
 * Messages from output p to inputs q: m[p,p] = own, m[q,p] = off * x[q]^2 with off = -2 * beta * alphaOverN * x[p] * scale^(-beta-1) and
 *   kind 0 (Taylor at (0,..,x[p],..,0)): own = x[p] * (k + alphaOverN * x[p]^2)^-beta
 *   kind 1 (local linear map, x dy/dx):  own = x[p] * scale^-beta + off * x[p]^2
 *   kind 2 (gradient, dy/dx):            own = scale^-beta + off * x[p], neighbours off * x[q]
 * normalize 0: t = R[p]. 1: t = R[p] / s(D), D the messages' sum. 2: t = R[p] / s(y[p]); s(D) = D + stabilizer * sign(D), 0 for 0.
 *   ownShare[p] = t * own, neighbourShare[p] = t * off
 * Layout: shares and R [H][W][C] without gaps, float32; x NHWC, strides in elements. Rows [begin, end) are written.
 * Source: Binder et al. 2016 (arXiv 1604.00825), equation for local renormalisation layers.
 */
export function lrnRelevanceShares(
  ownShare: usize, neighbourShare: usize, r: usize, x: usize, xRow: i32, xPixel: i32, inH: i32, inW: i32, channels: i32,
  size: i32, across: i32, alphaOverN: f64, beta: f64, k: f64, kind: i32, normalize: i32, stabilizer: f64, begin: i32, end: i32
): void {
  const half = size >> 1;
  const pairsEnd = across ? channels - half - 1 : 0;
  const alphas = f64x2.splat(alphaOverN);
  const ks = f64x2.splat(k);
  const slopes = f64x2.splat(-2 * beta * alphaOverN);
  const stabilizers = f64x2.splat(stabilizer);
  const zero = f64x2.splat(0);
  for (let iy = begin; iy < end; iy++) {
    for (let ix = 0; ix < inW; ix++) {
      for (let c = 0; c < channels; ) {
        const isPair = c >= half && c < pairsEnd;
        const at = <usize>((iy * inW + ix) * channels + c) << 2;
        const source = x + (<usize>(iy * xRow + ix * xPixel + c) << 2);
        const v = promoted(source, isPair);
        const squares = isPair
          ? windowSquaresPair(source - (<usize>half << 2), half)
          : f64x2.splat(windowSquares(x, xRow, xPixel, inH, inW, channels, size, across, iy, ix, c));
        const scale = f64x2.add(ks, f64x2.mul(alphas, squares));
        const power = negativePowers(scale, beta);
        const off = f64x2.div(f64x2.mul(f64x2.mul(slopes, v), power), scale);
        let own: v128;
        if (kind == 0) {
          own = f64x2.mul(v, negativePowers(f64x2.add(ks, f64x2.mul(f64x2.mul(alphas, v), v)), beta));
        } else if (kind == 1) {
          own = f64x2.add(f64x2.mul(v, power), f64x2.mul(f64x2.mul(off, v), v));
        } else {
          own = f64x2.add(power, f64x2.mul(off, v));
        }
        let t = promoted(r + at, isPair);
        if (normalize) {
          const sum =
            normalize == 2 ? f64x2.mul(v, power) : f64x2.add(own, f64x2.mul(off, f64x2.sub(squares, f64x2.mul(v, v))));
          const signed = v128.bitselect(f64x2.neg(stabilizers), stabilizers, f64x2.lt(sum, zero));
          const divisor = f64x2.add(sum, signed);
          t = v128.and(f64x2.div(t, divisor), f64x2.ne(divisor, zero));
        }
        storeDemoted(ownShare + at, f64x2.mul(t, own), isPair);
        storeDemoted(neighbourShare + at, f64x2.mul(t, off), isPair);
        c += isPair ? 2 : 1;
      }
    }
  }
}

/**
 * Second half of LRN relevance.
 *   dx[q] = ownShare[q] + f * sum over p != q whose window holds q of neighbourShare[p], f = x[q]^2 (kind 0, 1) or x[q] (kind 2)
 * Layout as lrnRelevanceShares; dx without gaps, may not alias the shares. Rows [begin, end) are written.
 * Source: as lrnRelevanceShares; windows are symmetric, so q is in window(p) exactly when p is in window(q).
 */
export function lrnRelevanceGather(
  dx: usize, ownShare: usize, neighbourShare: usize, x: usize, xRow: i32, xPixel: i32, inH: i32, inW: i32, channels: i32,
  size: i32, across: i32, kind: i32, begin: i32, end: i32
): void {
  const half = size >> 1;
  for (let iy = begin; iy < end; iy++) {
    for (let ix = 0; ix < inW; ix++) {
      for (let c = 0; c < channels; c++) {
        const at = <usize>((iy * inW + ix) * channels + c) << 2;
        const v = <f64>f32.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2));
        let sum: f64 = 0;
        if (across) {
          const pixel = neighbourShare + (<usize>((iy * inW + ix) * channels) << 2);
          for (let q = max(c - half, 0); q <= min(c + half, channels - 1); q++) {
            if (q != c) sum += <f64>f32.load(pixel + (<usize>q << 2));
          }
        } else {
          for (let qy = max(iy - half, 0); qy <= min(iy + half, inH - 1); qy++) {
            for (let qx = max(ix - half, 0); qx <= min(ix + half, inW - 1); qx++) {
              if (qy != iy || qx != ix) sum += <f64>f32.load(neighbourShare + (<usize>((qy * inW + qx) * channels + c) << 2));
            }
          }
        }
        f32.store(dx + at, <f32>(<f64>f32.load(ownShare + at) + (kind == 2 ? v : v * v) * sum));
      }
    }
  }
}
