import { weights } from "./nearest-weight";

// The last test of the search for nearest patches (nearest.ts): the distance itself.

/** base[j0], ..., base[j3] of float32. */
@inline
function gathered(base: usize, j0: i32, j1: i32, j2: i32, j3: i32): v128 {
  let v = v128.load32_zero(base + ((<usize>j0) << 2));
  v = v128.load_lane<f32>(base + ((<usize>j1) << 2), v, 1);
  v = v128.load_lane<f32>(base + ((<usize>j2) << 2), v, 2);
  return v128.load_lane<f32>(base + ((<usize>j3) << 2), v, 3);
}

/** A lane for each vector: the sum of its lanes, these added in pairs. */
@inline
function sumsOf(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const a01 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
  const a23 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
  const b01 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
  const b23 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
  const low = f32x4.add(v128.shuffle<f32>(a01, a23, 0, 1, 4, 5), v128.shuffle<f32>(a01, a23, 2, 3, 6, 7));
  const high = f32x4.add(v128.shuffle<f32>(b01, b23, 0, 1, 4, 5), v128.shuffle<f32>(b01, b23, 2, 3, 6, 7));
  return f32x4.add(low, high);
}

/** |values at query - values at j|^2 of four candidates j, which share the loads of the query and hide each other's chains of additions. */
@inline
function squaredDistances(values: usize, query: usize, bytes: usize, j0: i32, j1: i32, j2: i32, j3: i32): v128 {
  const end = query + bytes;
  const pairsEnd = query + (bytes & ~31);
  let v = query;
  let u0 = values + <usize>j0 * bytes;
  let u1 = values + <usize>j1 * bytes;
  let u2 = values + <usize>j2 * bytes;
  let u3 = values + <usize>j3 * bytes;
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  while (v < pairsEnd) {
    const v0 = v128.load(v);
    const v1 = v128.load(v, 16);
    let d = f32x4.sub(v0, v128.load(u0));
    s00 = f32x4.add(s00, f32x4.mul(d, d));
    d = f32x4.sub(v1, v128.load(u0, 16));
    s01 = f32x4.add(s01, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u1));
    s10 = f32x4.add(s10, f32x4.mul(d, d));
    d = f32x4.sub(v1, v128.load(u1, 16));
    s11 = f32x4.add(s11, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u2));
    s20 = f32x4.add(s20, f32x4.mul(d, d));
    d = f32x4.sub(v1, v128.load(u2, 16));
    s21 = f32x4.add(s21, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u3));
    s30 = f32x4.add(s30, f32x4.mul(d, d));
    d = f32x4.sub(v1, v128.load(u3, 16));
    s31 = f32x4.add(s31, f32x4.mul(d, d));
    v += 32; // values at [i, k+8]
    u0 += 32; // [j0, k+8], ...
    u1 += 32;
    u2 += 32;
    u3 += 32;
  }
  if (v < end) {
    const v0 = v128.load(v);
    let d = f32x4.sub(v0, v128.load(u0));
    s00 = f32x4.add(s00, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u1));
    s10 = f32x4.add(s10, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u2));
    s20 = f32x4.add(s20, f32x4.mul(d, d));
    d = f32x4.sub(v0, v128.load(u3));
    s30 = f32x4.add(s30, f32x4.mul(d, d));
  }
  s00 = f32x4.add(s00, s01);
  s10 = f32x4.add(s10, s11);
  s20 = f32x4.add(s20, s21);
  s30 = f32x4.add(s30, s31);
  return sumsOf(s00, s10, s20, s30);
}

/**
 * The last test: appends to `found`, which holds foundCount values, d^2 of those of `count` listed candidates with
 * d^2 <= limit, the query itself left out; returns the new count. One element after the last may be overwritten.
 * D is the sum of two accumulators of four lanes, these added in pairs.
 * Layout: list of i32; values [places,length], rest, x and y [places] float32; length a multiple of 4.
 */
export function appendNear(
  found: usize, list: usize, values: usize, rest: usize, x: usize, y: usize, foundCount: i32, count: i32, i: i32, length: i32, limit: f32
): i32 {
  const bytes = (<usize>length) << 2;
  const query = values + <usize>i * bytes;
  const own = (<usize>i) << 2;
  const qx = v128.load32_splat(x + own);
  const qy = v128.load32_splat(y + own);
  const qRest = v128.load32_splat(rest + own);
  const most = f32x4.splat(limit);
  const stop = list + ((<usize>count) << 2);
  let to = found + ((<usize>foundCount) << 2);
  for (let from = list; from < stop; from += 16) {
    const j0 = i32.load(from);
    const j1 = from + 4 < stop ? i32.load(from, 4) : i; // the query stands for what is missing
    const j2 = from + 8 < stop ? i32.load(from, 8) : i;
    const j3 = from + 12 < stop ? i32.load(from, 12) : i;
    const squares = squaredDistances(values, query, bytes, j0, j1, j2, j3);
    const dx = f32x4.sub(gathered(x, j0, j1, j2, j3), qx);
    const dy = f32x4.sub(gathered(y, j0, j1, j2, j3), qy);
    const distance = f32x4.add(squares, f32x4.add(qRest, gathered(rest, j0, j1, j2, j3)));
    const d2 = f32x4.div(distance, weights(dx, f32x4.mul(dy, dy)));
    const bits = i32x4.bitmask(f32x4.le(d2, most));
    f32.store(to, f32x4.extract_lane(d2, 0));
    to += (<usize>((bits & 1) & i32(j0 != i))) << 2;
    f32.store(to, f32x4.extract_lane(d2, 1));
    to += (<usize>(((bits >> 1) & 1) & i32(j1 != i))) << 2;
    f32.store(to, f32x4.extract_lane(d2, 2));
    to += (<usize>(((bits >> 2) & 1) & i32(j2 != i))) << 2;
    f32.store(to, f32x4.extract_lane(d2, 3));
    to += (<usize>((bits >> 3) & i32(j3 != i))) << 2;
  }
  return <i32>((to - found) >> 2);
}
