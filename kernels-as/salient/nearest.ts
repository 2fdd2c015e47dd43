import { nearBlocks } from "./nearest-boxes";
import { appendNear } from "./nearest-distance";
import { guessLimit, minimaBlocks } from "./nearest-guess";
import { filterTile, keepBlocks, listHits, slackOf } from "./nearest-tiles";
import { noLimit } from "./nearest-weight";
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
const group: i32 = 16;
/** Added to limits in the bound tests: beyond what rounding of denormal numbers can lose. */
const tiny: f32 = 1e-36;
/** Blocks after which limits are guessed again for the first time. */
const firstLook: i32 = 128;

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
 * [8 blocks,length], rest [8 blocks]: D = |v_i-v_j|^2 + rest_i + rest_j; near [blocks,3,8] and pairs
 * [blocks,pairCount,8] (of two i16, in units, unit [8 blocks]): coefficients of the three tests; half [8 blocks]:
 * half of |v|^2 + rest, lessened by what rounding may add, 3e38 where there is no candidate; x and y [8 blocks] positions;
 * boxes as nearBlocks has them; float32. All finite. Bounds must hold: half_i + half_j - c_i.c_j <= D/2 for the coefficients c
 * of the first shared + 1 pairs, and for those of all the others, but for the rounding to 16 bits;
 * |c_i-c_j|^2 + rest_i + rest_j <= D for those of near, but for rounding.
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
  pairs: usize,
  unit: usize,
  half: usize,
  x: usize,
  y: usize,
  boxes: usize,
  blocks: i32,
  length: i32,
  shared: i32,
  pairCount: i32,
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
      pairs,
      unit,
      half,
      x,
      y,
      boxes,
      blocks,
      length,
      shared,
      pairCount,
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
  pairs: usize,
  unit: usize,
  half: usize,
  x: usize,
  y: usize,
  boxes: usize,
  blocks: i32,
  length: i32,
  shared: i32,
  pairCount: i32,
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
  const slack = slackOf(pairCount);
  const farPairs = pairCount - shared - 1;
  // First limits from the candidates of the first chunk that seem nearest: without the pair that makes a bound of it, the
  // product is an estimate.
  const isGuessing = rank > 0 && blocks >= chunk;
  for (let quad = 0; quad < quadCount && isGuessing; quad++) {
    const first = load<i32>(quads + ((<usize>quad) << 2));
    const quadLimits = halfLimits + ((<usize>quad) << 4);
    for (let q = 0; q < 4; q++) {
      if (load<i32>(counts + ((<usize>(4 * quad + q)) << 2)) < 0) continue;
      const most = min(2 * rank, minimaBlocks << 3);
      const guess = guessLimit(minima, pairs, unit, half, x, y, first + q, pairCount, shared, most, 0, chunk);
      store<f32>(quadLimits + ((<usize>q) << 2), <f32>0.5 * guess + tiny);
    }
    listBlocks(list, 0, chunk);
    const kept = keepBlocks(
      list, sums, list, pairs, unit, half, x, y, boxes, quadLimits, minima, chunk, first, shared, pairCount, slack,
    );
    filterTile(masks, sums, list, pairs, unit, half, x, y, boxes, quadLimits, minima, kept, first, shared, 0, pairCount);
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
        kept = keepBlocks(
          list, sums, list, pairs, unit, half, x, y, boxes, quadLimits, minima, kept, first, shared, pairCount, slack,
        );
        filterTile(masks, sums, list, pairs, unit, half, x, y, boxes, quadLimits, minima, kept, first, shared, farPairs, pairCount);
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
            if (lower == 0) {
              // Nothing is nearer than equal patches: in an empty part of a map the first chunk holds enough of them.
              store<f64>(out + ((<usize>(first + q)) << 3), 0);
              store<i32>(counts + (n << 2), -1);
              store<f32>(halfLimits + (n << 2), -noLimit);
              pending--;
              continue;
            }
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
