import { ShapeError } from "../../engine/basics/errors.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import { averageRanks } from "../basics/ranks.ts";

/**
 * Spearman's rank correlation of two maps, -1 to 1; equal values share their mean rank, as in `scipy.stats.spearmanr`. NaN when one
 * map is constant.
 * @throws ShapeError for maps of other sizes, and as checkMap
 */
export function spearman(a: MapValues, b: MapValues): number {
  if (a.length !== b.length)
    throw new ShapeError(`spearman: maps must have one size, got ${a.length} and ${b.length}.`);
  checkMap(a);
  checkMap(b);
  const [ranksA, ranksB] = [averageRanks(a), averageRanks(b)];
  const mean = (a.length + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [ranksA[i]! - mean, ranksB[i]! - mean];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? Number.NaN : ab / Math.sqrt(aa * bb);
}
