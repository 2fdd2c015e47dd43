import { noLimit, weights } from "./nearest-weight";

// The first test of the search for nearest patches (nearest.ts): boxes around blocks of eight candidates that lie together.

/** Rows of numbers that a group of four blocks has in `boxes`: see boundBlocks. */
const boxRows: i32 = 11;
/** Coordinates of boxes besides the position. */
const boxTerms: i32 = 3;
/** How much wider boxes are than the values in them, relative to these: beyond what rounding may add to a distance. */
const boxRoom: f32 = 1e-6;

/** Address of block b's number in row 0 of `boxes`. */
export function boxOf(boxes: usize, b: i32): usize {
  return boxes + <usize>((b >> 2) * (boxRows << 4) + ((b & 3) << 2));
}

/**
 * Bounds of the blocks [begin,end) of eight places, for groups of four blocks:
 *   boxes[b/4, 2k, b%4], boxes[b/4, 2k+1, b%4] = least, greatest of coordinate k in block b, k = x, y, coefs 0, 1, 2
 *   boxes[b/4, 10, b%4] = least rest; 3e38 in a block without candidates
 * of the candidates (half < 1e30), the boxes a little widened, by a millionth of their values and of the norm of coefs.
 * Layout: boxes [blocks/4 rounded up,11,4]; coefs [blocks,3,8]; rest, half, x, y [blocks,8]; float32.
 * Source: definition; what a distance to a box must be for nearBlocks to leave out no near pair.
 */
export function boundBlocks(boxes: usize, coefs: usize, rest: usize, half: usize, x: usize, y: usize, begin: i32, end: i32): void {
  for (let b = begin; b < end; b++) {
    const box = boxOf(boxes, b);
    let isEmpty = true;
    let norm: f32 = 0;
    let leastRest: f32 = 3e38;
    for (let lane = 0; lane < 8; lane++) {
      const at = (<usize>(8 * b + lane)) << 2;
      const h = f32.load(half + at);
      if (h >= noLimit) continue;
      norm = max(norm, h);
      leastRest = min(leastRest, f32.load(rest + at));
      for (let k = 0; k < 2 + boxTerms; k++) {
        const value = k == 0 ? x + at : k == 1 ? y + at : coefs + ((<usize>(8 * (b * boxTerms + k - 2) + lane)) << 2);
        const v = f32.load(value);
        const to = box + ((<usize>k) << 5);
        f32.store(to, isEmpty ? v : min(v, f32.load(to)));
        f32.store(to, isEmpty ? v : max(v, f32.load(to, 16)), 16);
      }
      isEmpty = false;
    }
    f32.store(box, leastRest, (2 + boxTerms) << 5);
    if (isEmpty) continue;
    norm = sqrt<f32>(2 * norm);
    for (let k = 0; k < 2 + boxTerms; k++) {
      const to = box + ((<usize>k) << 5);
      const low = f32.load(to);
      const high = f32.load(to, 16);
      const room = boxRoom * (k < 2 ? high : norm); // positions are not negative
      f32.store(to, low - room);
      f32.store(to, high + room, 16);
    }
  }
}

/** Squared distance of four places to the corner of a block's box that lies farthest from each. */
@inline
export function farthestSquared(box: usize, x: v128, y: v128): v128 {
  const dx = f32x4.pmax(f32x4.sub(v128.load32_splat(box, 16), x), f32x4.sub(x, v128.load32_splat(box)));
  const dy = f32x4.pmax(f32x4.sub(v128.load32_splat(box, 48), y), f32x4.sub(y, v128.load32_splat(box, 32)));
  return f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy));
}

/** How far beyond the interval [low,high] values lie, squared; 0 within. */
@inline
export function gap2(value: v128, low: v128, high: v128): v128 {
  const gap = f32x4.pmax(f32x4.splat(0), f32x4.pmax(f32x4.sub(low, value), f32x4.sub(value, high)));
  return f32x4.mul(gap, gap);
}

/** Lists the numbers of the lanes of `groups` vectors whose bits are set, the first lane being `first`; returns how many. */
function listLanes(list: usize, lanes: usize, groups: i32, first: i32): i32 {
  let to = list;
  for (let n = 0; n < groups; n++) {
    const bits = i32x4.bitmask(v128.load(lanes + ((<usize>n) << 4)));
    const b = first + (n << 2);
    i32.store(to, b);
    to += (<usize>(bits & 1)) << 2;
    i32.store(to, b + 1);
    to += (<usize>(bits & 2)) << 1;
    i32.store(to, b + 2);
    to += <usize>(bits & 4);
    i32.store(to, b + 3);
    to += (<usize>(bits & 8)) >> 1;
  }
  return <i32>((to - list) >> 2);
}

/**
 * The first test, for four queries and the blocks [begin,end): lists those for which for some query q
 *   squared distance of coefs of q to the block's box + rest_q + least rest <= 2 halfLimits[q] * 1.00001 * W,
 * W that of the places farthest apart in the boxes of queries and block, without which D > limit * W for all; returns how
 * many. 1.00001: beyond what rounding may add to a distance.
 * Layout: list [end - begin + 3] i32; scratch [(end - begin + 3) * 2] float32; coefs [blocks,3,8], rest, x and y [blocks,8],
 * boxes as boundBlocks makes them, with 3e38 in row 10 beyond the last block, halfLimits [4] float32; first: place of the first
 * query, a multiple of 4; begin a multiple of 4.
 * Source: a projection's distances, and those to a box, are at most the distances of the patches; checked against all pairs.
 */
export function nearBlocks(
  list: usize, scratch: usize, coefs: usize, rest: usize, x: usize, y: usize, boxes: usize, halfLimits: usize, first: i32, begin: i32,
  end: i32
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
    const limit = f32x4.splat(f32.load(halfLimits + q) * <f32>2.00002);
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
  return listLanes(list, scratch + anyAt, groups, begin);
}
