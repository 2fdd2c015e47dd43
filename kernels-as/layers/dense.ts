import { storeTransposed } from "../common/transpose";

// Dense layers. Weights are stored once, input-major: [in][outStride], outStride = out rounded up to 4. The forward pass then
// reads only the rows of non-zero inputs (after ReLU most are zero), the backward pass is one dot product per input.

// How a rule modifies a weight on its way through the kernel.
const plain = 0; // w
const signed = 1; // p * max(w, 0) + n * min(w, 0)
const squared = 2; // w^2
const ones = 3; // 1
const positive = 4; // max(w, 0): signed with p = 1, n = 0, chosen inside the kernels

/** pn holds the bits of p xor n. pmax is one instruction, max with its rules for NaN and -0 is nine (measured: 5x slower here). */
@inline
function modify(w: v128, kind: i32, p: v128, pn: v128): v128 {
  if (kind == plain) return w;
  if (kind == squared) return f32x4.mul(w, w);
  if (kind == ones) return f32x4.splat(1);
  if (kind == positive) return f32x4.pmax(w, f32x4.splat(0));
  // p where the sign bit is clear, n where it is set
  return f32x4.mul(w, v128.xor(p, v128.and(i32x4.shr_s(w, 31), pn)));
}

/** Row r of w times its factor, from input i on. */
@inline
function scaledRow(a: usize, scale: usize, r: i32): v128 {
  const w = v128.load(a);
  return scale ? f32x4.mul(w, v128.load32_splat(scale + (<usize>r << 2))) : w;
}

/** Rows and inputs of a square of densePack. */
const squareRows: i32 = 64;
const squareInputs: i32 = 16;

/** Bytes of scratch that densePack needs. */
export function densePackScratch(): i32 {
  return squareRows * squareInputs << 2;
}

/** Copies n floats. */
@inline
function copyFloats(to: usize, from: usize, n: i32): void {
  const stop = to + (<usize>n << 2);
  for (; to + 16 <= stop; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < stop; to += 4, from += 4) f32.store(to, f32.load(from));
}

/**
 * Stores rows of a dense weight tensor input-major.
 *   packed[i][first + r] = w[r][i] * (scale ? scale[r] : 1) for r in [0, rows)
 * Layout: w [rows][inF], packed [inF][outStride], scale [rows] or 0, scratch densePackScratch bytes. Inputs [begin, end) are written.
 * Every input's row of `packed` lies on a page of its own and, where outStride is a power of two, in the same few lines of the
 * cache: so 64 rows of w are turned in scratch, a line of 16 inputs at a time, and then copied in one go.
 * Source: layout of denseForward.
 */
export function densePack(
  packed: usize, scratch: usize, w: usize, scale: usize, first: i32, rows: i32, inF: i32, outStride: i32, begin: i32, end: i32
): void {
  const rowBytes = <usize>inF << 2;
  const turnedBytes = <usize>squareRows << 2;
  for (let block = 0; block < rows; block += squareRows) {
    const count = min(squareRows, rows - block);
    const squares = count & ~3;
    for (let i = begin; i < end; i += squareInputs) {
      const width = min(squareInputs, end - i);
      const quads = width & ~3;
      const source = w + <usize>block * rowBytes + (<usize>i << 2); // w at [block, i]
      for (let r = 0; r < squares; r += 4) {
        let a = source + <usize>r * rowBytes;
        let out = scratch + (<usize>r << 2); // scratch at [0, r]
        for (let k = 0; k < quads; k += 4) {
          const row = block + r;
          storeTransposed(out, turnedBytes, scaledRow(a, scale, row), scaledRow(a + rowBytes, scale, row + 1),
            scaledRow(a + 2 * rowBytes, scale, row + 2), scaledRow(a + 3 * rowBytes, scale, row + 3));
          a += 16;
          out += 4 * turnedBytes;
        }
      }
      for (let r = 0; r < count; r++) {
        const factor: f32 = scale ? f32.load(scale + (<usize>(block + r) << 2)) : 1;
        for (let k = r < squares ? quads : 0; k < width; k++) {
          f32.store(scratch + <usize>k * turnedBytes + (<usize>r << 2), f32.load(source + <usize>r * rowBytes + (<usize>k << 2)) * factor);
        }
      }
      let to = packed + ((<usize>i * <usize>outStride + <usize>(first + block)) << 2); // packed at [i, first + block]
      for (let k = 0; k < width; k++) {
        copyFloats(to, scratch + <usize>k * turnedBytes, count);
        to += <usize>outStride << 2;
      }
    }
  }
}

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
  y: usize, positive: usize, indices: usize, count: i32, x: usize, w: usize, bias: usize, outStride: i32,
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

