import { countAtMost, keepSmallest, kthSmallest, meanRoot } from "./select";

// Weighted nearest neighbours among patches: d(i,j)^2 = D(i,j) / W(i,j) with
//   D = |v_i - v_j|^2 + rest_i + rest_j,   W = (1 + |pos_i - pos_j|)^2,
// found by tests, each surer and dearer than the one before: boxes around blocks of eight candidates that lie together; a
// bound from few coefficients for tiles of four queries by a block; one from more coefficients for pairs; D itself. A pair is
// left out only where it lies beyond an upper limit of the K-th smallest, so the K smallest are exact, ties included, for any
// order and any split.

/** Blocks of eight candidates that are tested before hits are looked at: their vectors stay in the second-level cache. */
const chunk: i32 = 64;
/** Fours of queries that see a chunk before the next chunk is taken. */
const group: i32 = 8;
/** Larger than every limit that can occur, small enough that limit times weight stays finite. */
const noLimit: f32 = 1e30;
/** Added to limits in the bound tests: beyond what rounding of denormal numbers can lose. */
const tiny: f32 = 1e-36;
/** Blocks after which limits are guessed again for the first time. */
const firstLook: i32 = 128;
/** Minima that a first guess is taken from; each over every 16th block. */
const minimaBlocks: i32 = 16;

/** Rows of numbers that a group of four blocks has in `boxes`: see boundBlocks. */
const boxRows: i32 = 11;
/** Coordinates of boxes besides the position. */
const boxTerms: i32 = 3;
/** How much wider boxes are than the values in them, relative to these: beyond what rounding may add to a distance. */
const boxRoom: f32 = 1e-6;

