// Products and extremes of feature maps. A stride of 0 repeats an operand along that axis.
import { highOf, lowOf, rounded } from "../common/pairs";

/**
 * y[h, w, c] = a[h, w, c] * b[h, w, c].
 * Layout: row, pixel and channel strides of a and b in elements, 0 where they are one wide and y is not. y may not alias a or b. Rows
 * [begin, end) are written.
 * Source: definition.
 */
export function productForward(
  y: usize, yRow: i32, yPixel: i32, a: usize, aRow: i32, aPixel: i32, aChannel: i32, b: usize, bRow: i32, bPixel: i32, bChannel: i32,
  width: i32, channels: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    for (let i = 0; i < width; i++) {
      const o = y + (<usize>r * <usize>yRow + <usize>(i * yPixel) << 2);
      const p = a + (<usize>r * <usize>aRow + <usize>(i * aPixel) << 2);
      const q = b + (<usize>r * <usize>bRow + <usize>(i * bPixel) << 2);
      let c = 0;
      if (aChannel & bChannel) {
        for (; c + 4 <= channels; c += 4) {
          const at = <usize>c << 2;
          v128.store(o + at, f32x4.mul(v128.load(p + at), v128.load(q + at)));
        }
      }
      for (; c < channels; c++) {
        f32.store(o + (<usize>c << 2), f32.load(p + (<usize>(c * aChannel) << 2)) * f32.load(q + (<usize>(c * bChannel) << 2)));
      }
    }
  }
}

/** Where dx repeats nothing: dx = factor * r or, where other is not 0, r * other. Returns the channel after the last one done. */
function scaleFours(
  dx: usize, dxRow: i32, dxPixel: i32, r: usize, rRow: i32, rPixel: i32, other: usize, otherRow: i32, otherPixel: i32, factor: f32,
  height: i32, width: i32, begin: i32, end: i32
): i32 {
  const last = begin + ((end - begin) & ~3);
  const f = f32x4.splat(factor);
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const o = dx + (<usize>j * <usize>dxRow + <usize>(i * dxPixel) << 2);
      const p = r + (<usize>j * <usize>rRow + <usize>(i * rPixel) << 2);
      const q = other + (<usize>j * <usize>otherRow + <usize>(i * otherPixel) << 2);
      for (let at = <usize>begin << 2; at < <usize>last << 2; at += 16) {
        v128.store(o + at, f32x4.mul(v128.load(p + at), other ? v128.load(q + at) : f));
      }
    }
  }
  return last;
}

/** Where dx has channels alone: the sums of eight of them at once. Returns the channel after the last one done. */
function sumEights(
  dx: usize, r: usize, rRow: i32, rPixel: i32, other: usize, otherRow: i32, otherPixel: i32, factor: f32,
  height: i32, width: i32, begin: i32, end: i32
): i32 {
  const last = begin + ((end - begin) & ~7);
  const f = f64x2.splat(<f64>factor);
  const one = f32x4.splat(1);
  for (let at = <usize>begin << 2; at < <usize>last << 2; at += 32) {
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let j = 0; j < height; j++) {
      let p = r + (<usize>j * <usize>rRow << 2) + at;
      let q = other + (<usize>j * <usize>otherRow << 2) + at;
      for (let i = 0; i < width; i++) {
        // p at [j, i, c..c+7]
        const v = v128.load(p), w = v128.load(p, 16);
        const a = other ? v128.load(q) : one, b = other ? v128.load(q, 16) : one;
        s0 = f64x2.add(s0, f64x2.mul(lowOf(v), lowOf(a)));
        s1 = f64x2.add(s1, f64x2.mul(highOf(v), highOf(a)));
        s2 = f64x2.add(s2, f64x2.mul(lowOf(w), lowOf(b)));
        s3 = f64x2.add(s3, f64x2.mul(highOf(w), highOf(b)));
        p += <usize>rPixel << 2;
        q += <usize>otherPixel << 2;
      }
    }
    v128.store(dx + at, rounded(f64x2.mul(f, s0), f64x2.mul(f, s1)));
    v128.store(dx + at, rounded(f64x2.mul(f, s2), f64x2.mul(f, s3)), 16);
  }
  return last;
}

