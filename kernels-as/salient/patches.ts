// Square patches of an image and their coefficients in an orthonormal basis: kernels of context-aware saliency (Goferman,
// Zelnik-Manor, Tal, "Context-Aware Saliency Detection", CVPR 2010, section 3).

/** Index i of an axis of n pixels continued by mirroring with the edge pixel repeated (numpy's "symmetric"). */
function mirrored(i: i32, n: i32): i32 {
  if (i < 0) i = -1 - i;
  return i >= n ? 2 * n - 1 - i : i;
}

/**
 * Copies square patches around a grid of centres (row, column) = (stride*a, stride*b), mirrored beyond the border.
 *   out[places[n], (c*size+i)*size+j] = image[c, stride*a + i - r, stride*b + j - r], n = a*columns + b, r = (size-1)/2
 * Layout: out [.,length], the elements beyond channels*size*size zero; places [N] i32; out float32, image
 * [channels,height,width] float64. size odd, height and width >= r + 1, length >= channels*size*size. Patches [begin,end) are copied.
 * Source: Goferman, Zelnik-Manor, Tal 2010, section 3; mirrored as numpy.pad(mode="symmetric").
 */
export function gatherPatches(
  out: usize, places: usize, image: usize, channels: i32, height: i32, width: i32, columns: i32, size: i32, stride: i32, length: i32,
  begin: i32, end: i32
): void {
  const r = (size - 1) >> 1;
  for (let n = begin; n < end; n++) {
    const y = (n / columns) * stride - r;
    const x = (n % columns) * stride - r;
    const isInside = x >= 0 && x + size <= width;
    let p = out + ((<usize>(i32.load(places + ((<usize>n) << 2)) * length)) << 2);
    const next = p + ((<usize>length) << 2);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < size; i++) {
        const row = image + ((<usize>((c * height + mirrored(y + i, height)) * width)) << 3); // image at [c, y+i, 0]
        for (let j = 0; j < size; j++) {
          const column = isInside ? x + j : mirrored(x + j, width);
          f32.store(p, <f32>f64.load(row + ((<usize>column) << 3)));
          p += 4; // out at [., (c*size+i)*size+j+1]
        }
      }
    }
    while (p < next) {
      f32.store(p, 0);
      p += 4;
    }
  }
}

/** Steps that a vector's norm is divided into for coefficients in 16 bits: products of two vectors stay below 2^30. */
export const stepsOfNorm: f64 = 32000;
/** A norm that is as good as 0: 1 / (its steps) would leave float32. */
const leastNorm: f64 = 1e-30;

/** Norm of what the first `used` coefficients, from `p` float64, leave of a squared norm of `total`. */
function leftNorm(p: usize, used: i32, total: f64): f64 {
  let left = total;
  for (let k = 0; k < used; k++) {
    const v = f64.load(p + ((<usize>k) << 3));
    left -= v * v;
  }
  return sqrt(max(left, 0));
}

/** A value in steps, to the nearest. */
function quantised(value: f64, steps: f64): i32 {
  return <i32>nearest<f64>(value * steps);
}

/** Two values of 16 bits, as one number. */
function pairOf(low: i32, high: i32): i32 {
  return (low & 0xffff) | (high << 16);
}

/** Writes patch - mean in float64; returns its squared norm. */
function centre(out: usize, patch: usize, mean: usize, length: i32): f64 {
  let norm = f64x2.splat(0);
  for (let e = 0; e < length; e += 2) {
    const at = <usize>e;
    const v = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(patch + (at << 2))), v128.load(mean + (at << 3)));
    v128.store(out + (at << 3), v);
    norm = f64x2.add(norm, f64x2.mul(v, v));
  }
  return f64x2.extract_lane(norm, 0) + f64x2.extract_lane(norm, 1);
}

/** Sum of both lanes of a and of b. */
@inline
function sums(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}