/** Sum of four lanes, in pairs. */
function sumLanes(s: v128): f32 {
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

/** Lanes where dot - half + limit * W >= queryHalf, given dot - half. */
function passes(dotLessHalf: v128, limit: v128, dx: v128, dy: v128, queryHalf: v128): v128 {
  return f32x4.ge(f32x4.add(dotLessHalf, f32x4.mul(limit, weights(dx, f32x4.mul(dy, dy)))), queryHalf);
}

/** Address of block b's number in row 0 of `boxes`. */
function boxOf(boxes: usize, b: i32): usize {
  return boxes + <usize>((b >> 2) * (boxRows << 4) + ((b & 3) << 2));
}

/**
 * Bounds of the blocks [begin,end) of eight places, for groups of four blocks:
 *   boxes[b/4, 2k, b%4], boxes[b/4, 2k+1, b%4] = least, greatest of coordinate k in block b, k = x, y, coefs 0, 1, 2
 *   boxes[b/4, 10, b%4] = least rest; 3e38 in a block without candidates
 * of the candidates (half < 1e30), the boxes a little widened, by a millionth of their values and of the norm of coefs.
 * Layout: boxes [blocks/4 rounded up,11,4]; coefs [blocks,3,8]; rest, half, x, y [blocks,8]; float32.
 */
export function boundBlocks(
  boxes: usize,
  coefs: usize,
  rest: usize,
  half: usize,
  x: usize,
  y: usize,
  begin: i32,
  end: i32,
): void {
  for (let b = begin; b < end; b++) {
    const box = boxOf(boxes, b);
    let isEmpty = true;
    let norm: f32 = 0;
    let leastRest: f32 = 3e38;
    for (let lane = 0; lane < 8; lane++) {
      const at = (<usize>(8 * b + lane)) << 2;
      const h = load<f32>(half + at);
      if (h >= noLimit) continue;
      norm = max(norm, h);
      leastRest = min(leastRest, load<f32>(rest + at));
      for (let k = 0; k < 2 + boxTerms; k++) {
        const value = k == 0 ? x + at : k == 1 ? y + at : coefs + ((<usize>(8 * (b * boxTerms + k - 2) + lane)) << 2);
        const v = load<f32>(value);
        const to = box + ((<usize>k) << 5);
        store<f32>(to, isEmpty ? v : min(v, load<f32>(to)));
        store<f32>(to, isEmpty ? v : max(v, load<f32>(to, 16)), 16);
      }
      isEmpty = false;
    }
    store<f32>(box, leastRest, (2 + boxTerms) << 5);
    if (isEmpty) continue;
    norm = sqrt<f32>(2 * norm);
    for (let k = 0; k < 2 + boxTerms; k++) {
      const to = box + ((<usize>k) << 5);
      const low = load<f32>(to);
      const high = load<f32>(to, 16);
      const room = boxRoom * (k < 2 ? high : norm); // positions are not negative
      store<f32>(to, low - room);
      store<f32>(to, high + room, 16);
    }
  }
}

/** How far beyond the interval [low,high] values lie, squared; 0 within. */
function gap2(value: v128, low: v128, high: v128): v128 {
  const gap = f32x4.pmax(f32x4.splat(0), f32x4.pmax(f32x4.sub(low, value), f32x4.sub(value, high)));
  return f32x4.mul(gap, gap);
}

/**
 * The first test, for four queries and the blocks [begin,end): lists those for which for some query q
 *   squared distance of coefs of q to the block's box + rest_q + least rest <= 2 halfLimits[q] * 1.00001 * W,
 * W that of the places farthest apart in the boxes of queries and block, without which D > limit * W for all; returns how
 * many. 1.00001: beyond what rounding may add to a distance.
 * Layout: list [end - begin + 3] i32; scratch [(end - begin + 3) * 2] float32; coefs [blocks,3,8], rest, x and y [blocks,8],
 * boxes as boundBlocks makes them, with 3e38 in row 10 beyond the last block, halfLimits [4] float32; first: place of the first
 * query, a multiple of 4; begin a multiple of 4.
 */
export function nearBlocks(
  list: usize,
  scratch: usize,
  coefs: usize,
  rest: usize,
  x: usize,
  y: usize,
  boxes: usize,
  halfLimits: usize,
  first: i32,
  begin: i32,
  end: i32,
): i32 {
  const groups = (end - begin + 3) >> 2;
  const start = boxOf(boxes, begin);
  const stop = start + <usize>(groups * (boxRows << 4));
  const anyAt = <usize>(groups << 4); // scratch [2, groups, 4]: W, then lanes that some query keeps
  const at = (<usize>first) << 2;
  const qx = v128.load(x + at);
  const qy = v128.load(y + at);
  const low = f32x4.pmin(v128.shuffle<f32>(qx, qy, 0, 1, 4, 5), v128.shuffle<f32>(qx, qy, 2, 3, 6, 7));
  const high = f32x4.pmax(v128.shuffle<f32>(qx, qy, 0, 1, 4, 5), v128.shuffle<f32>(qx, qy, 2, 3, 6, 7));
  const left = f32x4.splat(min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)));
  const right = f32x4.splat(max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1)));
  const top = f32x4.splat(min(f32x4.extract_lane(low, 2), f32x4.extract_lane(low, 3)));
  const bottom = f32x4.splat(max(f32x4.extract_lane(high, 2), f32x4.extract_lane(high, 3)));
  let w = scratch;
  for (let box = start; box < stop; box += boxRows << 4) {
    const dx = f32x4.pmax(f32x4.sub(right, v128.load(box)), f32x4.sub(v128.load(box, 16), left));
    const dy = f32x4.pmax(f32x4.sub(bottom, v128.load(box, 32)), f32x4.sub(v128.load(box, 48), top));
    v128.store(w, weights(dx, f32x4.mul(dy, dy)));
    v128.store(w + anyAt, f32x4.splat(0));
    w += 16;
  }
  const query = coefs + ((<usize>((first >> 3) * boxTerms)) << 5) + ((<usize>(first & 7)) << 2);
  for (let q: usize = 0; q < 16; q += 4) {
    const a0 = v128.load32_splat(query + q);
    const a1 = v128.load32_splat(query + q, 32);
    const a2 = v128.load32_splat(query + q, 64);
    const own = v128.load32_splat(rest + at + q);
    const limit = f32x4.splat(load<f32>(halfLimits + q) * <f32>2.00002);
    w = scratch;
    for (let box = start; box < stop; box += boxRows << 4) {
      const most = f32x4.sub(f32x4.mul(limit, v128.load(w)), own);
      let sum = f32x4.add(v128.load(box, 160), gap2(a0, v128.load(box, 64), v128.load(box, 80)));
      sum = f32x4.add(sum, gap2(a1, v128.load(box, 96), v128.load(box, 112)));
      sum = f32x4.add(sum, gap2(a2, v128.load(box, 128), v128.load(box, 144)));
      v128.store(w + anyAt, v128.or(v128.load(w + anyAt), f32x4.le(sum, most)));
      w += 16;
    }
  }
  let to = list;
  w = scratch + anyAt;
  for (let n = 0; n < groups; n++) {
    const bits = i32x4.bitmask(v128.load(w + ((<usize>n) << 4)));
    const b = begin + (n << 2);
    store<i32>(to, b);
    to += (<usize>(bits & 1)) << 2;
    store<i32>(to, b + 1);
    to += (<usize>(bits & 2)) << 1;
    store<i32>(to, b + 2);
    to += <usize>(bits & 4);
    store<i32>(to, b + 3);
    to += (<usize>(bits & 8)) >> 1;
  }
  return <i32>((to - list) >> 2);
}

