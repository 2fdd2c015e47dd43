import { meanRoot, selectSmallest } from "./select";

// Square patches of an image and their distances: the kernels of context-aware saliency (Goferman, Zelnik-Manor, Tal,
// "Context-Aware Saliency Detection", CVPR 2010, section 3).

/** Index i of an axis of n pixels continued by mirroring with the edge pixel repeated (numpy's "symmetric"). */
function mirrored(i: i32, n: i32): i32 {
  if (i < 0) i = -1 - i;
  return i >= n ? 2 * n - 1 - i : i;
}

/**
 * Copies square patches around a grid of centres (row, column) = (stride*a, stride*b), mirrored beyond the border.
 *   out[n, (c*size+i)*size+j] = image[c, stride*a + i - r, stride*b + j - r], n = a*columns + b, r = (size-1)/2
 * Layout: out [N,length], the elements beyond channels*size*size zero; image [channels,height,width]; float32.
 * size odd, height and width >= r + 1, length >= channels*size*size. Patches [begin,end) are written.
 */
export function gatherPatches(
  out: usize,
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
  let p = out + ((<usize>begin * <usize>length) << 2);
  for (let n = begin; n < end; n++) {
    const y = (n / columns) * stride - r;
    const x = (n % columns) * stride - r;
    const isInside = x >= 0 && x + size <= width;
    const next = p + ((<usize>length) << 2);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < size; i++) {
        const row = image + ((<usize>((c * height + mirrored(y + i, height)) * width)) << 2); // image at [c, y+i, 0]
        for (let j = 0; j < size; j++) {
          const column = isInside ? x + j : mirrored(x + j, width);
          store<f32>(p, load<f32>(row + ((<usize>column) << 2)));
          p += 4; // out at [n, (c*size+i)*size+j+1]
        }
      }
    }
    while (p < next) {
      store<f32>(p, 0);
      p += 4;
    }
  }
}

/** Squared Euclidean distance of two patches of `length` float32, length a multiple of 4; fixed order of summation. */
function squaredDistance(a: usize, b: usize, length: i32): f32 {
  const stop = a + ((<usize>length) << 2);
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  while (a + 32 <= stop) {
    const d0 = f32x4.sub(v128.load(a), v128.load(b));
    const d1 = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
    s0 = f32x4.add(s0, f32x4.mul(d0, d0));
    s1 = f32x4.add(s1, f32x4.mul(d1, d1));
    a += 32; // [k+8]
    b += 32;
  }
  if (a < stop) {
    const d0 = f32x4.sub(v128.load(a), v128.load(b));
    s0 = f32x4.add(s0, f32x4.mul(d0, d0));
  }
  const s = f32x4.add(s0, s1);
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}

/** (1 + c * d_pos)^2, the square of what divides a colour distance. */
function squaredWeight(dy: f32, dx: f32, c: f32): f32 {
  const w: f32 = 1 + c * sqrt<f32>(dy * dy + dx * dx);
  return w * w;
}

/**
 * Mean distance of each query patch to its nearest other patches, by comparing all pairs.
 *   d(i,j) = |p_i - p_j| / (1 + c * |pos_i - pos_j|),   out[i] = mean of the `neighbours` smallest d(i,j), j != i
 * The queries are the first of the candidates. Layout: out [queries] float64; patches [candidates,length], y and x
 * [candidates] float32; scratch [candidates] float32. length a multiple of 4, neighbours < candidates.
 * Queries [begin,end) are computed.
 * Source: Goferman et al. 2010, equations 1-3. The reference for the pruned search, which gives the same bits.
 */
export function meanNearestDirect(
  out: usize,
  patches: usize,
  y: usize,
  x: usize,
  scratch: usize,
  candidates: i32,
  length: i32,
  neighbours: i32,
  c: f32,
  begin: i32,
  end: i32,
): void {
  const patchBytes = (<usize>length) << 2;
  for (let i = begin; i < end; i++) {
    const query = patches + <usize>i * patchBytes;
    const yi = load<f32>(y + ((<usize>i) << 2));
    const xi = load<f32>(x + ((<usize>i) << 2));
    let found = scratch;
    let candidate = patches;
    for (let j = 0; j < candidates; j++) {
      if (j != i) {
        const w2 = squaredWeight(load<f32>(y + ((<usize>j) << 2)) - yi, load<f32>(x + ((<usize>j) << 2)) - xi, c);
        store<f32>(found, squaredDistance(query, candidate, length) / w2);
        found += 4;
      }
      candidate += patchBytes; // patches at [j+1, 0]
    }
    selectSmallest(scratch, candidates - 1, neighbours);
    store<f64>(out + ((<usize>i) << 3), meanRoot(scratch, neighbours));
  }
}
