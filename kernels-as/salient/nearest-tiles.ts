import { boxOf, farthestSquared } from "./nearest-boxes";
import { weightsOf } from "./nearest-weight";
import { stepsOfNorm } from "./patches";

// The tests of the search for nearest patches (nearest.ts) that go over few coefficients: tiles of four queries by a block of eight
// candidates, then pairs.

/** Least c in the bound of W in filterTile: about the extent of a block. */
const leastRoot: f32 = 0.05;

/**
 * What rounding to 16 bits can hide in a product of two vectors of 2 pairCount elements, each of norm stepsOfNorm: half a step
 * times the sum of the elements' magnitudes, of either vector, and a quarter for each pair of errors.
 * Source: |xy - ab| <= |x - a| |b| + |y - b| |a| + |x - a| |y - b|, summed, each rounding at most half a step, sum |a| <= sqrt(n) |a|.
 */
export function slackOf(pairCount: i32): i32 {
  const root = sqrt<f64>(2 * <f64>pairCount);
  return <i32>ceil(root * (stepsOfNorm + root)) + 2 * pairCount;
}

/** dot * unit_j * unit_q - half_j, four candidates at once. */
@inline
export function dotLessHalf(steps: v128, unit: v128, unitQuery: v128, half: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(steps), unit), unitQuery), half);
}

/** Lanes where dot * unit_j * unit_q - half_j + slope * r^2 >= least. */
@inline
function passes(steps: v128, unit: v128, unitQuery: v128, half: v128, dx: v128, dy: v128, slope: v128, least: v128): v128 {
  const r2 = f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy));
  return f32x4.ge(f32x4.add(dotLessHalf(steps, unit, unitQuery, half), f32x4.mul(slope, r2)), least);
}

/**
 * sums[q,l] = (isFirst ? start : sums[q,l]) + the products of the pairs of four queries, from q to stop, and eight candidates, from a.
 * Layout: sums [4,8] i32; pairs of two i16, [k,8] from one multiple of 32 bytes to the next.
 */
@inline
function addProducts(sums: usize, a: usize, q: usize, stop: usize, start: v128, isFirst: bool): void {
  let s00 = isFirst ? start : v128.load(sums);
  let s01 = isFirst ? start : v128.load(sums, 16);
  let s10 = isFirst ? start : v128.load(sums, 32);
  let s11 = isFirst ? start : v128.load(sums, 48);
  let s20 = isFirst ? start : v128.load(sums, 64);
  let s21 = isFirst ? start : v128.load(sums, 80);
  let s30 = isFirst ? start : v128.load(sums, 96);
  let s31 = isFirst ? start : v128.load(sums, 112);
  while (q < stop) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, 16);
    let p = v128.load32_splat(q);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(p, a0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(p, a1));
    p = v128.load32_splat(q, 4);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(p, a0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(p, a1));
    p = v128.load32_splat(q, 8);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(p, a0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(p, a1));
    p = v128.load32_splat(q, 12);
    s30 = i32x4.add(s30, i32x4.dot_i16x8_s(p, a0));
    s31 = i32x4.add(s31, i32x4.dot_i16x8_s(p, a1));
    a += 32; // pairs at [b, k+1, 0]
    q += 32; // the queries' pair k+1
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums, s10, 32);
  v128.store(sums, s11, 48);
  v128.store(sums, s20, 64);
  v128.store(sums, s21, 80);
  v128.store(sums, s30, 96);
  v128.store(sums, s31, 112);
}

/**
 * The second test, for whole tiles, four queries by a block of eight candidates: keeps those of `count` listed blocks in which for some
 * query q and candidate j
 *   a_q . a_j - half_j >= half_q - halfLimits[q] * (W of the place farthest from q in the block's box),
 * without which |a_q - a_j|^2 > limit * W for all; returns how many. kept may be list. a: the first shared + 1 pairs, in units, their
 * product with room for their rounding (slack). Of the kept blocks
 *   sums[n,q,l] = slack + the product of the first `shared` pairs of q and j = 8 kept[n] + l, in steps
 * Layout: list, kept [count] i32; sums [count,4,8] i32, pairs [blocks,pairCount,8] of two i16, unit, half, x and y [blocks,8], boxes
 * as boundBlocks makes them, halfLimits [4] float32, need: scratch [4] float32; first: place of the first query, a multiple of 4.
 * Source: as filterTile, with the first pairs alone and W at its largest; checked against all pairs.
 */
