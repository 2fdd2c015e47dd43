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
 */
export function gatherPatches(
  out: usize,
  places: usize,
  image: usize,
  channels: i32,
  height: i32,
  width: i32,
  columns: i32,
  size: i32,
  stride: i32,
  length: i32,
  begin: i32,
  end: i32,
): void {
  const r = (size - 1) >> 1;
  for (let n = begin; n < end; n++) {
    const y = (n / columns) * stride - r;
    const x = (n % columns) * stride - r;
    const isInside = x >= 0 && x + size <= width;
    let p = out + ((<usize>(load<i32>(places + ((<usize>n) << 2)) * length)) << 2);
    const next = p + ((<usize>length) << 2);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < size; i++) {
        const row = image + ((<usize>((c * height + mirrored(y + i, height)) * width)) << 3); // image at [c, y+i, 0]
        for (let j = 0; j < size; j++) {
          const column = isInside ? x + j : mirrored(x + j, width);
          store<f32>(p, <f32>load<f64>(row + ((<usize>column) << 3)));
          p += 4; // out at [., (c*size+i)*size+j+1]
        }
      }
    }
    while (p < next) {
      store<f32>(p, 0);
      p += 4;
    }
  }
}

/**
 * Coefficients k with from <= k < to of a vector, from `p` float64, into a lane of [terms,8] float32; after them, where there
 * is one term more, the norm of what the coefficients below `to` leave of a squared norm of `total`.
 */
function storeTerms(lane: usize, p: usize, from: i32, to: i32, terms: i32, total: f64): void {
  let left = total;
  for (let k = 0; k < to; k++) {
    const v = load<f64>(p + ((<usize>k) << 3));
    if (k >= from) store<f32>(lane + ((<usize>(k - from)) << 5), <f32>v);
    left -= v * v;
  }
  if (terms > to - from) store<f32>(lane + ((<usize>(to - from)) << 5), <f32>sqrt(max(left, 0)));
}

/**
 * Coefficients of patches in an orthonormal basis, in float64 inside.
 *   p[n,k] = sum over e of basis[k,e] * (patches[n,e] - mean[e])
 *   rows[n,k] = p[n,k];  rest[n] = |patches[n] - mean|^2 - sum over k of p[n,k]^2
 *   half[n] = |patches[n] - mean|^2 / 2 * share
 * and, with left(m) the norm of what the coefficients k < m leave of the patch, or of its `count` coefficients where
 * wholeNorms is 0:
 *   near[n/8,k,n%8] = p[n,k], k < nearUsed; then left(nearUsed)
 *   middle[n/8,k,n%8] = p[n,k], k < middleUsed; then left(middleUsed)
 *   far[n/8,k,n%8] = p[n,middleUsed+k], middleUsed + k < farUsed; then left(farUsed) if farTerms is one more
 * so that products of the terms of middle, or of middle without the last and far, are at least those of the patches.
 * Layout: near [N/8,nearTerms,8], middle [N/8,middleUsed+1,8], far [N/8,farTerms,8], half, rest [N], rows [N,count], patches
 * [N,length] float32; basis [count,length], mean [length] float64; scratch [length + count] float64. length even, count a
 * multiple of 4, nearUsed < nearTerms, middleUsed <= farUsed <= count. Patches [begin,end) are written.
 */
export function projectPatches(
  near: usize,
  middle: usize,
  far: usize,
  half: usize,
  rest: usize,
  rows: usize,
  scratch: usize,
  patches: usize,
  basis: usize,
  mean: usize,
  length: i32,
  count: i32,
  nearUsed: i32,
  nearTerms: i32,
  middleUsed: i32,
  farUsed: i32,
  farTerms: i32,
  wholeNorms: i32,
  share: f64,
  begin: i32,
  end: i32,
): void {
  const rowBytes = (<usize>length) << 3;
  const stop = scratch + rowBytes; // then [count]: the coefficients
  for (let n = begin; n < end; n++) {
    const patch = patches + ((<usize>n * <usize>length) << 2);
    let norm = f64x2.splat(0);
    for (let e = 0; e < length; e += 2) {
      const at = <usize>e;
      const v = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(patch + (at << 2))), v128.load(mean + (at << 3)));
      v128.store(scratch + (at << 3), v);
      norm = f64x2.add(norm, f64x2.mul(v, v));
    }
    const squaredNorm = f64x2.extract_lane(norm, 0) + f64x2.extract_lane(norm, 1);
    let held = 0.0; // by the coefficients
    let left = squaredNorm; // by them
    const row = rows + ((<usize>(n * count)) << 2);
    for (let k = 0; k < count; k += 4) {
      let v = scratch;
      let u = basis + <usize>k * rowBytes;
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      let s2 = f64x2.splat(0);
      let s3 = f64x2.splat(0);
      while (v < stop) {
        const w = v128.load(v);
        s0 = f64x2.add(s0, f64x2.mul(w, v128.load(u)));
        s1 = f64x2.add(s1, f64x2.mul(w, v128.load(u + rowBytes)));
        s2 = f64x2.add(s2, f64x2.mul(w, v128.load(u + 2 * rowBytes)));
        s3 = f64x2.add(s3, f64x2.mul(w, v128.load(u + 3 * rowBytes)));
        v += 16; // scratch at [e+2]
        u += 16; // basis at [k, e+2]
      }
      for (let t = 0; t < 4; t++) {
        const s = t == 0 ? s0 : t == 1 ? s1 : t == 2 ? s2 : s3;
        const p = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
        store<f64>(stop + ((<usize>(k + t)) << 3), p);
        store<f32>(row + ((<usize>(k + t)) << 2), <f32>p);
        held += p * p;
        left -= p * p;
      }
    }
    const total = wholeNorms != 0 ? squaredNorm : held;
    const block = n >> 3;
    const lane = (<usize>(n & 7)) << 2;
    storeTerms(near + ((<usize>(block * nearTerms)) << 5) + lane, stop, 0, nearUsed, nearTerms, total);
    const middleTerms = middleUsed + 1;
    storeTerms(middle + ((<usize>(block * middleTerms)) << 5) + lane, stop, 0, middleUsed, middleTerms, total);
    storeTerms(far + ((<usize>(block * farTerms)) << 5) + lane, stop, middleUsed, farUsed, farTerms, total);
    store<f32>(rest + ((<usize>n) << 2), <f32>max(left, 0));
    store<f32>(half + ((<usize>n) << 2), <f32>(0.5 * squaredNorm * share));
  }
}

/**
 * Saliency of patches from their mean distances to the most similar ones: out[n] = 1 - exp(-means[places[n]])
 * Layout: out [N], means [.] float64; places [N] i32. out may not alias means. Elements [begin,end) are written.
 * Source: Goferman, Zelnik-Manor, Tal 2010, equation 3.
 */
export function saliencyOf(out: usize, means: usize, places: usize, begin: i32, end: i32): void {
  for (let n = begin; n < end; n++) {
    const mean = load<f64>(means + ((<usize>load<i32>(places + ((<usize>n) << 2))) << 3));
    store<f64>(out + ((<usize>n) << 3), 1 - Math.exp(-mean));
  }
}
