import { keepSmallest, kthSmallest, meanRoot } from "./select";

// Weighted nearest neighbours among patches: d(i,j)^2 = D(i,j) / W(i,j) with
//   D = |v_i - v_j|^2 + rest_i + rest_j,   W = (1 + |pos_i - pos_j|)^2,
// found by three tests, each surer and dearer than the one before: a bound from few coefficients for all pairs, in tiles of
// four queries by eight candidates; a bound from more coefficients; D itself. What passes depends on nothing but the pair
// and an upper limit of the K-th smallest, so the K smallest are exact, ties included, for any order and any split.

/** Blocks of eight candidates that are tested before hits are looked at: their vectors stay in the second-level cache. */
const chunk: i32 = 64;
/** Fours of queries that see a chunk before the next chunk is taken. */
const group: i32 = 8;
/** Larger than every limit that can occur, small enough that limit times weight stays finite. */
const noLimit: f32 = 1e30;
/** Added to limits in the bound tests: beyond what rounding of denormal numbers can lose. */
const tiny: f32 = 1e-36;
/** Minima that a first guess is taken from; each over every 16th block. */
const minimaBlocks: i32 = 16;

/** Squared Euclidean distance of two vectors of `length` float32, length a multiple of 4; fixed order of summation. */
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

/** W of a pair. */
function weight(dy: f32, dx: f32): f32 {
  const w: f32 = sqrt<f32>(dx * dx + dy * dy) + 1;
  return w * w;
}

/** Four W at once; the operations of `weight`, so its bits. */
function weights(dx: v128, dy2: v128): v128 {
  const w = f32x4.add(f32x4.sqrt(f32x4.add(f32x4.mul(dx, dx), dy2)), f32x4.splat(1));
  return f32x4.mul(w, w);
}

/** Lanes where dot + limit * W >= half + queryHalf. */
function passes(dot: v128, limit: usize, dx: v128, dy2: v128, half: v128, queryHalf: usize): v128 {
  return f32x4.ge(
    f32x4.add(dot, f32x4.mul(v128.load32_splat(limit), weights(dx, dy2))),
    f32x4.add(half, v128.load32_splat(queryHalf)),
  );
}

/**
 * The first test, for four queries and blocks [begin,end) of eight candidates:
 *   bit l of masks[q, b - begin] = a_q . a_j + halfLimits[q] * W(q,j) >= half_q + half_j,   j = 8b + l
 * that is |a_q - a_j|^2 <= limit * W, where half is half of |a|^2.
 * Layout: masks [4,64] bytes; coefs [blocks,terms,8], half and x [blocks,8], y [blocks] float32; query: address of the
 * first query's coefficient 0 in coefs; first: its place; halfLimits [4]. end - begin <= 64.
 */