export function keepBlocks(
  kept: usize, sums: usize, list: usize, pairs: usize, unit: usize, half: usize, x: usize, y: usize, boxes: usize, halfLimits: usize,
  need: usize, count: i32, first: i32, shared: i32, pairCount: i32, slack: i32
): i32 {
  const query = pairs + ((<usize>((first >> 3) * pairCount)) << 5) + ((<usize>(first & 7)) << 2);
  const stop = query + ((<usize>shared) << 5);
  const at = (<usize>first) << 2;
  const last = list + ((<usize>count) << 2);
  let to = kept;
  for (let from = list; from < last; from += 4) {
    const b = i32.load(from);
    let a = pairs + ((<usize>(b * pairCount)) << 5);
    let q = query;
    addProducts(sums, a, q, stop, i32x4.splat(slack), true);
    a += <usize>shared << 5; // the pair with what is left
    q = stop;
    // One lane for each query.
    const squared = farthestSquared(boxOf(boxes, b), v128.load(x + at), v128.load(y + at));
    const most = f32x4.mul(v128.load(halfLimits), weightsOf(squared));
    v128.store(need, f32x4.sub(v128.load(half + at), most));
    const place = (<usize>b) << 5; // [b, 0]
    const a0 = v128.load(a);
    const a1 = v128.load(a, 16);
    const h0 = v128.load(half + place);
    const h1 = v128.load(half + place, 16);
    const u0 = v128.load(unit + place);
    const u1 = v128.load(unit + place, 16);
    let any = f32x4.splat(0);
    let sum = sums;
    let own = unit + at;
    let least = need;
    const end = q + 16;
    while (q < end) {
      const p = v128.load32_splat(q);
      const u = v128.load32_splat(own);
      const s0 = i32x4.add(v128.load(sum), i32x4.dot_i16x8_s(p, a0));
      const s1 = i32x4.add(v128.load(sum, 16), i32x4.dot_i16x8_s(p, a1));
      const d = f32x4.pmax(dotLessHalf(s0, u0, u, h0), dotLessHalf(s1, u1, u, h1));
      any = v128.or(any, f32x4.ge(d, v128.load32_splat(least)));
      q += 4; // the next query's pair
      own += 4;
      least += 4;
      sum += 32;
    }
    i32.store(to, b);
    const isNear = <usize>i32(v128.any_true(any));
    to += isNear << 2;
    sums += isNear << 7; // sums at [n+1, 0, 0]
  }
  return <i32>((to - kept) >> 2);
}

/**
 * The third test, for pairs of patches, four queries by `count` listed blocks of eight candidates:
 *   bit l of masks[q, n] = a_q . a_j - half_j >= half_q - halfLimits[q] * W(q,j),   j = 8 list[n] + l,
 * without which |a_q - a_j|^2 > limit * W. a: the pairs of the sums (shared) and the farPairs pairs from shared + 1 on. Layout as
 * keepBlocks; sums are added to; masks [4,64] bytes; scratch [8] float32; count <= 64.
 * Source: Cauchy-Schwarz: the product of what is left out is at most that of the norms, which are its last pair; checked against all pairs.
 */
export function filterTile(
  masks: usize, sums: usize, list: usize, pairs: usize, unit: usize, half: usize, x: usize, y: usize, boxes: usize, halfLimits: usize,
  scratch: usize, count: i32, first: i32, shared: i32, farPairs: i32, pairCount: i32
): void {
  const offset = (<usize>(shared + 1)) << 5;
  const query = pairs + ((<usize>((first >> 3) * pairCount)) << 5) + ((<usize>(first & 7)) << 2) + offset;
  const stop = query + ((<usize>farPairs) << 5);
  const atQuery = (<usize>first) << 2;
  let sum = sums;
  for (let n = 0; n < count; n++) {
    const b = i32.load(list + ((<usize>n) << 2));
    const at = (<usize>b) << 5; // [b, 0]
    const a = pairs + at * <usize>pairCount + offset;
    addProducts(sum, a, query, stop, i32x4.splat(0), false);
    // W without a root for each pair: 1 + 2 r + r^2 <= 1 + c + (1 + 1/c) r^2 for any c, here r of the corner of the box that is
    // farthest from the query.
    const squared = farthestSquared(boxOf(boxes, b), v128.load(x + atQuery), v128.load(y + atQuery));
    const c = f32x4.pmax(f32x4.sqrt(squared), f32x4.splat(leastRoot));
    const limit = v128.load(halfLimits);
    v128.store(scratch, f32x4.sub(v128.load(half + atQuery), f32x4.add(limit, f32x4.mul(limit, c))));
    v128.store(scratch, f32x4.add(limit, f32x4.div(limit, c)), 16);
    const x0 = v128.load(x + at);
    const x1 = v128.load(x + at, 16);
    const y0 = v128.load(y + at);
    const y1 = v128.load(y + at, 16);
    const h0 = v128.load(half + at);
    const h1 = v128.load(half + at, 16);
    const u0 = v128.load(unit + at);
    const u1 = v128.load(unit + at, 16);
    let to = masks + <usize>n;
    for (let t: usize = 0; t < 16; t += 4) {
      const least = v128.load32_splat(scratch + t);
      const slope = v128.load32_splat(scratch + t, 16);
      const px = v128.load32_splat(x + atQuery + t);
      const py = v128.load32_splat(y + atQuery + t);
      const u = v128.load32_splat(unit + atQuery + t);
      const m0 = passes(v128.load(sum), u0, u, h0, f32x4.sub(x0, px), f32x4.sub(y0, py), slope, least);
      const m1 = passes(v128.load(sum, 16), u1, u, h1, f32x4.sub(x1, px), f32x4.sub(y1, py), slope, least);
      const bits = i16x8.narrow_i32x4_s(m0, m1);
      store<u8>(to, i8x16.bitmask(i8x16.narrow_i16x8_s(bits, bits)));
      to += 64; // masks at [q+1, n]
      sum += 32;
    }
  }
}

/**
 * Lists the places of the set bits of n mask bytes, byte i standing for block list[i]. hits [8n] i32; masks readable, list
 * not, up to a multiple of 8. Bits of bytes beyond n are not looked at. Returns how many.
 * Source: definition.
 */
export function listHits(hits: usize, masks: usize, list: usize, n: i32): i32 {
  let to = hits;
  for (let i = 0; i < n; i += 8) {
    let word = load<u64>(masks + <usize>i);
    if (n - i < 8) word &= ((<u64>1) << (<u64>((n - i) << 3))) - 1;
    const blocks = list + ((<usize>i) << 2);
    while (word != 0) {
      const bit = <i32>ctz(word);
      i32.store(to, (i32.load(blocks + ((<usize>(bit >> 3)) << 2)) << 3) + (bit & 7));
      to += 4;
      word &= word - 1;
    }
  }
  return <i32>((to - hits) >> 2);
}