/**
 * The second test, for whole tiles, four queries by a block of eight candidates: keeps those of `count` listed blocks in which for some
 * query q and candidate j
 *   a_q . a_j - half_j >= half_q - halfLimits[q] * (W of the place farthest from q in the block's box),
 * without which |a_q - a_j|^2 > limit * W for all; returns how many. kept may be list. Of the kept blocks
 *   sums[n,q,l] = sum over k < terms - 1 of a_q[k] a_j[k] - half_j,   j = 8 kept[n] + l
 * Layout: list, kept [count] i32; sums [count,4,8], coefs [blocks,terms,8], half, x and y [blocks,8], boxes as boundBlocks
 * makes them, halfLimits [4] float32; first: place of the first query, a multiple of 4.
 */
export function keepBlocks(
  kept: usize,
  sums: usize,
  list: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  boxes: usize,
  halfLimits: usize,
  count: i32,
  first: i32,
  terms: i32,
): i32 {
  const query = coefs + ((<usize>((first >> 3) * terms)) << 5) + ((<usize>(first & 7)) << 2);
  const stop = query + ((<usize>(terms - 1)) << 5);
  const at = (<usize>first) << 2;
  const last = list + ((<usize>count) << 2);
  let to = kept;
  for (let from = list; from < last; from += 4) {
    const b = load<i32>(from);
    let a = coefs + ((<usize>(b * terms)) << 5);
    let q = query;
    let s00 = f32x4.neg(v128.load(half + ((<usize>b) << 5)));
    let s01 = f32x4.neg(v128.load(half + ((<usize>b) << 5), 16));
    let s10 = s00;
    let s11 = s01;
    let s20 = s00;
    let s21 = s01;
    let s30 = s00;
    let s31 = s01;
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
    v128.store(sums, s00);
    v128.store(sums, s01, 16);
    v128.store(sums, s10, 32);
    v128.store(sums, s11, 48);
    v128.store(sums, s20, 64);
    v128.store(sums, s21, 80);
    v128.store(sums, s30, 96);
    v128.store(sums, s31, 112);
    // The last term.
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
    const box = boxOf(boxes, b);
    // One lane for each query.
    const qx = v128.load(x + at);
    const qy = v128.load(y + at);
    const dx = f32x4.pmax(f32x4.sub(v128.load32_splat(box, 16), qx), f32x4.sub(qx, v128.load32_splat(box)));
    const dy = f32x4.pmax(f32x4.sub(v128.load32_splat(box, 48), qy), f32x4.sub(qy, v128.load32_splat(box, 32)));
    const most = f32x4.mul(v128.load(halfLimits), weights(dx, f32x4.mul(dy, dy)));
    const need = f32x4.sub(v128.load(half + at), most);
    const any = v128.or(
      v128.or(
        f32x4.ge(f32x4.pmax(s00, s01), v128.shuffle<f32>(need, need, 0, 0, 0, 0)),
        f32x4.ge(f32x4.pmax(s10, s11), v128.shuffle<f32>(need, need, 1, 1, 1, 1)),
      ),
      v128.or(
        f32x4.ge(f32x4.pmax(s20, s21), v128.shuffle<f32>(need, need, 2, 2, 2, 2)),
        f32x4.ge(f32x4.pmax(s30, s31), v128.shuffle<f32>(need, need, 3, 3, 3, 3)),
      ),
    );
    store<i32>(to, b);
    const isNear = <usize>i32(v128.any_true(any));
    to += isNear << 2;
    sums += isNear << 7; // sums at [n+1, 0, 0]
  }
  return <i32>((to - kept) >> 2);
}

