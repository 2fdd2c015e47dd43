// Elementwise passes over rows of floats. Every operand has its own row stride (elements), so bordered and unbordered images
// meet; a vector is one row. Rows [begin, end) are written. `out` may alias an operand with the same stride.

/**
 * out[i] = value for i in [begin, end), elements.
 * Source: definition.
 */
export function fill(out: usize, value: f32, begin: i32, end: i32): void {
  const v = f32x4.splat(value);
  let p = out + (<usize>begin << 2);
  const stop = out + (<usize>end << 2);
  for (; p + 16 <= stop; p += 16) v128.store(p, v);
  for (; p < stop; p += 4) f32.store(p, value);
}

/**
 * out[r, i] = min(max(x[r, i], low), high): ReLU, clip, and the positive or negative part of a signed input.
 * Source: definition.
 */
export function clamp(out: usize, outRow: i32, x: usize, xRow: i32, length: i32, low: f32, high: f32, begin: i32, end: i32): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  // pmax and pmin are an instruction each, max and min nine; what they differ in, max(-0, 0) = 0, is mended by adding 0. Adding -0 changes nothing.
  const zero = f32x4.splat(low == 0 ? 0 : -0.0);
  for (let r = begin; r < end; r++) {
    let a = x + (<usize>r * <usize>xRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    const stop = o + (<usize>length << 2);
    for (; o + 16 <= stop; o += 16, a += 16) v128.store(o, f32x4.add(f32x4.pmin(f32x4.pmax(v128.load(a), lo), hi), zero));
    for (; o < stop; o += 4, a += 4) f32.store(o, min<f32>(max<f32>(f32.load(a), low), high));
  }
}

/**
 * out[r, i] = x < 0 ? slope * x : x.
 * Source: definition.
 */
export function leakyRelu(out: usize, outRow: i32, x: usize, xRow: i32, length: i32, slope: f32, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  const s = f32x4.splat(slope);
  for (let r = begin; r < end; r++) {
    let a = x + (<usize>r * <usize>xRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    const stop = o + (<usize>length << 2);
    for (; o + 16 <= stop; o += 16, a += 16) {
      const v = v128.load(a);
      v128.store(o, v128.bitselect(f32x4.mul(v, s), v, f32x4.lt(v, zero)));
    }
    for (; o < stop; o += 4, a += 4) {
      const v = f32.load(a);
      f32.store(o, v < 0 ? v * slope : v);
    }
  }
}

/**
 * out[r, i] = a[r, i] + b[r, i].
 * Source: definition.
 */
export function add(out: usize, outRow: i32, a: usize, aRow: i32, b: usize, bRow: i32, length: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    let p = a + (<usize>r * <usize>aRow << 2);
    let q = b + (<usize>r * <usize>bRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    const stop = o + (<usize>length << 2);
    for (; o + 16 <= stop; o += 16, p += 16, q += 16) v128.store(o, f32x4.add(v128.load(p), v128.load(q)));
    for (; o < stop; o += 4, p += 4, q += 4) f32.store(o, f32.load(p) + f32.load(q));
  }
}

/**
 * out[r, i] = (accumulate ? out[r, i] : 0) + factor * (x[r, i] * c[r, i]): a rule's product with the input; and, where sums is not 0,
 * sums[r] = the sum of out[r, :] as sumRows adds it.
 * Layout: sums f64 [rows] or 0.
 * Source: docs/rules.md, R_in = x * gradient.
 */
export function multiply(
  out: usize, outRow: i32, x: usize, xRow: i32, c: usize, cRow: i32, sums: usize, length: i32, factor: f32, accumulate: i32,
  begin: i32, end: i32
): void {
  const f = f32x4.splat(factor);
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = c + (<usize>r * <usize>cRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    const stop = o + (<usize>length << 2);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (; o + 16 <= stop; o += 16, p += 16, q += 16) {
      let v = f32x4.mul(f, f32x4.mul(v128.load(p), v128.load(q)));
      if (accumulate) v = f32x4.add(v128.load(o), v);
      v128.store(o, v);
      low = f64x2.add(low, f64x2.promote_low_f32x4(v));
      high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0)));
    }
    let tail: f64 = 0;
    for (; o < stop; o += 4, p += 4, q += 4) {
      let v: f32 = factor * (f32.load(p) * f32.load(q));
      if (accumulate) v = f32.load(o) + v;
      f32.store(o, v);
      tail += <f64>v;
    }
    const both = f64x2.add(low, high);
    if (sums) f64.store(sums + (<usize>r << 3), f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1) + tail);
  }
}

/**
 * out[r, i] = x[r, i] where (gate is 0 or low < gate[r, i] < high) and (positiveOnly is 0 or x[r, i] > 0), else 0.
 * Source: backward passes of clamped activations: the gradient (gate), deconvnet (positiveOnly), guided backprop (both).
 */
