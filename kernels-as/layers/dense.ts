import { modify, ones, plain, positive, signed, squared } from "./dense-modification";

// Dense layers. Weights are stored once, input-major: [in][outStride], outStride = out rounded up to 4. The forward pass then
// reads only the rows of non-zero inputs (after ReLU most are zero), the backward pass is one dot product per input.

/**
 * Lists the non-zero elements of a vector: indices[k] = i with x[i] != 0, ascending. Returns their number.
 * Layout: indices i32 [n], x f32 [n].
 * Source: x_i = 0 adds nothing to W x.
 */
export function nonZeroIndices(indices: usize, x: usize, n: i32): i32 {
  let count = 0;
  for (let i = 0; i < n; i++) {
    i32.store(indices + (<usize>count << 2), i);
    count += i32(f32.load(x + (<usize>i << 2)) != 0);
  }
  return count;
}

@inline
function accumulateRows(
  y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32,
  kind: i32, p: f32, n: f32, begin: i32, end: i32
): void {
  const vp = f32x4.splat(p);
  const vn = v128.xor(vp, f32x4.splat(n));
  const rowBytes = <usize>outStride << 2;
  const from = <usize>begin << 4;
  let k = 0;
  for (; k + 8 <= count; k += 8) {
    const list = indices + (<usize>k << 2);
    const i0 = <usize>i32.load(list), i1 = <usize>i32.load(list, 4), i2 = <usize>i32.load(list, 8), i3 = <usize>i32.load(list, 12);
    const i4 = <usize>i32.load(list, 16), i5 = <usize>i32.load(list, 20), i6 = <usize>i32.load(list, 24), i7 = <usize>i32.load(list, 28);
    const base = w + from;
    let w0 = base + i0 * rowBytes, w1 = base + i1 * rowBytes, w2 = base + i2 * rowBytes, w3 = base + i3 * rowBytes;
    let w4 = base + i4 * rowBytes, w5 = base + i5 * rowBytes, w6 = base + i6 * rowBytes, w7 = base + i7 * rowBytes;
    const x0 = v128.load_splat<f32>(x + (i0 << 2)), x1 = v128.load_splat<f32>(x + (i1 << 2));
    const x2 = v128.load_splat<f32>(x + (i2 << 2)), x3 = v128.load_splat<f32>(x + (i3 << 2));
    const x4 = v128.load_splat<f32>(x + (i4 << 2)), x5 = v128.load_splat<f32>(x + (i5 << 2));
    const x6 = v128.load_splat<f32>(x + (i6 << 2)), x7 = v128.load_splat<f32>(x + (i7 << 2));
    let out = y + from;
    const stop = y + (<usize>end << 4);
    while (out < stop) {
      // w_k at [i_k, o..o+3]; eight products join in a fixed tree, so that the running total rounds once for all of them
      const s0 = f32x4.add(f32x4.mul(x0, modify(v128.load(w0), kind, vp, vn)), f32x4.mul(x1, modify(v128.load(w1), kind, vp, vn)));
      const s1 = f32x4.add(f32x4.mul(x2, modify(v128.load(w2), kind, vp, vn)), f32x4.mul(x3, modify(v128.load(w3), kind, vp, vn)));
      const s2 = f32x4.add(f32x4.mul(x4, modify(v128.load(w4), kind, vp, vn)), f32x4.mul(x5, modify(v128.load(w5), kind, vp, vn)));
      const s3 = f32x4.add(f32x4.mul(x6, modify(v128.load(w6), kind, vp, vn)), f32x4.mul(x7, modify(v128.load(w7), kind, vp, vn)));
      v128.store(out, f32x4.add(v128.load(out), f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))));
      out += 16;
      w0 += 16;
      w1 += 16;
      w2 += 16;
      w3 += 16;
      w4 += 16;
      w5 += 16;
      w6 += 16;
      w7 += 16;
    }
  }
  for (; k < count; k++) {
    const i0 = <usize>i32.load(indices + (<usize>k << 2));
    const x0 = v128.load_splat<f32>(x + (i0 << 2));
    let w0 = w + i0 * rowBytes + from;
    for (let out = y + from; out < y + (<usize>end << 4); out += 16) {
      v128.store(out, f32x4.add(v128.load(out), f32x4.mul(x0, modify(v128.load(w0), kind, vp, vn))));
      w0 += 16;
    }
  }
}

// One function a modification: in the arms of one function Binaryen folds the loops into one that asks for the kind at every weight.

function accumulatePlain(y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  accumulateRows(y, indices, count, x, w, outStride, plain, p, n, begin, end);
}

function accumulateSigned(y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  accumulateRows(y, indices, count, x, w, outStride, signed, p, n, begin, end);
}

function accumulateSquared(y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  accumulateRows(y, indices, count, x, w, outStride, squared, p, n, begin, end);
}

function accumulateOnes(y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  accumulateRows(y, indices, count, x, w, outStride, ones, p, n, begin, end);
}

function accumulatePositive(y: usize, indices: usize, count: i32, x: usize, w: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  accumulateRows(y, indices, count, x, w, outStride, positive, p, n, begin, end);
}

/**
 * Dense layer with modified weights, bias and clamping; beside it, where `positive` is not 0, the sums over positive weights, in one
 * sweep over memory.
 *   y[o] = clamp(bias[o] + sum over i of x[i] * modified(w[o,i]), low, high), i over the listed non-zero inputs, eight at a time
 *   positive[o] = sum over i of x[i] * max(w[o,i], 0), in the same order; with kind 0 only
 * modified: kind 0 w; 1 p*max(w,0) + n*min(w,0); 2 w^2; 3 one.
 * Layout: y, positive [outStride], bias [outStride] or 0, w [in][outStride], indices as nonZeroIndices writes them. y and positive may
 * not alias x. Outputs 4*begin to 4*end are written (end at most outStride/4); lanes past the last output hold no meaning but are finite.
 * Source: definition.
 */
export function denseForward(
  y: usize, positive: usize, indices: usize, x: usize, w: usize, bias: usize, count: i32, outStride: i32,
  kind: i32, p: f32, n: f32, low: f32, high: f32, begin: i32, end: i32
): void {
  for (let o = <usize>begin << 4; o < <usize>end << 4; o += 16) v128.store(y + o, bias ? v128.load(bias + o) : f32x4.splat(0));
  if (positive) {
    for (let o = <usize>begin << 4; o < <usize>end << 4; o += 16) v128.store(positive + o, f32x4.splat(0));
    // Eight rows come from memory for the one and from the cache for the other.
    for (let k = 0; k < count; k += 8) {
      const rows = min(8, count - k);
      const list = indices + (<usize>k << 2);
      accumulatePlain(y, list, rows, x, w, outStride, 1, 1, begin, end);
      accumulatePositive(positive, list, rows, x, w, outStride, 1, 0, begin, end);
    }
  } else if (kind == plain) accumulatePlain(y, indices, count, x, w, outStride, p, n, begin, end);
  else if (kind == signed && p == 1 && n == 0) accumulatePositive(y, indices, count, x, w, outStride, p, n, begin, end);
  else if (kind == signed) accumulateSigned(y, indices, count, x, w, outStride, p, n, begin, end);
  else if (kind == squared) accumulateSquared(y, indices, count, x, w, outStride, p, n, begin, end);
  else accumulateOnes(y, indices, count, x, w, outStride, p, n, begin, end);
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  for (let o = <usize>begin << 4; o < <usize>end << 4; o += 16) {
    v128.store(y + o, f32x4.min(f32x4.max(v128.load(y + o), lo), hi));
  }
}