/**
 * The third test, for pairs, four queries by `count` listed blocks of eight candidates:
 *   bit l of masks[q, n] = sums[n,q,l] + a_q . a_j >= half_q - halfLimits[q] * W(q,j),   j = 8 list[n] + l
 * that is |c_q - c_j|^2 <= limit * W for the coefficients c of the sums and these. Layout as keepBlocks; masks [4,64] bytes;
 * count <= 64.
 */
export function filterTile(
  masks: usize,
  sums: usize,
  list: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  halfLimits: usize,
  count: i32,
  first: i32,
  terms: i32,
): void {
  const query = coefs + ((<usize>((first >> 3) * terms)) << 5) + ((<usize>(first & 7)) << 2);
  const stop = query + ((<usize>terms) << 5);
  const queryHalf = half + ((<usize>first) << 2);
  const queryX = x + ((<usize>first) << 2);
  const queryY = y + ((<usize>first) << 2);
  for (let n = 0; n < count; n++) {
    const b = load<i32>(list + ((<usize>n) << 2));
    const at = (<usize>b) << 5; // [b, 0]
    let a = coefs + at * <usize>terms;
    let q = query;
    let s00 = v128.load(sums);
    let s01 = v128.load(sums, 16);
    let s10 = v128.load(sums, 32);
    let s11 = v128.load(sums, 48);
    let s20 = v128.load(sums, 64);
    let s21 = v128.load(sums, 80);
    let s30 = v128.load(sums, 96);
    let s31 = v128.load(sums, 112);
    sums += 128; // [n+1, 0, 0]
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
    const x0 = v128.load(x + at);
    const x1 = v128.load(x + at, 16);
    const y0 = v128.load(y + at);
    const y1 = v128.load(y + at, 16);
    let qx = v128.load32_splat(queryX);
    let qy = v128.load32_splat(queryY);
    let qh = v128.load32_splat(queryHalf);
    let limit = v128.load32_splat(halfLimits);
    const m0 = i16x8.narrow_i32x4_s(
      passes(s00, limit, f32x4.sub(x0, qx), f32x4.sub(y0, qy), qh),
      passes(s01, limit, f32x4.sub(x1, qx), f32x4.sub(y1, qy), qh),
    );
    qx = v128.load32_splat(queryX, 4);
    qy = v128.load32_splat(queryY, 4);
    qh = v128.load32_splat(queryHalf, 4);
    limit = v128.load32_splat(halfLimits, 4);
    const m1 = i16x8.narrow_i32x4_s(
      passes(s10, limit, f32x4.sub(x0, qx), f32x4.sub(y0, qy), qh),
      passes(s11, limit, f32x4.sub(x1, qx), f32x4.sub(y1, qy), qh),
    );
    qx = v128.load32_splat(queryX, 8);
    qy = v128.load32_splat(queryY, 8);
    qh = v128.load32_splat(queryHalf, 8);
    limit = v128.load32_splat(halfLimits, 8);
    const m2 = i16x8.narrow_i32x4_s(
      passes(s20, limit, f32x4.sub(x0, qx), f32x4.sub(y0, qy), qh),
      passes(s21, limit, f32x4.sub(x1, qx), f32x4.sub(y1, qy), qh),
    );
    qx = v128.load32_splat(queryX, 12);
    qy = v128.load32_splat(queryY, 12);
    qh = v128.load32_splat(queryHalf, 12);
    limit = v128.load32_splat(halfLimits, 12);
    const m3 = i16x8.narrow_i32x4_s(
      passes(s30, limit, f32x4.sub(x0, qx), f32x4.sub(y0, qy), qh),
      passes(s31, limit, f32x4.sub(x1, qx), f32x4.sub(y1, qy), qh),
    );
    const bits01 = i8x16.bitmask(i8x16.narrow_i16x8_s(m0, m1));
    const bits23 = i8x16.bitmask(i8x16.narrow_i16x8_s(m2, m3));
    const to = masks + <usize>n;
    store<u8>(to, bits01);
    store<u8>(to, bits01 >> 8, 64);
    store<u8>(to, bits23, 128);
    store<u8>(to, bits23 >> 8, 192);
  }
}

