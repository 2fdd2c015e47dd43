import { hasRuleLibrary } from "../../basics/features.ts";
import type { Scratch } from "../../memory/pass-scratch.ts";
import type { RelevanceContext } from "../layer-kind.ts";
import { rectify } from "../rectify.ts";
import type { LinearMap } from "./linear-map.ts";

/** Applies the rule of the layer's own activation to the relevance of its output, in place; returns what that took away. */
export function prepareActivation(
  map: LinearMap,
  context: RelevanceContext,
  scratch: Scratch,
): (addresses: readonly number[]) => number {
  const { kernels, relevance: r, rules } = context;
  const { activation, y } = map;
  if (!hasRuleLibrary || activation === undefined || rules.activation === "pass") return () => 0;
  const { split, arena } = kernels;
  const sums = scratch.reserve(8 * y.height);
  const total = (at: number): number => {
    split("sumRows", r.height, at, r.address, r.rowStride, r.rowStride);
    return arena.f64(at, r.height).reduce((a, b) => a + b, 0);
  };
  const positiveOnly = rules.activation === "gradient" ? 0 : 1;
  const gate = rules.activation === "deconvnet" ? undefined : y;
  return (addresses) => {
    const at = sums(addresses);
    const before = total(at);
    rectify(kernels, r, r, y, activation, positiveOnly, gate);
    return before - total(at);
  };
}
