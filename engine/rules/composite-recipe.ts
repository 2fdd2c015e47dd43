import { convolutionOps } from "../graph/weighted-ops.ts";
import type { Assignment, Composite } from "./composite.ts";
import { defaultStabilizer, epsilon, type LinearRule, pass, zPlus } from "./rules.ts";

/** A composite as it stands in a table: what it differs in from `lrp`, and one line for people. */
export type Recipe = Partial<Composite> & { readonly summary: string; readonly assignments?: readonly Assignment[] };

/** What the LRP composites share. */
export const lrp: Omit<Composite, "name" | "assignments"> = {
  maxPool: "winner",
  lrn: "identity",
  activation: "pass",
  sum: "norm",
  product: "gate",
  normStabilizer: defaultStabilizer,
  timesInput: false,
  start: "score",
};

/** A rule for dense layers, one for convolutions and one for the convolution that reads the pixels. */
export function ranges(
  dense: LinearRule,
  convolution: LinearRule,
  pixels: LinearRule = convolution,
): readonly Assignment[] {
  return [
    { match: { op: convolutionOps, position: "first" }, rule: pixels },
    { match: { op: convolutionOps }, rule: convolution },
    { match: { op: "dense" }, rule: dense },
  ];
}

/**
 * A rule for dense layers, one for convolutions and one for the convolution that reads the pixels, as zennit has them: a batch norm that
 * belongs to no convolution only scales, and passes relevance on.
 */
export function zennitRanges(dense: LinearRule, convolution: LinearRule, pixels?: LinearRule): readonly Assignment[] {
  return [{ match: { op: "batchNorm" }, rule: pass() }, ...ranges(dense, convolution, pixels)];
}

/** The default: also the one that the smallest build has. */
export function defaultRecipe(): Recipe {
  return {
    summary: "dense epsilon 1e-6, convolutions z+ (zennit EpsilonPlus)",
    assignments: zennitRanges(epsilon(), zPlus()),
  };
}