export function rectify(
  out: usize, outRow: i32, x: usize, xRow: i32, gate: usize, gateRow: i32, length: i32, low: f32, high: f32, positiveOnly: i32, begin: i32, end: i32
): void {
  const zero = f32x4.splat(0);
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  for (let r = begin; r < end; r++) {
    let a = x + (<usize>r * <usize>xRow << 2);
    let g = gate + (<usize>r * <usize>gateRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    const stop = o + (<usize>length << 2);
    for (; o + 16 <= stop; o += 16, a += 16, g += 16) {
      const v = v128.load(a);
      let mask = i32x4.splat(-1);
      if (gate) {
        const y = v128.load(g);
        mask = v128.and(f32x4.gt(y, lo), f32x4.lt(y, hi));
      }
      if (positiveOnly) mask = v128.and(mask, f32x4.gt(v, zero));
      v128.store(o, v128.and(v, mask));
    }
    for (; o < stop; o += 4, a += 4, g += 4) {
      const v = f32.load(a);
      const open = (!gate || (f32.load(g) > low && f32.load(g) < high)) && (!positiveOnly || v > 0);
      f32.store(o, open ? v : 0);
    }
  }
}

/**
 * out[r, i] = gate[r, i] < 0 ? slope * x[r, i] : x[r, i], 0 where positiveOnly and x[r, i] <= 0.
 * Source: backward passes of leaky ReLU.
 */
export function leakyReluGrad(
  out: usize, outRow: i32, x: usize, xRow: i32, gate: usize, gateRow: i32, length: i32, slope: f32, positiveOnly: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let a = x + (<usize>r * <usize>xRow << 2);
    let g = gate + (<usize>r * <usize>gateRow << 2);
    let o = out + (<usize>r * <usize>outRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, a += 4, g += 4) {
      const v = f32.load(a);
      f32.store(o, positiveOnly && v <= 0 ? 0 : f32.load(g) < 0 ? slope * v : v);
    }
  }
}

/**
 * out[i] += factor * x[i] for i in [begin, end), elements.
 * Source: definition.
 */
export function scaleAdd(out: usize, x: usize, factor: f32, begin: i32, end: i32): void {
  const f = f32x4.splat(factor);
  let i = <usize>begin << 2;
  const stop = <usize>end << 2;
  for (; i + 16 <= stop; i += 16) v128.store(out + i, f32x4.add(v128.load(out + i), f32x4.mul(f, v128.load(x + i))));
  for (; i < stop; i += 4) f32.store(out + i, f32.load(out + i) + factor * f32.load(x + i));
}

/**
 * Per row, out[r] = sum over i of x[r, i], added up in float64 in a fixed order.
 * Layout: out f64 [rows].
 * Source: definition.
 */
export function sumRows(out: usize, x: usize, xRow: i32, length: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    let a = x + (<usize>r * <usize>xRow << 2);
    const stop = a + (<usize>length << 2);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (; a + 16 <= stop; a += 16) {
      const v = v128.load(a);
      low = f64x2.add(low, f64x2.promote_low_f32x4(v));
      high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0)));
    }
    let tail: f64 = 0;
    for (; a < stop; a += 4) tail += <f64>f32.load(a);
    const both = f64x2.add(low, high);
    f64.store(out + (<usize>r << 3), f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1) + tail);
  }
}

/**
 * out[i] = p * max(x[i], 0) + n * min(x[i], 0) for i in [begin, end), elements: a rule's modification of the weights.
 * Source: docs/rules.md; p = n = 1 is x, (1, 0) the positive part, (1 + gamma, 1) the gamma rule.
 */
export function scaleSigned(out: usize, x: usize, p: f32, n: f32, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  const vp = f32x4.splat(p);
  const vn = f32x4.splat(n);
  let i = <usize>begin << 2;
  const stop = <usize>end << 2;
  for (; i + 16 <= stop; i += 16) {
    const v = v128.load(x + i);
    v128.store(out + i, f32x4.add(f32x4.mul(vp, f32x4.max(v, zero)), f32x4.mul(vn, f32x4.min(v, zero))));
  }
  for (; i < stop; i += 4) {
    const v = f32.load(x + i);
    f32.store(out + i, p * max<f32>(v, 0) + n * min<f32>(v, 0));
  }
}

/**
 * out[i] = x[i]^2 for i in [begin, end), elements.
 * Source: definition.
 */
export function square(out: usize, x: usize, begin: i32, end: i32): void {
  for (let i = <usize>begin << 2; i < <usize>end << 2; i += 4) {
    const v = f32.load(x + i);
    f32.store(out + i, v * v);
  }
}