/**
 * Lists the places of the set bits of n mask bytes, byte i standing for block list[i]. hits [8n] i32; masks readable, list
 * not, up to a multiple of 8. Bits of bytes beyond n are not looked at. Returns how many.
 */
export function listHits(hits: usize, masks: usize, list: usize, n: i32): i32 {
  let to = hits;
  for (let i = 0; i < n; i += 8) {
    let word = load<u64>(masks + <usize>i);
    if (n - i < 8) word &= ((<u64>1) << (<u64>((n - i) << 3))) - 1;
    const blocks = list + ((<usize>i) << 2);
    while (word != 0) {
      const bit = <i32>ctz(word);
      store<i32>(to, (load<i32>(blocks + ((<usize>(bit >> 3)) << 2)) << 3) + (bit & 7));
      to += 4;
      word &= word - 1;
    }
  }
  return <i32>((to - hits) >> 2);
}

/**
 * A first guess for a limit: about the rank-th smallest 2 (half_i + half_j - a_i . a_j) / W(i,j) of the candidates of blocks
 * [begin,end), a their first `used` coefficients, taken from 128 minima over every 128th candidate.
 * Scratch [128] float32; coefs [blocks,terms,8], used <= terms; end - begin a multiple of 16; 1 <= rank <= 128.
 */
