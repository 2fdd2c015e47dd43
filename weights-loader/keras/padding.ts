import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pair } from "../../engine/graph/definition.ts";
import { samePads, type Window, windowPositions } from "../../engine/graph/window.ts";
import type { Layer } from "./state.ts";

/** TensorFlow's "same" gives ceil(size / stride) positions, an odd pad at the end; "valid" pads nothing. */
export function windowOf(
  { config }: Layer,
  kernelShape: Pair,
  strides: Pair,
  dilations: Pair,
  [, height = 0, width = 0]: Shape,
): Window & { readonly output: Pair } {
  const padding = config["padding"] ?? "valid";
  if (padding !== "same" && padding !== "valid") throw new UnsupportedError(`padding "${String(padding)}".`);
  const unpadded: Window = { kernelShape, strides, dilations, ceilMode: false, pads: [0, 0, 0, 0] };
  const window = padding === "same" ? { ...unpadded, pads: samePads(unpadded, height, width, "end") } : unpadded;
  const output = windowPositions(window, height, width);
  if (!output.every((positions) => positions > 0)) {
    throw new UnsupportedError(`its window does not fit into ${height}x${width}.`);
  }
  return { ...window, output };
}