export function filterTile(
  masks: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  halfLimits: usize,
  first: i32,
  terms: i32,
  begin: i32,
  end: i32,
): void {
  const query = coefs + ((<usize>((first >> 3) * terms)) << 5) + ((<usize>(first & 7)) << 2);
  const stop = query + ((<usize>terms) << 5);
  const queryHalf = half + ((<usize>first) << 2);
  const queryX = x + ((<usize>first) << 2);
  const queryY = load<f32>(y + ((<usize>(first >> 3)) << 2));
  let a = coefs + ((<usize>(begin * terms)) << 5);
  for (let b = begin; b < end; b++) {
    let q = query;
    let s00 = f32x4.splat(0);
    let s01 = f32x4.splat(0);
    let s10 = f32x4.splat(0);
    let s11 = f32x4.splat(0);
    let s20 = f32x4.splat(0);
    let s21 = f32x4.splat(0);
    let s30 = f32x4.splat(0);
    let s31 = f32x4.splat(0);
    while (q < stop) {
      const a0 = v128.load(a);
      const a1 = v128.load(a, 16);
      let p = v128.load32_splat(q);
      s00 = f32x4.add(s00, f32x4.mul(p, a0));
      s01 = f32x4.add(s01, f32x4.mul(p, a1));
      p = v128.load32_splat(q, 4);
      s10 = f32x4.add(s10, f32x4.mul(p, a0));
      s11 = f32x4.add(s11, f32x4.mul(p, a1));
      p = v128.load32_splat(q, 8);
      s20 = f32x4.add(s20, f32x4.mul(p, a0));
      s21 = f32x4.add(s21, f32x4.mul(p, a1));
      p = v128.load32_splat(q, 12);
      s30 = f32x4.add(s30, f32x4.mul(p, a0));
      s31 = f32x4.add(s31, f32x4.mul(p, a1));
      a += 32; // coefs at [b, k+1, 0]
      q += 32; // query coefficient k+1
    }
    const dy = load<f32>(y + ((<usize>b) << 2)) - queryY;
    const dy2 = f32x4.splat(dy * dy);
    const at = (<usize>b) << 5; // [b, 0]
    const h0 = v128.load(half + at);
    const h1 = v128.load(half + at, 16);
    const x0 = v128.load(x + at);
    const x1 = v128.load(x + at, 16);
    let qx = v128.load32_splat(queryX);
    const m0 = i16x8.narrow_i32x4_s(
      passes(s00, halfLimits, f32x4.sub(x0, qx), dy2, h0, queryHalf),
      passes(s01, halfLimits, f32x4.sub(x1, qx), dy2, h1, queryHalf),
    );
    qx = v128.load32_splat(queryX, 4);
    const m1 = i16x8.narrow_i32x4_s(
      passes(s10, halfLimits + 4, f32x4.sub(x0, qx), dy2, h0, queryHalf + 4),
      passes(s11, halfLimits + 4, f32x4.sub(x1, qx), dy2, h1, queryHalf + 4),
    );
    qx = v128.load32_splat(queryX, 8);
    const m2 = i16x8.narrow_i32x4_s(
      passes(s20, halfLimits + 8, f32x4.sub(x0, qx), dy2, h0, queryHalf + 8),
      passes(s21, halfLimits + 8, f32x4.sub(x1, qx), dy2, h1, queryHalf + 8),
    );
    qx = v128.load32_splat(queryX, 12);
    const m3 = i16x8.narrow_i32x4_s(
      passes(s30, halfLimits + 12, f32x4.sub(x0, qx), dy2, h0, queryHalf + 12),
      passes(s31, halfLimits + 12, f32x4.sub(x1, qx), dy2, h1, queryHalf + 12),
    );
    const bits01 = i8x16.bitmask(i8x16.narrow_i16x8_s(m0, m1));
    const bits23 = i8x16.bitmask(i8x16.narrow_i16x8_s(m2, m3));
    const to = masks + <usize>(b - begin);
    store<u8>(to, bits01);
    store<u8>(to, bits01 >> 8, 64);
    store<u8>(to, bits23, 128);
    store<u8>(to, bits23 >> 8, 192);
  }
}

/**
 * Lists the places of the set bits of n mask bytes, counted from `first`. list [8n] i32, masks padded with zeros to a
 * multiple of 8. Returns how many.
 */
export function listHits(list: usize, masks: usize, n: i32, first: i32): i32 {
  let to = list;
  for (let i = 0; i < n; i += 8) {
    let word = load<u64>(masks + <usize>i);
    const base = first + (i << 3);
    while (word != 0) {
      store<i32>(to, base + <i32>ctz(word));
      to += 4;
      word &= word - 1;
    }
  }
  return <i32>((to - list) >> 2);
}

/**
 * A first guess for a limit: about the rank-th smallest bound 2 (half_i + half_j - a_i . a_j) / W(i,j) of the candidates of
 * blocks [begin,end), taken from 128 minima over every 128th candidate.
 * Scratch [128] float32; end - begin a multiple of 16; 1 <= rank <= 128.
 */
