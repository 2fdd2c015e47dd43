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

/**
 * Bytes of scratch that meanNearest needs for `neighbours`.
 * Source: the layout of scratch in meanNearestGroup.
 */
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
  out: usize, scratch: usize, quads: usize, values: usize, rest: usize, near: usize, pairs: usize, unit: usize, half: usize, x: usize,
  y: usize, boxes: usize, blocks: i32, length: i32, shared: i32, pairCount: i32, neighbours: i32, rank: i32, begin: i32, end: i32
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
  for (let i = 0; i < n; i++) i32.store(list + ((<usize>i) << 2), first + i);
}

/** Ends a query: nothing passes any test of it any more. */
function closeQuery(counts: usize, halfLimits: usize, n: i32): void {
  i32.store(counts + ((<usize>n) << 2), -1);
  f32.store(halfLimits + ((<usize>n) << 2), -noLimit);
}

/** The upper limit of query n's distances, and half of it with room for the tests. */
function setLimit(limits: usize, halfLimits: usize, n: i32, limit: f32): void {
  f32.store(limits + ((<usize>n) << 2), limit);
  f32.store(halfLimits + ((<usize>n) << 2), <f32>0.5 * limit + tiny);
}

/** Place of query n. */
@inline
function placeOf(quads: usize, n: i32): i32 {
  return i32.load(quads + ((<usize>(n >> 2)) << 2)) + (n & 3);
}

/** Starts `queryCount` queries without limits; returns how many of the places are queries. */
function openQueries(quads: usize, half: usize, counts: usize, limits: usize, halfLimits: usize, queryCount: i32): i32 {
  let pending = 0;
  for (let n = 0; n < queryCount; n++) {
    const isQuery = f32.load(half + ((<usize>placeOf(quads, n)) << 2)) < noLimit;
    pending += i32(isQuery);
    i32.store(counts + ((<usize>n) << 2), isQuery ? 0 : -1);
    f32.store(limits + ((<usize>n) << 2), noLimit);
    f32.store(halfLimits + ((<usize>n) << 2), isQuery ? <f32>0.5 * noLimit : -noLimit);
  }
  return pending;
}

/**
 * First limits of a quad from the candidates of the first chunk that seem nearest: without the pair that makes a bound of it, the product is
 * an estimate. counts, limits, halfLimits and guesses are the quad's; room for distances at found.
 */
function guessLimits(
  scratch: usize, found: usize, counts: usize, limits: usize, halfLimits: usize, guesses: usize,
  values: usize, rest: usize, pairs: usize, unit: usize, half: usize, x: usize, y: usize, boxes: usize,
  first: i32, length: i32, shared: i32, pairCount: i32, rank: i32
): void {
  const hits = scratch + 4 * chunk;
  const sums = hits + (chunk << 5);
  const list = sums + (chunk << 7);
  const minima = list + 3 * (chunk << 2);
  for (let q = 0; q < 4; q++) {
    if (i32.load(counts + ((<usize>q) << 2)) < 0) continue;
    const most = min(2 * rank, minimaBlocks << 3);
    const guess = guessLimit(minima, pairs, unit, half, x, y, first + q, pairCount, shared, most, 0, chunk);
    f32.store(halfLimits + ((<usize>q) << 2), <f32>0.5 * guess + tiny);
  }
  listBlocks(list, 0, chunk);
  const slack = slackOf(pairCount);
  const kept = keepBlocks(
    list, sums, list, pairs, unit, half, x, y, boxes, halfLimits, minima, chunk, first, shared, pairCount, slack
  );
  filterTile(scratch, sums, list, pairs, unit, half, x, y, boxes, halfLimits, minima, kept, first, shared, 0, pairCount);
  for (let q = 0; q < 4; q++) {
    if (i32.load(counts + ((<usize>q) << 2)) < 0) continue;
    const hitCount = listHits(hits, scratch + <usize>(q * chunk), list, kept);
    const count = appendNear(found, hits, values, rest, x, y, 0, hitCount, first + q, length, noLimit);
    const guess = <f32>2 * f32.load(halfLimits + ((<usize>q) << 2));
    const limit = count < rank ? guess : kthSmallest(found, count, rank, 0, noLimit);
    f32.store(guesses + ((<usize>q) << 2), limit);
    setLimit(limits, halfLimits, q, limit);
  }
}

/**
 * Lessens the list of a query's distances, and with it its limit, where it is long: to the nearest `neighbours`, or to those within the
 * limit that `most` of them have. Returns how many are left; -1 where all of the nearest are 0.
 */
function lessen(distances: usize, count: i32, neighbours: i32, most: i32, limits: usize, halfLimits: usize, n: i32): i32 {
  const limit = f32.load(limits + ((<usize>n) << 2));
  let left = neighbours;
  let lower: f32;
  if (count >= neighbours + (neighbours >> 1)) {
    lower = kthSmallest(distances, count, neighbours, 0, limit);
    // Nothing is nearer than equal patches: in an empty part of a map the first chunk holds enough of them.
    if (lower == 0) return -1;
  } else if (count > most + (most >> 2)) {
    lower = kthSmallest(distances, count, most, most >> 3, limit);
    left = countAtMost(distances, count, lower);
  } else return count;
  keepSmallest(distances, count, left, lower);
  setLimit(limits, halfLimits, n, lower);
  return left;
}

/**
 * Tests a chunk of blocks for one quad and adds what passes to its queries' distances, at found; returns how many queries are done.
 * counts, limits and halfLimits are the quad's.
 */
