import * as kernel from "../../kernels-as/kernel-calls.js";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { Clamp } from "./clamp.ts";

/** No gate: everything passes. */
export const noGate: Pick<FeatureMap, "address" | "rowStride"> = { address: 0, rowStride: 0 };

/**
 * Hands on relevance r where `gate` lies strictly between the clamp's bounds, and where `positiveOnly` says so only what is positive of it.
 * @param out may be r
 * @param y of the size of all of them
 * @param gate lets everything pass where there is none
 */
export function rectify(
  kernels: Kernels,
  out: FeatureMap,
  r: FeatureMap,
  y: FeatureMap,
  { low, high }: Clamp,
  positiveOnly: 0 | 1,
  gate: Pick<FeatureMap, "address" | "rowStride"> = noGate,
): void {
  kernel.rectify(kernels, y.height, { out, x: r, gate, length: y.width * y.channels, low, high, positiveOnly });
}
