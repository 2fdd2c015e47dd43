import { ShapeError } from "../../engine/basics/errors.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import { pearson } from "../basics/pearson.ts";
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
  return pearson(averageRanks(a), averageRanks(b));
}
