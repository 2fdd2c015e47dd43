import { ssim } from "../agreement/ssim.ts";
import type { MapValues } from "../basics/check.ts";
import { seededRandom } from "../basics/random.ts";

/**
 * Random logit: structural similarity of the map of a class with the map of another class, drawn by a seed. 1 for a map that does not
 * depend on what it explains.
 * Source: Sixt et al. 2020, When Explanations Lie, section 5; Quantus 0.6's RandomLogit, whose default takes SSIM of maps flattened into
 * one row, so that its number is another.
 * @param map [H,W]
 * @param width W in pixels
 * @param index the class that it explains
 * @param classes how many there are, at least 2
 * @param explain makes the map of a class
 * @throws RangeError for one class, and as `ssim`
 */
export function randomLogit(
  map: MapValues,
  width: number,
  index: number,
  classes: number,
  explain: (index: number) => MapValues,
  seed = 1,
): number {
  if (classes < 2) throw new RangeError(`randomLogit: needs another class, the network has ${classes}.`);
  const drawn = Math.floor(seededRandom(seed)() * (classes - 1));
  return ssim(map, explain(drawn < index ? drawn : drawn + 1), width);
}
