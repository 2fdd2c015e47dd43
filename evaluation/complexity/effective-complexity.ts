import { checkMap, type MapValues } from "../basics/check.ts";

/**
 * Effective complexity: how many pixels have |R| above `least`.
 * Source: Nguyen and Martinez 2020, On Quantitative Aspects of Model Interpretability, section 3.3.2; Quantus 0.6 (1e-5).
 * @param map [H,W]
 * @throws as checkMap
 */
export function effectiveComplexity(map: MapValues, least = 1e-5): number {
  checkMap(map);
  let count = 0;
  for (const value of map) if (Math.abs(value) > least) count++;
  return count;
}