export function guessLimit(
  scratch: usize,
  coefs: usize,
  half: usize,
  x: usize,
  y: usize,
  i: i32,
  terms: i32,
  used: i32,
  rank: i32,
  begin: i32,
  end: i32,
): f32 {
  const query = coefs + ((<usize>((i >> 3) * terms)) << 5) + ((<usize>(i & 7)) << 2);
  const stop = query + ((<usize>used) << 5);
  const unused = (<usize>(terms - used)) << 5;
  const qx = v128.load32_splat(x + ((<usize>i) << 2));
  const qy = v128.load32_splat(y + ((<usize>i) << 2));
  const hq = v128.load32_splat(half + ((<usize>i) << 2));
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
    a += unused;
    const at = (<usize>b) << 5;
    const to = scratch + ((<usize>(b & (minimaBlocks - 1))) << 5);
    const d0 = f32x4.sub(f32x4.add(v128.load(half + at), hq), s0);
    const d1 = f32x4.sub(f32x4.add(v128.load(half + at, 16), hq), s1);
    const dy0 = f32x4.sub(v128.load(y + at), qy);
    const dy1 = f32x4.sub(v128.load(y + at, 16), qy);
    const w0 = weights(f32x4.sub(v128.load(x + at), qx), f32x4.mul(dy0, dy0));
    const w1 = weights(f32x4.sub(v128.load(x + at, 16), qx), f32x4.mul(dy1, dy1));
    v128.store(to, f32x4.pmin(v128.load(to), f32x4.div(f32x4.pmax(zero, d0), w0)));
    v128.store(to, f32x4.pmin(v128.load(to, 16), f32x4.div(f32x4.pmax(zero, d1), w1)), 16);
  }
  return 2 * kthSmallest(scratch, minimaBlocks << 3, rank, 0, noLimit);
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
  const end = query + bytes;
  const xi = load<f32>(x + ((<usize>i) << 2));
  const yi = load<f32>(y + ((<usize>i) << 2));
  const ri = load<f32>(rest + ((<usize>i) << 2));
  const stop = list + ((<usize>count) << 2);
  let to = found + ((<usize>foundCount) << 2);
  // Two at a time share the loads of the query and hide each other's chains of additions.
  for (let from = list; from < stop; from += 8) {
    const isPair = from + 4 < stop;
    const j0 = load<i32>(from);
    const j1 = load<i32>(isPair ? from + 4 : from);
    let v = query;
    let u0 = values + <usize>j0 * bytes;
    let u1 = values + <usize>j1 * bytes;
    let s00 = f32x4.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    while (v + 32 <= end) {
      const v0 = v128.load(v);
      const v1 = v128.load(v, 16);
      const d00 = f32x4.sub(v0, v128.load(u0));
      const d01 = f32x4.sub(v1, v128.load(u0, 16));
      const d10 = f32x4.sub(v0, v128.load(u1));
      const d11 = f32x4.sub(v1, v128.load(u1, 16));
      s00 = f32x4.add(s00, f32x4.mul(d00, d00));
      s01 = f32x4.add(s01, f32x4.mul(d01, d01));
      s10 = f32x4.add(s10, f32x4.mul(d10, d10));
      s11 = f32x4.add(s11, f32x4.mul(d11, d11));
      v += 32; // values at [i, k+8]
      u0 += 32; // [j0, k+8]
      u1 += 32; // [j1, k+8]
    }
    if (v < end) {
      const d0 = f32x4.sub(v128.load(v), v128.load(u0));
      const d1 = f32x4.sub(v128.load(v), v128.load(u1));
      s00 = f32x4.add(s00, f32x4.mul(d0, d0));
      s10 = f32x4.add(s10, f32x4.mul(d1, d1));
    }
    const pair = isPair ? 2 : 1;
    for (let n = 0; n < pair; n++) {
      const j = n == 0 ? j0 : j1;
      const at = (<usize>j) << 2;
      const w = weight(load<f32>(y + at) - yi, load<f32>(x + at) - xi);
      const distance = sumLanes(n == 0 ? f32x4.add(s00, s01) : f32x4.add(s10, s11)) + (ri + load<f32>(rest + at));
      const d2 = distance / w;
      store<f32>(to, d2);
      to += (<usize>(i32(d2 <= limit) & i32(j != i))) << 2;
    }
  }
  return <i32>((to - found) >> 2);
}

/** float32 that a query's list of distances has room for. */
function capacityFor(neighbours: i32): i32 {
  return 2 * neighbours + (chunk << 3) + 8;
}

/** Bytes of scratch that meanNearest needs for `neighbours`. */
export function meanNearestScratch(neighbours: i32): i32 {
  return 4 * chunk + ((chunk << 3) + (chunk << 5) + 3 * chunk + (minimaBlocks << 3) + 4 * group * (capacityFor(neighbours) + 4)) * 4;
}