export function guessLimit(
  scratch: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  i: i32,
  terms: i32,
  rank: i32,
  begin: i32,
  end: i32,
): f32 {
  const query = coefs + ((<usize>((i >> 3) * terms)) << 5) + ((<usize>(i & 7)) << 2);
  const stop = query + ((<usize>terms) << 5);
  const qx = v128.load32_splat(x + ((<usize>i) << 2));
  const hq = v128.load32_splat(half + ((<usize>i) << 2));
  const yi = load<f32>(y + ((<usize>(i >> 3)) << 2));
  const zero = f32x4.splat(0);
  for (let n = 0; n < minimaBlocks << 5; n += 16) v128.store(scratch + <usize>n, f32x4.splat(noLimit));
  let a = coefs + ((<usize>(begin * terms)) << 5);
  for (let b = begin; b < end; b++) {
    let s0 = zero;
    let s1 = zero;
    for (let q = query; q < stop; q += 32) {
      const p = v128.load32_splat(q);
      s0 = f32x4.add(s0, f32x4.mul(p, v128.load(a)));
      s1 = f32x4.add(s1, f32x4.mul(p, v128.load(a, 16)));
      a += 32; // coefs at [b, k+1, 0]
    }
    const at = (<usize>b) << 5;
    const dy = load<f32>(y + ((<usize>b) << 2)) - yi;
    const dy2 = f32x4.splat(dy * dy);
    const to = scratch + ((<usize>(b & (minimaBlocks - 1))) << 5);
    const d0 = f32x4.sub(f32x4.add(v128.load(half + at), hq), s0);
    const d1 = f32x4.sub(f32x4.add(v128.load(half + at, 16), hq), s1);
    const v0 = f32x4.div(f32x4.max(d0, zero), weights(f32x4.sub(v128.load(x + at), qx), dy2));
    const v1 = f32x4.div(f32x4.max(d1, zero), weights(f32x4.sub(v128.load(x + at, 16), qx), dy2));
    v128.store(to, f32x4.min(v128.load(to), v0));
    v128.store(to, f32x4.min(v128.load(to, 16), v1), 16);
  }
  return 2 * kthSmallest(scratch, minimaBlocks << 3, rank, noLimit);
}

/**
 * The second test: keeps those of `count` listed candidates whose bound from `length` coefficients is within the limit,
 *   |c_i - c_j|^2 <= limit * W + slack * (half_i + half_j),
 * in place; returns how many. Layout: list of i32; coefs [places,length], half and x [places], y [blocks] float32.
 */
export function keepNear(
  list: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  count: i32,
  i: i32,
  length: i32,
  limit: f32,
  slack: f32,
): i32 {
  const bytes = (<usize>length) << 2;
  const query = coefs + <usize>i * bytes;
  const xi = load<f32>(x + ((<usize>i) << 2));
  const yi = load<f32>(y + ((<usize>(i >> 3)) << 2));
  const hi = load<f32>(half + ((<usize>i) << 2));
  const stop = list + ((<usize>count) << 2);
  let to = list;
  for (let from = list; from < stop; from += 4) {
    const j = load<i32>(from);
    const w = weight(load<f32>(y + ((<usize>(j >> 3)) << 2)) - yi, load<f32>(x + ((<usize>j) << 2)) - xi);
    const bound = squaredDistance(query, coefs + <usize>j * bytes, length);
    store<i32>(to, j);
    to += (<usize>i32(bound <= limit * w + slack * (hi + load<f32>(half + ((<usize>j) << 2))))) << 2;
  }
  return <i32>((to - list) >> 2);
}

/**
 * The last test: appends to `found`, which holds foundCount values, d^2 of those of `count` listed candidates with
 * d^2 <= limit, the query itself left out; returns the new count. One element after the last may be overwritten.
 * Layout: list of i32; values [places,length], rest and x [places], y [blocks] float32.
 */
export function appendNear(
  found: usize,
  list: usize,
  values: usize,
  rest: usize,
  x: usize,
  y: usize,
  foundCount: i32,
  count: i32,
  i: i32,
  length: i32,
  limit: f32,
): i32 {
  const bytes = (<usize>length) << 2;
  const query = values + <usize>i * bytes;
  const xi = load<f32>(x + ((<usize>i) << 2));
  const yi = load<f32>(y + ((<usize>(i >> 3)) << 2));
  const ri = load<f32>(rest + ((<usize>i) << 2));
  const stop = list + ((<usize>count) << 2);
  let to = found + ((<usize>foundCount) << 2);
  for (let from = list; from < stop; from += 4) {
    const j = load<i32>(from);
    const w = weight(load<f32>(y + ((<usize>(j >> 3)) << 2)) - yi, load<f32>(x + ((<usize>j) << 2)) - xi);
    const distance =
      squaredDistance(query, values + <usize>j * bytes, length) + (ri + load<f32>(rest + ((<usize>j) << 2)));
    const d2 = distance / w;
    store<f32>(to, d2);
    to += (<usize>(i32(d2 <= limit) & i32(j != i))) << 2;
  }
  return <i32>((to - found) >> 2);
}

