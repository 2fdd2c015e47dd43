import type { Scratch } from "../../memory/pass-scratch.ts";
import type { RelevanceContext } from "../layer-kind.ts";
import type { LinearMap } from "./linear-map.ts";

/** Applies the rule of the layer's own activation to the relevance of its output, in place; returns what that took away. */
export function prepareActivation(map: LinearMap, context: RelevanceContext, scratch: Scratch): () => number {
  const { kernels, relevance: r, rules } = context;
  const { activation, y } = map;
  if (activation === undefined || rules.activation === "pass") return () => 0;
  const { split, arena } = kernels;
  const sums = scratch.reserve(8 * y.height);
  const total = (): number => {
    split("sumRows", r.height, sums(), r.address, r.rowStride, r.rowStride);
    return arena.f64(sums(), r.height).reduce((a, b) => a + b, 0);
  };
  const positiveOnly = rules.activation === "gradient" ? 0 : 1;
  const gate = rules.activation === "deconvnet" ? 0 : y.address;
  return () => {
    const before = total();
    // biome-ignore format: one group of arguments a line
    split("rectify", y.height,r.address, r.rowStride, r.address, r.rowStride, gate, y.rowStride, y.width * y.channels,
      activation.low, activation.high, positiveOnly);
    return before - total();
  };
}