/**
 * Mean distance of each query to its `neighbours` nearest other candidates:
 *   out[i] = mean of the smallest sqrt(D/W)(i, j), j != i
 * Queries come in fours that share a half block.
 * Layout: out [8 blocks] float64, only queries' places written; quads i32: the first place of each four queries; values
 * [8 blocks,length], rest [8 blocks]: D = |v_i-v_j|^2 + rest_i + rest_j; near [blocks,3,8], middle
 * [blocks,middleTerms,8] and far [blocks,farTerms,8]: coefficients of the three tests; half [8 blocks]:
 * half of |v|^2 + rest, lessened by what rounding may add, 3e38 where there is no candidate; x and y [8 blocks] positions;
 * boxes as nearBlocks has them; float32. All finite. Bounds must hold: half_i + half_j - c_i.c_j <= D/2 for the coefficients c
 * of middle, and for those of middle without the last and far together; |c_i-c_j|^2 + rest_i + rest_j <= D for those of near, but for rounding.
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
  near: usize,
  middle: usize,
  far: usize,
  half: usize,
  x: usize,
  y: usize,
  boxes: usize,
  blocks: i32,
  length: i32,
  middleTerms: i32,
  farTerms: i32,
  neighbours: i32,
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
      near,
      middle,
      far,
      half,
      x,
      y,
      boxes,
      blocks,
      length,
      middleTerms,
      farTerms,
      neighbours,
      rank,
      stop - quad,
    );
  }
}

/**
 * How many of the `neighbours` nearest candidates are hardly ever exceeded among the first `seen` blocks of `blocks`: the
 * number expected, four standard deviations and one.
 */
function rankWithin(neighbours: i32, seen: i32, blocks: i32): i32 {
  const expected = (<f64>neighbours * <f64>seen) / <f64>blocks;
  return min(neighbours, <i32>ceil(expected + 4 * sqrt(expected)) + 1);
}

/** Writes the n block numbers from `first` on. */
function listBlocks(list: usize, first: i32, n: i32): void {
  for (let i = 0; i < n; i++) store<i32>(list + ((<usize>i) << 2), first + i);
}

