import type { Op } from "./definition.ts";

/** What a layer's weights make of it, for the rules that a composite has for it; "scale": each channel by itself is scaled and moved. */
export type WeightKind = "none" | "convolution" | "dense" | "scale";

/** The ops that multiply their input by weights; a layer kind that does must be in this table (layers/layer-kind.ts checks it). */
interface WeightedOps {
  readonly conv2d: "convolution";
  readonly dense: "dense";
  readonly batchNorm: "scale";
}

/** The entry of one op. */
export type WeightsOf<O extends Op> = O extends keyof WeightedOps ? WeightedOps[O] : "none";

const weightedOps: WeightedOps = { conv2d: "convolution", dense: "dense", batchNorm: "scale" };
const names = Object.keys(weightedOps) as (keyof WeightedOps)[]; // a literal's own keys

/** Ops whose layers have weights and so need a rule. */
export const opsWithWeights: readonly Op[] = names;

/** Of these, those that are convolutions: to scale each channel by itself is one, of a single pixel. */
export const convolutionOps: readonly Op[] = names.filter((op) => weightedOps[op] !== "dense");