/** p[k] of two centred vectors at once: they share the loads of the basis. Layout as projectPatches. */
function projectTwo(p: usize, q: usize, a: usize, b: usize, basis: usize, length: i32, count: i32): void {
  const rowBytes = (<usize>length) << 3;
  const stop = a + rowBytes;
  for (let k = 0; k < count; k += 4) {
    let v = a;
    let w = b;
    let u = basis + <usize>k * rowBytes;
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let t0 = s0;
    let t1 = s0;
    let t2 = s0;
    let t3 = s0;
    while (v < stop) {
      const x = v128.load(v);
      const y = v128.load(w);
      let c = v128.load(u);
      s0 = f64x2.add(s0, f64x2.mul(x, c));
      t0 = f64x2.add(t0, f64x2.mul(y, c));
      c = v128.load(u + rowBytes);
      s1 = f64x2.add(s1, f64x2.mul(x, c));
      t1 = f64x2.add(t1, f64x2.mul(y, c));
      c = v128.load(u + 2 * rowBytes);
      s2 = f64x2.add(s2, f64x2.mul(x, c));
      t2 = f64x2.add(t2, f64x2.mul(y, c));
      c = v128.load(u + 3 * rowBytes);
      s3 = f64x2.add(s3, f64x2.mul(x, c));
      t3 = f64x2.add(t3, f64x2.mul(y, c));
      v += 16; // centred at [e+2]
      w += 16;
      u += 16; // basis at [k, e+2]
    }
    const at = (<usize>k) << 3;
    v128.store(p + at, sums(s0, s1));
    v128.store(p + at, sums(s2, s3), 16);
    v128.store(q + at, sums(t0, t1));
    v128.store(q + at, sums(t2, t3), 16);
  }
}

/** rows and rest of projectPatches of one patch; returns the squared norm of its coefficients. */
function storeRow(rows: usize, rest: usize, p: usize, place: i32, count: i32, squaredNorm: f64): f64 {
  const row = rows + ((<usize>(place * count)) << 2);
  let held = 0.0; // by the coefficients
  let left = squaredNorm; // by them
  for (let k = 0; k < count; k++) {
    const v = f64.load(p + ((<usize>k) << 3));
    f32.store(row + ((<usize>k) << 2), <f32>v);
    held += v * v;
    left -= v * v;
  }
  f32.store(rest + ((<usize>place) << 2), <f32>max(left, 0));
  return held;
}

/** The pairs of projectPatches of one patch, into a lane; leftShared and leftUsed: left(2 shared + 1), left(used) or 0, in steps. */
function storePairs(lane: usize, p: usize, shared: i32, used: i32, pairCount: i32, leftShared: i32, leftUsed: i32, steps: f64): void {
  let to = lane;
  for (let k = 0; k < pairCount; k++) {
    const first = 2 * (k > shared ? k - 1 : k);
    const at = p + ((<usize>first) << 3);
    const low = first < used ? quantised(f64.load(at), steps) : first == used ? leftUsed : 0;
    const high = first + 1 < used ? quantised(f64.load(at, 8), steps) : first + 1 == used ? leftUsed : 0;
    i32.store(to, pairOf(low, k == shared ? leftShared : high));
    to += 32; // pairs at [n/8, k+1, n%8]
  }
}

/**
 * Coefficients of patches in an orthonormal basis, in float64 inside.
 *   p[n,k] = sum over e of basis[k,e] * (patches[n,e] - mean[e])
 *   rows[n,k] = p[n,k];  rest[n] = |patches[n] - mean|^2 - sum over k of p[n,k]^2
 *   half[n] = |patches[n] - mean|^2 / 2 * share
 * and, with left(m) the norm of what the coefficients k < m leave of the patch, or of its `count` coefficients where
 * wholeNorms is 0, and unit[n] = left(0) / 32000:
 *   near[n/8,k,n%8] = p[n,k], k < nearUsed; then left(nearUsed)
 *   pairs[n/8,k,n%8] = (p[n,2k], p[n,2k+1]) / unit[n], k < shared
 *   pairs[n/8,shared,n%8] = (p[n,2 shared], left(2 shared + 1)) / unit[n]
 *   pairs[n/8,shared+1+k,n%8] = (p[n,2(shared+k)], p[n,2(shared+k)+1]) / unit[n], up to p[n,used-1]; then left(used) if
 *     wholeNorms is not 0; then 0
 * rounded, so that, but for rounding, products of the pairs up to `shared`, or of all but that one, are at least those of the patches.
 * Layout: near [N/8,nearTerms,8], half, rest, unit [N], rows [N,count], patches [N,length] float32; pairs [N/8,pairCount,8] of
 * two i16; basis [count,length], mean [length] float64; scratch [2 length + 2 count] float64. length even, count a multiple of 4,
 * nearUsed < nearTerms, 2 shared < used <= count. Patches [begin,end) are written.
 * Source: orthonormal projection; the norms of what is left as in filterTile.
 */