/** meanNearest for at most `group` quads. */
function meanNearestGroup(
  out: usize,
  scratch: usize,
  quads: usize,
  values: usize,
  rest: usize,
  near: usize,
  middle: usize,
  far: usize,
  half: usize,
  x: usize,
  y: usize,
  boxes: usize,
  blocks: i32,
  length: i32,
  middleTerms: i32,
  farTerms: i32,
  neighbours: i32,
  rank: i32,
  quadCount: i32,
): void {
  const capacity = capacityFor(neighbours);
  const masks = scratch; // [4,64] bytes
  const hits = masks + 4 * chunk; // [8 chunk]
  const sums = hits + (chunk << 5); // [chunk,4,8]
  const list = sums + (chunk << 7); // [chunk]
  const blockScratch = list + (chunk << 2); // [2 chunk]
  const minima = blockScratch + (chunk << 3); // [128]
  const halfLimits = minima + (minimaBlocks << 5); // [4 group], as the next three
  const limits = halfLimits + 16 * group;
  const guesses = limits + 16 * group;
  const counts = guesses + 16 * group; // -1: nothing to do
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
  // First limits from the candidates of the first chunk that seem nearest: without the term that makes a bound of it, the
  // product is an estimate.
  const estimateTerms = middleTerms - 1;
  const isGuessing = rank > 0 && blocks >= chunk;
  for (let quad = 0; quad < quadCount && isGuessing; quad++) {
    const first = load<i32>(quads + ((<usize>quad) << 2));
    const quadLimits = halfLimits + ((<usize>quad) << 4);
    for (let q = 0; q < 4; q++) {
      if (load<i32>(counts + ((<usize>(4 * quad + q)) << 2)) < 0) continue;
      const most = min(2 * rank, minimaBlocks << 3);
      const guess = guessLimit(minima, middle, half, x, y, first + q, middleTerms, estimateTerms, most, 0, chunk);
      store<f32>(quadLimits + ((<usize>q) << 2), <f32>0.5 * guess + tiny);
    }
    listBlocks(list, 0, chunk);
    const kept = keepBlocks(list, sums, list, middle, half, x, y, boxes, quadLimits, chunk, first, middleTerms);
    filterTile(masks, sums, list, far, half, x, y, quadLimits, kept, first, 0);
    for (let q = 0; q < 4; q++) {
      if (load<i32>(counts + ((<usize>(4 * quad + q)) << 2)) < 0) continue;
      const hitCount = listHits(hits, masks + <usize>(q * chunk), list, kept);
      const count = appendNear(found, hits, values, rest, x, y, 0, hitCount, first + q, length, noLimit);
      const guess = <f32>2 * load<f32>(quadLimits + ((<usize>q) << 2));
      const limit = count < rank ? guess : kthSmallest(found, count, rank, 0, noLimit);
      store<f32>(limits + ((<usize>(4 * quad + q)) << 2), limit);
      store<f32>(guesses + ((<usize>(4 * quad + q)) << 2), limit);
      store<f32>(quadLimits + ((<usize>q) << 2), <f32>0.5 * limit + tiny);
    }
  }

  let isSure = !isGuessing;
  while (pending > 0) {
    let nextLook = firstLook;
    for (let b = 0; b < blocks; b += chunk) {
      const blockCount = min(chunk, blocks - b);
      let most = neighbours;
      if (!isSure && b + blockCount >= nextLook) {
        most = rankWithin(neighbours, b + blockCount, blocks);
        nextLook = (b + blockCount) + ((b + blockCount) >> 1);
      }
      for (let quad = 0; quad < quadCount; quad++) {
        if (i32x4.bitmask(v128.load(counts + ((<usize>quad) << 4))) == 15) continue; // all four are done
        const first = load<i32>(quads + ((<usize>quad) << 2));
        const quadLimits = halfLimits + ((<usize>quad) << 4);
        let kept = nearBlocks(list, blockScratch, near, rest, x, y, boxes, quadLimits, first, b, b + blockCount);
        kept = keepBlocks(list, sums, list, middle, half, x, y, boxes, quadLimits, kept, first, middleTerms);
        filterTile(masks, sums, list, far, half, x, y, quadLimits, kept, first, farTerms);
        for (let q = 0; q < 4; q++) {
          const n = <usize>(4 * quad + q);
          let count = load<i32>(counts + (n << 2));
          if (count < 0) continue;
          const limit = load<f32>(limits + (n << 2));
          const distances = found + n * foundBytes;
          const hitCount = listHits(hits, masks + <usize>(q * chunk), list, kept);
          count = appendNear(distances, hits, values, rest, x, y, count, hitCount, first + q, length, limit);
          if (count >= neighbours + (neighbours >> 1)) {
            const lower = kthSmallest(distances, count, neighbours, 0, limit);
            keepSmallest(distances, count, neighbours, lower);
            count = neighbours;
            store<f32>(limits + (n << 2), lower);
            store<f32>(halfLimits + (n << 2), <f32>0.5 * lower + tiny);
          } else if (count > most + (most >> 2)) {
            const lower = kthSmallest(distances, count, most, most >> 3, limit);
            const kept = countAtMost(distances, count, lower);
            keepSmallest(distances, count, kept, lower);
            count = kept;
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
        // A guess was too low: once more with the first one alone, then with none.
        const limit = isSure ? noLimit : load<f32>(guesses + ((<usize>n) << 2));
        store<f32>(limits + ((<usize>n) << 2), limit);
        store<f32>(halfLimits + ((<usize>n) << 2), <f32>0.5 * limit + tiny);
        store<i32>(counts + ((<usize>n) << 2), 0);
        continue;
      }
      const distances = found + <usize>n * foundBytes;
      const t = kthSmallest(distances, count, neighbours, 0, load<f32>(limits + ((<usize>n) << 2)));
      keepSmallest(distances, count, neighbours, t);
      const i = load<i32>(quads + ((<usize>(n >> 2)) << 2)) + (n & 3);
      store<f64>(out + ((<usize>i) << 3), meanRoot(distances, neighbours));
      store<i32>(counts + ((<usize>n) << 2), -1);
      store<f32>(halfLimits + ((<usize>n) << 2), -noLimit); // nothing passes any more
      pending--;
    }
    isSure = true;
  }
}
