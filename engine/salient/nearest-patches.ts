import * as kernel from "../../kernels-as/kernel-calls.js";
import { allocatePerThread, type Kernels } from "../memory/kernels.ts";
import type { ResolvedSalientRelevanceOptions } from "./options.ts";
import { type PatchBasis, patchBasis } from "./patch-basis.ts";
import type { PatchTable } from "./patch-table.ts";

// How many coefficients stand for a patch in the tests of the search (kernels-as/nearest-*.ts): in boxes around blocks of
// patches; for tiles (the first `shared` pairs and one more); for pairs of patches (`used`). The norm of what they leave is one
// term more; an estimate has none. Measured on the reference maps, see bench/parts/salient-relevance.ts; a third more or fewer take as long.
const nearTerms = 2;
const searchTerms = {
  exact: { one: { shared: 6, used: 31 }, several: { shared: 7, used: 47 } },
  fast: { one: { shared: 2, used: 8 }, several: { shared: 2, used: 8 } },
} as const;
/** How many patches the basis is chosen from. Exact results do not depend on it; 128 take 8 ms less than 256, 64 find a worse basis. */
const sampleSizes = { exact: 128, fast: 256 } as const;
/** `half` of a place that holds no patch: it passes no test. */
const nowhere = 3e38;

/** Rows of numbers of the boxes around blocks (boundBlocks in kernels-as/salient/nearest-boxes.ts). */
const boxRows = 11;

/** Places of a sample of the queries, evenly spread. */
function samplePlaces({ queries, places }: PatchTable, size: number): Int32Array {
  const count = Math.min(size, queries);
  return Int32Array.from({ length: count }, (_, n) => places[Math.floor((n * queries) / count)]!);
}

/** How many numbers of each kind the search has of a patch. */
interface SearchSizes {
  /** Coefficients in all, and rounded up to whole lanes. */
  readonly used: number;
  readonly count: number;
  /** Of them in the boxes around blocks. */
  readonly nearUsed: number;
  readonly shared: number;
  readonly pairCount: number;
}

function searchSizes(channels: number, { mode, patchSize }: ResolvedSalientRelevanceOptions): SearchSizes {
  const wanted = searchTerms[mode][channels === 1 ? "one" : "several"];
  const used = Math.min(channels * patchSize * patchSize, wanted.used);
  const shared = Math.min(wanted.shared, (used - 1) >> 1);
  return {
    used,
    count: Math.ceil(used / 4) * 4,
    nearUsed: Math.min(used, nearTerms),
    shared,
    pairCount: shared + 1 + Math.ceil((used - 2 * shared + (mode === "exact" ? 1 : 0)) / 2),
  };
}

/** What the tests of the search read of all patches, by place, in kernel memory; see projectPatches. */
interface Projections {
  readonly near: number;
  readonly pairs: number;
  readonly unit: number;
  readonly rows: number;
  readonly half: number;
  readonly rest: number;
}

function projectPatches(
  kernels: Kernels,
  { blocks, length, patches }: PatchTable,
  { mean, vectors: basis }: PatchBasis,
  sizes: SearchSizes,
  isExact: boolean,
): Projections {
  const { arena } = kernels;
  const { count, pairCount } = sizes;
  const all = blocks * 8;
  const projections = {
    near: arena.allocate(all * (nearTerms + 1) * 4),
    pairs: arena.allocate(all * pairCount * 4),
    unit: arena.allocate(all * 4),
    rows: arena.allocate(all * count * 4),
    half: arena.allocate(all * 4),
    rest: arena.allocate(all * 4),
  };
  const mark = arena.mark();
  const scratch = allocatePerThread(kernels, (length + count) * 16);
  // Rounding of sums of `length` squares and of the bounds, with much room: (length/4 + terms + 20) 2^-24 would do.
  const share = 1 - (length + 64) * 2 ** -23;
  const wholeNorms = isExact ? 1 : 0;
  const args = { scratch, patches, basis, mean, length, nearTerms: nearTerms + 1, wholeNorms, share };
  kernel.projectPatches(kernels, all, { ...projections, ...sizes, ...args });
  arena.release(mark);
  return projections;
}

/** Boxes around blocks of patches; takes the places without a patch out of the search. */
function boundBlocks(
  { arena, split }: Kernels,
  { blocks, places, x, y }: PatchTable,
  { near, half }: Projections,
  rest: number,
): number {
  const all = blocks * 8;
  const halves = arena.f32(half, all);
  const isTaken = new Uint8Array(all);
  for (const place of places) isTaken[place] = 1;
  for (let place = 0; place < all; place++) if (isTaken[place] === 0) halves[place] = nowhere;
  const boxGroups = Math.ceil(blocks / 4);
  const boxes = arena.allocate(boxGroups * boxRows * 4 * 4);
  arena.f32(boxes + (boxGroups * boxRows - 1) * 16, 4).fill(nowhere); // for blocks beyond the last
  split("boundBlocks", blocks, boxes, near, rest, half, x, y);
  return boxes;
}

/** Of how many places of a sample the nearest is the limit with which a search begins; 0: it begins without one. */
function rankOfGuess(neighbours: number, patches: number): number {
  // The chunk that the guess is made from holds 512 places, but in 64 blocks that lie together: a coarser sample than its
  // number says, hence six standard deviations (measured: with 2.5 one query in twelve is searched twice).
  const expected = (neighbours * 512) / patches;
  const within = Math.ceil(expected + 6 * Math.sqrt(expected)) + 1;
  return within <= 50 ? within : 0;
}

/** Mean distance of each query to its nearest other patches: address of float64 by place. */
export function meanNearest(
  kernels: Kernels,
  table: PatchTable,
  channels: number,
  options: ResolvedSalientRelevanceOptions,
): number {
  const { call, arena } = kernels;
  const { blocks, length, patches, x, y, places, quads } = table;
  const isExact = options.mode === "exact";
  const all = blocks * 8;
  const neighbours = Math.min(options.neighbours, places.length - 1);
  if (neighbours === 0) return arena.allocate(all * 8); // one patch alone has nothing to differ from

  const sizes = searchSizes(channels, options);
  const sample = samplePlaces(table, sampleSizes[options.mode]);
  const basis = patchBasis(kernels, patches, sample, length, channels, options.patchSize, sizes.count);
  const { near, pairs, unit, half, rows, rest: left } = projectPatches(kernels, table, basis, sizes, isExact);
  const compared = isExact
    ? { values: patches, length, rest: arena.allocate(all * 4) }
    : { values: rows, length: sizes.count, rest: left };
  const boxes = boundBlocks(kernels, table, { near, pairs, unit, half, rows, rest: left }, compared.rest);
  const quadsAt = arena.allocate(quads.length * 4);
  arena.i32(quadsAt, quads.length).set(quads);
  const means = arena.allocate(all * 8);
  kernel.meanNearest(kernels, quads.length, {
    out: means,
    scratch: allocatePerThread(kernels, call.meanNearestScratch(neighbours)),
    quads: quadsAt,
    ...compared,
    ...{ near, pairs, unit, half, x, y, boxes, blocks },
    shared: sizes.shared,
    pairCount: sizes.pairCount,
    neighbours,
    rank: rankOfGuess(neighbours, places.length),
  });
  return means;
}
