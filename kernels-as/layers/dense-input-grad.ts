import { modify, ones, plain, positive, signed, squared } from "./dense-modification";

// The backward pass of dense layers: one dot product per input, over weights as densePack writes them.

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