/** Lanes of four partial sums added in a fixed tree. */
@inline
function total(s0: v128, s1: v128, s2: v128, s3: v128): f32 {
  const sum = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}

@inline
function dotRows(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, kind: i32, p: f32, n: f32, begin: i32, end: i32): void {
  const vp = f32x4.splat(p);
  const vn = v128.xor(vp, f32x4.splat(n));
  const rowBytes = <usize>outStride << 2;
  let i = begin;
  while (i < end) {
    // The next two rows that count, so that s is read once for both: two streams of weights (measured: 1.3x one stream).
    while (i < end && mask && f32.load(mask + (<usize>i << 2)) == 0) { f32.store(dx + (<usize>i << 2), 0); i++; }
    if (i == end) break;
    const first = i++;
    while (i < end && mask && f32.load(mask + (<usize>i << 2)) == 0) { f32.store(dx + (<usize>i << 2), 0); i++; }
    const second = i < end ? i++ : first;
    let a = w + <usize>first * rowBytes;
    let c = w + <usize>second * rowBytes;
    let b = s;
    const stop = a + rowBytes;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    while (a + 64 <= stop) {
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
      s0 = f32x4.add(s0, f32x4.mul(b0, modify(v128.load(a), kind, vp, vn)));
      t0 = f32x4.add(t0, f32x4.mul(b0, modify(v128.load(c), kind, vp, vn)));
      s1 = f32x4.add(s1, f32x4.mul(b1, modify(v128.load(a, 16), kind, vp, vn)));
      t1 = f32x4.add(t1, f32x4.mul(b1, modify(v128.load(c, 16), kind, vp, vn)));
      s2 = f32x4.add(s2, f32x4.mul(b2, modify(v128.load(a, 32), kind, vp, vn)));
      t2 = f32x4.add(t2, f32x4.mul(b2, modify(v128.load(c, 32), kind, vp, vn)));
      s3 = f32x4.add(s3, f32x4.mul(b3, modify(v128.load(a, 48), kind, vp, vn)));
      t3 = f32x4.add(t3, f32x4.mul(b3, modify(v128.load(c, 48), kind, vp, vn)));
      a += 64;
      c += 64;
      b += 64;
    }
    while (a < stop) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(b), modify(v128.load(a), kind, vp, vn)));
      t0 = f32x4.add(t0, f32x4.mul(v128.load(b), modify(v128.load(c), kind, vp, vn)));
      a += 16;
      c += 16;
      b += 16;
    }
    f32.store(dx + (<usize>first << 2), total(s0, s1, s2, s3));
    f32.store(dx + (<usize>second << 2), total(t0, t1, t2, t3));
  }
}

function dotPlain(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  dotRows(dx, s, w, mask, outStride, plain, p, n, begin, end);
}

function dotSigned(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  dotRows(dx, s, w, mask, outStride, signed, p, n, begin, end);
}

function dotSquared(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  dotRows(dx, s, w, mask, outStride, squared, p, n, begin, end);
}

function dotOnes(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  dotRows(dx, s, w, mask, outStride, ones, p, n, begin, end);
}

function dotPositive(dx: usize, s: usize, w: usize, mask: usize, outStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  dotRows(dx, s, w, mask, outStride, positive, p, n, begin, end);
}

/**
 * Input gradient of a dense layer with modified weights.
 *   dx[i] = sum over o of modified(w[o,i]) * s[o]; 0 where mask is given and mask[i] = 0
 * Layout: dx [in], s [outStride] with zeros past the last output, w [in][outStride], mask [in] or 0. Sixteen partial sums in a
 * fixed tree. dx may not alias s. Inputs [begin, end) are written.
 * Source: adjoint of denseForward.
 */