/** float32 that a query's list of distances has room for. */
function capacityFor(neighbours: i32): i32 {
  return 2 * neighbours + (chunk << 3) + 8;
}

/** Bytes of scratch that meanNearest needs for `neighbours`. */
export function meanNearestScratch(neighbours: i32): i32 {
  return 4 * chunk + ((chunk << 3) + (minimaBlocks << 3) + 4 * group * (capacityFor(neighbours) + 3)) * 4;
}

/**
 * Mean distance of each query to its `neighbours` nearest other candidates:
 *   out[i] = mean of the smallest sqrt(D/W)(i, j), j != i
 * Candidates lie in blocks of eight that share y. Queries come in fours that share a half block.
 * Layout: out [8 blocks] float64, only queries' places written; quads i32: the first place of each four queries; values
 * [8 blocks,length], rest [8 blocks]: D = |v_i-v_j|^2 + rest_i + rest_j; middle [8 blocks,middleLength]: coefficients of
 * the second test (middleLength 0: none); coefs [blocks,terms,8]: those of the first; half [8 blocks]: half of their squared
 * norm, lessened by what rounding may add, 3e38 where there is no candidate; x [8 blocks] and y [blocks] positions; float32.
 * slack: what rounding may add to a bound, per unit of half. The bounds must hold: |a_i-a_j|^2 and |m_i-m_j|^2 <= D.
 * rank: about how many candidates of the first chunk of blocks are to be within the first guess of a limit, 0 for no guess;
 * a wrong guess costs time, it does not change the result. Scratch of meanNearestScratch bytes. 1 <= neighbours < candidates.
 * Quads [begin,end) are computed; any split and any order of the blocks gives the same bits.
 * Source: distances of Goferman et al. 2010, equations 1-3.
 */
export function meanNearest(
  out: usize,
  scratch: usize,
  quads: usize,
  values: usize,
  rest: usize,
  middle: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  blocks: i32,
  length: i32,
  middleLength: i32,
  terms: i32,
  neighbours: i32,
  slack: f32,
  rank: i32,
  begin: i32,
  end: i32,
): void {
  for (let quad = begin; quad < end; quad += group) {
    const stop = min(end, quad + group);
    meanNearestGroup(
      out,
      scratch,
      quads + ((<usize>quad) << 2),
      values,
      rest,
      middle,
      coefs,
      half,
      x,
      y,
      blocks,
      length,
      middleLength,
      terms,
      neighbours,
      slack,
      rank,
      stop - quad,
    );
  }
}