/**
 * dx = sum over what repeats x of factor * r[h, w, c] * (other[h, w, c] or, where other is 0, 1): what a factor of a product gets.
 * Layout: as productForward, for r and other; dx has row, pixel and channel strides of which those along which x is repeated are 0. dx may
 * not alias r or other. Channels [begin, end) are done; where dx has no channels of its own (stride 0), all at once.
 * Source: adjoint of productForward in one factor; sums in float64, row by row. What gates of squeeze and excitation need goes four or eight
 * channels at a time, with the same sums.
 */
export function productBackward(
  dx: usize, dxRow: i32, dxPixel: i32, dxChannel: i32, r: usize, rRow: i32, rPixel: i32, other: usize, otherRow: i32, otherPixel: i32, otherChannel: i32,
  factor: f32, height: i32, width: i32, begin: i32, end: i32
): void {
  const heights = dxRow == 0 ? 1 : height;
  const widths = dxPixel == 0 ? 1 : width;
  const depths = dxChannel == 0 ? begin + 1 : end;
  let first = begin;
  if (dxChannel & (other ? otherChannel : 1)) {
    // The product of two floats is exact in float64, and so is rounded once either way.
    if (dxRow != 0 && dxPixel != 0 && (!other || factor == 1)) {
      first = scaleFours(dx, dxRow, dxPixel, r, rRow, rPixel, other, otherRow, otherPixel, factor, height, width, begin, end);
    } else if (!(dxRow | dxPixel)) {
      first = sumEights(dx, r, rRow, rPixel, other, otherRow, otherPixel, factor, height, width, begin, end);
    }
  }
  for (let c = first; c < depths; c++) {
    const lastChannel = dxChannel == 0 ? end : c + 1;
    for (let h = 0; h < heights; h++) {
      const lastRow = dxRow == 0 ? height : h + 1;
      for (let w = 0; w < widths; w++) {
        const lastPixel = dxPixel == 0 ? width : w + 1;
        let sum: f64 = 0;
        for (let k = c; k < lastChannel; k++) {
          for (let j = h; j < lastRow; j++) {
            for (let i = w; i < lastPixel; i++) {
              const v = <f64>f32.load(r + (<usize>j * <usize>rRow + <usize>(i * rPixel) + <usize>k << 2));
              sum += other ? v * <f64>f32.load(other + (<usize>j * <usize>otherRow + <usize>(i * otherPixel) + <usize>(k * otherChannel) << 2)) : v;
            }
          }
        }
        f32.store(dx + (<usize>h * <usize>dxRow + <usize>(w * dxPixel) + <usize>(c * dxChannel) << 2), <f32>(<f64>factor * sum));
      }
    }
  }
}

/**
 * y[r, i] = the larger (sign 1) or smaller (sign -1) of a[r, i] and b[r, i]; rows [begin, end) are written.
 * Layout: rows of `length` floats with strides in elements; y may alias a.
 * Source: definition.
 */
export function extremum(
  y: usize, yRow: i32, a: usize, aRow: i32, b: usize, bRow: i32, length: i32, sign: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = a + (<usize>r * <usize>aRow << 2);
    let q = b + (<usize>r * <usize>bRow << 2);
    let o = y + (<usize>r * <usize>yRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, p += 4, q += 4) {
      const v = f32.load(p);
      const w = f32.load(q);
      f32.store(o, sign > 0 ? max<f32>(v, w) : min<f32>(v, w));
    }
  }
}

/**
 * dx[r, i] = rest[r, i] where x[r, i] = y[r, i], else 0; what was taken leaves `rest`. Rows [begin, end) are done.
 * Layout: rows of `length` floats with strides in elements; nothing may alias.
 * Source: the winner takes all; called for each input in turn, the first of equals wins.
 */
export function takeEqual(
  dx: usize, dxRow: i32, rest: usize, restRow: i32, x: usize, xRow: i32, y: usize, yRow: i32, length: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = y + (<usize>r * <usize>yRow << 2);
    let s = rest + (<usize>r * <usize>restRow << 2);
    let o = dx + (<usize>r * <usize>dxRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, p += 4, q += 4, s += 4) {
      const wins = f32.load(p) == f32.load(q);
      f32.store(o, wins ? f32.load(s) : 0);
      if (wins) f32.store(s, 0);
    }
  }
}