export function projectPatches(
  near: usize, pairs: usize, unit: usize, half: usize, rest: usize, rows: usize, scratch: usize, patches: usize, basis: usize, mean: usize,
  length: i32, count: i32, nearUsed: i32, nearTerms: i32, shared: i32, used: i32, pairCount: i32, wholeNorms: i32, share: f64, begin: i32,
  end: i32
): void {
  const vectorBytes = (<usize>length) << 3;
  const coefsBytes = (<usize>count) << 3;
  const other = scratch + vectorBytes;
  const coefs = other + vectorBytes;
  for (let n = begin; n < end; n += 2) {
    const two = min(2, end - n);
    const patch = patches + ((<usize>n * <usize>length) << 2);
    const norm = centre(scratch, patch, mean, length);
    const otherNorm = two == 2 ? centre(other, patch + (vectorBytes >> 1), mean, length) : 0;
    projectTwo(coefs, coefs + coefsBytes, scratch, two == 2 ? other : scratch, basis, length, count);
    for (let t = 0; t < two; t++) {
      const p = coefs + <usize>t * coefsBytes;
      const squaredNorm = t == 0 ? norm : otherNorm;
      const place = n + t;
      const held = storeRow(rows, rest, p, place, count, squaredNorm);
      f32.store(half + ((<usize>place) << 2), <f32>(0.5 * squaredNorm * share));
      const total = wholeNorms != 0 ? squaredNorm : held;
      const lane = (<usize>(place & 7)) << 2;
      const block = place >> 3;
      const nearAt = near + ((<usize>(block * nearTerms)) << 5) + lane;
      for (let k = 0; k < nearUsed; k++) f32.store(nearAt + ((<usize>k) << 5), <f32>f64.load(p + ((<usize>k) << 3)));
      f32.store(nearAt + ((<usize>nearUsed) << 5), <f32>leftNorm(p, nearUsed, total));
      const wholeNorm = sqrt(max(total, 0));
      const step: f32 = wholeNorm > leastNorm ? <f32>(wholeNorm / stepsOfNorm) : 0;
      f32.store(unit + ((<usize>place) << 2), step);
      const steps = step > 0 ? 1 / <f64>step : 0;
      storePairs(
        pairs + ((<usize>(block * pairCount)) << 5) + lane,
        p,
        shared,
        used,
        pairCount,
        quantised(leftNorm(p, 2 * shared + 1, total), steps),
        wholeNorms != 0 ? quantised(leftNorm(p, used, total), steps) : 0,
        steps,
      );
    }
  }
}

/**
 * Saliency of patches from their mean distances to the most similar ones: out[n] = 1 - exp(-means[places[n]])
 * Layout: out [N], means [.] float64; places [N] i32. out may not alias means. Elements [begin,end) are written.
 * Source: Goferman, Zelnik-Manor, Tal 2010, equation 3.
 */
export function saliencyOf(out: usize, means: usize, places: usize, begin: i32, end: i32): void {
  for (let n = begin; n < end; n++) {
    const mean = f64.load(means + ((<usize>i32.load(places + ((<usize>n) << 2))) << 3));
    f64.store(out + ((<usize>n) << 3), 1 - Math.exp(-mean));
  }
}
