import { boxOf, gap2 } from "./nearest-boxes";
import { noLimit, weights } from "./nearest-weight";
import { kthSmallest } from "./select";

// The tests of the search for nearest patches (nearest.ts) that go over few coefficients: tiles of four queries by a block of eight
// candidates, then pairs; and the first guesses of limits.

/** Minima that a first guess is taken from; each over every 16th block. */
export const minimaBlocks: i32 = 16;

/** Lanes where dot - half + limit * W >= queryHalf, given dot - half. */
function passes(dotLessHalf: v128, limit: v128, dx: v128, dy: v128, queryHalf: v128): v128 {
  return f32x4.ge(f32x4.add(dotLessHalf, f32x4.mul(limit, weights(dx, f32x4.mul(dy, dy)))), queryHalf);
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