/** meanNearest for at most `group` quads. */
function meanNearestGroup(
  out: usize,
  scratch: usize,
  quads: usize,
  values: usize,
  rest: usize,
  middle: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  blocks: i32,
  length: i32,
  middleLength: i32,
  terms: i32,
  neighbours: i32,
  slack: f32,
  rank: i32,
  quadCount: i32,
): void {
  const capacity = capacityFor(neighbours);
  const masks = scratch; // [4,64] bytes
  const list = masks + 4 * chunk; // [8 chunk]
  const minima = list + (chunk << 5); // [128]
  const halfLimits = minima + (minimaBlocks << 5); // [4 group], as the next two
  const limits = halfLimits + 16 * group;
  const counts = limits + 16 * group; // -1: nothing to do
  const found = counts + 16 * group; // [4 group, capacity]
  const foundBytes = (<usize>capacity) << 2;
  const queryCount = quadCount << 2;

  let pending = 0;
  for (let n = 0; n < queryCount; n++) {
    const isQuery = load<f32>(half + ((<usize>(load<i32>(quads + ((<usize>(n >> 2)) << 2)) + (n & 3))) << 2)) < noLimit;
    pending += i32(isQuery);
    store<i32>(counts + ((<usize>n) << 2), isQuery ? 0 : -1);
    store<f32>(limits + ((<usize>n) << 2), noLimit);
    store<f32>(halfLimits + ((<usize>n) << 2), isQuery ? <f32>0.5 * noLimit : -noLimit);
  }
  // First limits from the candidates of the first chunk that seem nearest.
  for (let quad = 0; quad < quadCount && rank > 0 && blocks >= chunk; quad++) {
    const first = load<i32>(quads + ((<usize>quad) << 2));
    const quadLimits = halfLimits + ((<usize>quad) << 4);
    for (let q = 0; q < 4; q++) {
      if (load<i32>(counts + ((<usize>(4 * quad + q)) << 2)) < 0) continue;
      const guess = guessLimit(minima, coefs, half, x, y, first + q, terms, min(2 * rank, minimaBlocks << 3), 0, chunk);
      store<f32>(quadLimits + ((<usize>q) << 2), <f32>0.5 * guess + tiny);
    }
    filterTile(masks, coefs, half, x, y, quadLimits, first, terms, 0, chunk);
    for (let q = 0; q < 4; q++) {
      if (load<i32>(counts + ((<usize>(4 * quad + q)) << 2)) < 0) continue;
      const hits = listHits(list, masks + <usize>(q * chunk), chunk, 0);
      const count = appendNear(found, list, values, rest, x, y, 0, hits, first + q, length, noLimit);
      const limit = count == 0 ? noLimit : kthSmallest(found, count, min(rank, count), noLimit);
      store<f32>(limits + ((<usize>(4 * quad + q)) << 2), limit);
      store<f32>(quadLimits + ((<usize>q) << 2), <f32>0.5 * limit + tiny);
    }
  }

  while (pending > 0) {
    for (let b = 0; b < blocks; b += chunk) {
      const stop = min(blocks, b + chunk);
      if (stop < b + chunk) memory.fill(masks, 0, 4 * chunk);
      for (let quad = 0; quad < quadCount; quad++) {
        if (i32x4.bitmask(v128.load(counts + ((<usize>quad) << 4))) == 15) continue; // all four are done
        const first = load<i32>(quads + ((<usize>quad) << 2));
        filterTile(masks, coefs, half, x, y, halfLimits + ((<usize>quad) << 4), first, terms, b, stop);
        for (let q = 0; q < 4; q++) {
          const n = <usize>(4 * quad + q);
          let count = load<i32>(counts + (n << 2));
          if (count < 0) continue;
          const i = first + q;
          const limit = load<f32>(limits + (n << 2));
          const near = found + n * foundBytes;
          let hits = listHits(list, masks + <usize>(q * chunk), chunk, b << 3);
          if (middleLength > 0) hits = keepNear(list, middle, half, x, y, hits, i, middleLength, limit + tiny, slack);
          count = appendNear(near, list, values, rest, x, y, count, hits, i, length, limit);
          if (count >= neighbours + (neighbours >> 1)) {
            const lower = kthSmallest(near, count, neighbours, limit);
            keepSmallest(near, count, neighbours, lower);
            count = neighbours;
            store<f32>(limits + (n << 2), lower);
            store<f32>(halfLimits + (n << 2), <f32>0.5 * lower + tiny);
          }
          store<i32>(counts + (n << 2), count);
        }
      }
    }
    for (let n = 0; n < queryCount; n++) {
      const count = load<i32>(counts + ((<usize>n) << 2));
      if (count < 0) continue;
      if (count < neighbours) {
        // the guess was too low: once more without
        store<f32>(limits + ((<usize>n) << 2), noLimit);
        store<f32>(halfLimits + ((<usize>n) << 2), <f32>0.5 * noLimit);
        store<i32>(counts + ((<usize>n) << 2), 0);
        continue;
      }
      const near = found + <usize>n * foundBytes;
      const t = kthSmallest(near, count, neighbours, load<f32>(limits + ((<usize>n) << 2)));
      keepSmallest(near, count, neighbours, t);
      const i = load<i32>(quads + ((<usize>(n >> 2)) << 2)) + (n & 3);
      store<f64>(out + ((<usize>i) << 3), meanRoot(near, neighbours));
      store<i32>(counts + ((<usize>n) << 2), -1);
      store<f32>(halfLimits + ((<usize>n) << 2), -noLimit); // nothing passes any more
      pending--;
    }
  }
}