function searchChunk(
  out: usize, scratch: usize, found: usize, foundBytes: usize, counts: usize, limits: usize, halfLimits: usize,
  values: usize, rest: usize, near: usize, pairs: usize, unit: usize, half: usize, x: usize, y: usize, boxes: usize,
  first: i32, length: i32, shared: i32, pairCount: i32, slack: i32, neighbours: i32, most: i32, begin: i32, end: i32
): i32 {
  const hits = scratch + 4 * chunk;
  const sums = hits + (chunk << 5);
  const list = sums + (chunk << 7);
  const blockScratch = list + (chunk << 2);
  const need = blockScratch + (chunk << 3);
  let kept = nearBlocks(list, blockScratch, near, rest, x, y, boxes, halfLimits, first, begin, end);
  kept = keepBlocks(
    list, sums, list, pairs, unit, half, x, y, boxes, halfLimits, need, kept, first, shared, pairCount, slack
  );
  const farPairs = pairCount - shared - 1;
  filterTile(scratch, sums, list, pairs, unit, half, x, y, boxes, halfLimits, need, kept, first, shared, farPairs, pairCount);
  let done = 0;
  for (let q = 0; q < 4; q++) {
    let count = i32.load(counts + ((<usize>q) << 2));
    if (count < 0) continue;
    const limit = f32.load(limits + ((<usize>q) << 2));
    const distances = found + <usize>q * foundBytes;
    const hitCount = listHits(hits, scratch + <usize>(q * chunk), list, kept);
    count = appendNear(distances, hits, values, rest, x, y, count, hitCount, first + q, length, limit);
    count = lessen(distances, count, neighbours, most, limits, halfLimits, q);
    i32.store(counts + ((<usize>q) << 2), count);
    if (count >= 0) continue;
    f64.store(out + ((<usize>(first + q)) << 3), 0);
    closeQuery(counts, halfLimits, q);
    done++;
  }
  return done;
}

/**
 * Ends the queries that have found all their nearest, and starts the others again, whose guess was too low: with `guesses`, or without limits
 * where there are none (0). Returns how many ended.
 */
function settleQueries(
  out: usize, quads: usize, found: usize, foundBytes: usize, counts: usize, limits: usize, halfLimits: usize, guesses: usize,
  neighbours: i32, queryCount: i32
): i32 {
  let done = 0;
  for (let n = 0; n < queryCount; n++) {
    const count = i32.load(counts + ((<usize>n) << 2));
    if (count < 0) continue;
    if (count < neighbours) {
      setLimit(limits, halfLimits, n, guesses ? f32.load(guesses + ((<usize>n) << 2)) : noLimit);
      i32.store(counts + ((<usize>n) << 2), 0);
      continue;
    }
    const distances = found + <usize>n * foundBytes;
    const t = kthSmallest(distances, count, neighbours, 0, f32.load(limits + ((<usize>n) << 2)));
    keepSmallest(distances, count, neighbours, t);
    f64.store(out + ((<usize>placeOf(quads, n)) << 3), meanRoot(distances, neighbours));
    closeQuery(counts, halfLimits, n);
    done++;
  }
  return done;
}

/** meanNearest for at most `group` quads. */
function meanNearestGroup(
  out: usize, scratch: usize, quads: usize, values: usize, rest: usize, near: usize, pairs: usize, unit: usize, half: usize,
  x: usize, y: usize, boxes: usize, blocks: i32, length: i32, shared: i32, pairCount: i32, neighbours: i32, rank: i32, quadCount: i32
): void {
  // Masks [4,64] bytes, hits [8 chunk], sums [chunk,4,8], list [chunk], blocks' scratch [2 chunk], minima [8 minimaBlocks], then:
  const halfLimits = scratch + 4 * chunk + (chunk << 5) + (chunk << 7) + 3 * (chunk << 2) + (minimaBlocks << 5);
  const limits = halfLimits + 16 * group; // [4 group], as the others
  const guesses = limits + 16 * group;
  const counts = guesses + 16 * group; // -1: nothing to do
  const found = counts + 16 * group; // [4 group, capacity]
  const foundBytes = (<usize>capacityFor(neighbours)) << 2;
  let pending = openQueries(quads, half, counts, limits, halfLimits, quadCount << 2);
  const slack = slackOf(pairCount);
  const isGuessing = rank > 0 && blocks >= chunk;
  for (let quad = 0; quad < quadCount && isGuessing; quad++) {
    const at = (<usize>quad) << 4;
    guessLimits(
      scratch, found, counts + at, limits + at, halfLimits + at, guesses + at, values, rest, pairs, unit, half, x, y, boxes,
      i32.load(quads + ((<usize>quad) << 2)), length, shared, pairCount, rank
    );
  }

  // A guess that was too low: once more with the first one alone, then with none.
  let isSure = !isGuessing;
  while (pending > 0) {
    let nextLook = firstLook;
    for (let b = 0; b < blocks; b += chunk) {
      const seen = min(b + chunk, blocks);
      let most = neighbours;
      if (!isSure && seen >= nextLook) {
        most = rankWithin(neighbours, seen, blocks);
        nextLook = seen + (seen >> 1);
      }
      for (let quad = 0; quad < quadCount; quad++) {
        const at = (<usize>quad) << 4;
        if (i32x4.bitmask(v128.load(counts + at)) == 15) continue; // all four are done
        pending -= searchChunk(
          out, scratch, found + <usize>(4 * quad) * foundBytes, foundBytes, counts + at, limits + at, halfLimits + at,
          values, rest, near, pairs, unit, half, x, y, boxes, i32.load(quads + ((<usize>quad) << 2)),
          length, shared, pairCount, slack, neighbours, most, b, seen
        );
      }
    }
    pending -= settleQueries(
      out, quads, found, foundBytes, counts, limits, halfLimits, isSure ? 0 : guesses, neighbours, quadCount << 2
    );
    isSure = true;
  }
}