export function denseInputGrad(
  dx: usize, s: usize, w: usize, mask: usize, outStride: i32, kind: i32, p: f32, n: f32, begin: i32, end: i32
): void {
  if (kind == plain) dotPlain(dx, s, w, mask, outStride, p, n, begin, end);
  else if (kind == signed && p == 1 && n == 0) dotPositive(dx, s, w, mask, outStride, p, n, begin, end);
  else if (kind == signed) dotSigned(dx, s, w, mask, outStride, p, n, begin, end);
  else if (kind == squared) dotSquared(dx, s, w, mask, outStride, p, n, begin, end);
  else dotOnes(dx, s, w, mask, outStride, p, n, begin, end);
}

@inline
function addRows(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, kind: i32, p: f32, n: f32, begin: i32, end: i32): void {
  const vp = f32x4.splat(p);
  const vn = v128.xor(vp, f32x4.splat(n));
  const rowBytes = <usize>blockStride << 2;
  for (let i = begin; i < end; i++) {
    if (mask && f32.load(mask + (<usize>i << 2)) == 0) continue;
    const sums = partials + (<usize>i << 6);
    let a = w + <usize>i * rowBytes;
    let b = s;
    const stop = a + rowBytes;
    let s0 = v128.load(sums), s1 = v128.load(sums, 16), s2 = v128.load(sums, 32), s3 = v128.load(sums, 48);
    for (; a + 64 <= stop; a += 64, b += 64) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(b), modify(v128.load(a), kind, vp, vn)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(b, 16), modify(v128.load(a, 16), kind, vp, vn)));
      s2 = f32x4.add(s2, f32x4.mul(v128.load(b, 32), modify(v128.load(a, 32), kind, vp, vn)));
      s3 = f32x4.add(s3, f32x4.mul(v128.load(b, 48), modify(v128.load(a, 48), kind, vp, vn)));
    }
    for (; a < stop; a += 16, b += 16) s0 = f32x4.add(s0, f32x4.mul(v128.load(b), modify(v128.load(a), kind, vp, vn)));
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
  }
}

function addPlain(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  addRows(partials, s, w, mask, blockStride, plain, p, n, begin, end);
}

function addSigned(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  addRows(partials, s, w, mask, blockStride, signed, p, n, begin, end);
}

function addSquared(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  addRows(partials, s, w, mask, blockStride, squared, p, n, begin, end);
}

function addOnes(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  addRows(partials, s, w, mask, blockStride, ones, p, n, begin, end);
}

function addPositive(partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, p: f32, n: f32, begin: i32, end: i32): void {
  addRows(partials, s, w, mask, blockStride, positive, p, n, begin, end);
}

/**
 * Input gradient of a dense layer whose weights come in blocks of outputs: adds one block's products to the partial sums.
 *   partials[i][l] += sum over the block's outputs o with o % 16 = l of modified(w[o,i]) * s[o]
 * Layout: partials [in][16], zero before the first block; s the block's part, zeros past its last output; w [in][blockStride];
 * every block but the last has a multiple of 16 outputs. mask [in] or 0: inputs with mask 0 are left out. Inputs [begin, end).
 * Source: denseInputGrad, whose partial sums these are: the same bytes for any blocks.
 */
export function denseInputGradBlock(
  partials: usize, s: usize, w: usize, mask: usize, blockStride: i32, kind: i32, p: f32, n: f32, begin: i32, end: i32
): void {
  if (kind == plain) addPlain(partials, s, w, mask, blockStride, p, n, begin, end);
  else if (kind == signed && p == 1 && n == 0) addPositive(partials, s, w, mask, blockStride, p, n, begin, end);
  else if (kind == signed) addSigned(partials, s, w, mask, blockStride, p, n, begin, end);
  else if (kind == squared) addSquared(partials, s, w, mask, blockStride, p, n, begin, end);
  else addOnes(partials, s, w, mask, blockStride, p, n, begin, end);
}

/**
 * dx[i] = total of the sixteen partial sums of input i, in denseInputGrad's tree. Inputs [begin, end) are written.
 * Layout: dx [in], partials [in][16].
 * Source: denseInputGrad.
 */
export function denseInputGradTotal(dx: usize, partials: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const sums = partials + (<usize>i << 6);
    f32.store(dx + (<usize>i << 2), total(v128.load(sums), v128.load(sums, 16), v128.load(sums, 32), v128.load(sums, 48)));
  }
}
