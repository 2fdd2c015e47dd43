import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair } from "../../engine/graph/definition.ts";
import { samePads, type Window } from "../../engine/graph/window.ts";
import type { OnnxNode } from "./model.ts";
import { int, pair, unsupported } from "./node.ts";

/**
 * Refuses attributes of a window that are not one number for each axis it slides over, two of pads, as onnxruntime does.
 * @param shape of the data, without the batch
 */
export function requireAxes(node: OnnxNode, shape: Shape): void {
  const axes = shape.length - 1;
  for (const name of ["kernel_shape", "strides", "dilations", "output_padding", "pads"]) {
    const { ints = [] } = node.attributes.get(name) ?? {};
    const wanted = name === "pads" ? 2 * axes : axes;
    if (ints.length === 0 || ints.length === wanted) continue;
    throw unsupported(`${name} [${ints.join(",")}] must be ${wanted} integers for ${axes} axes.`);
  }
}

/** The window attributes that convolution and pooling share, with `auto_pad` worked out for this input size. */
export function windowOf(node: OnnxNode, kernelShape: Pair, [, height = 0, width = 0]: Shape): Window {
  if (!kernelShape.every((size) => size > 0)) throw unsupported(`kernel_shape [${kernelShape.join(",")}].`);
  const strides = pair(node, "strides", [1, 1]);
  const dilations = pair(node, "dilations", [1, 1]);
  const ceilMode = int(node, "ceil_mode", 0) !== 0;
  const auto = node.attributes.get("auto_pad")?.s ?? "NOTSET";
  const given = padsOf(node);
  if (auto === "NOTSET" || auto === "VALID") {
    return { kernelShape, strides, dilations, ceilMode, pads: auto === "VALID" ? [0, 0, 0, 0] : given };
  }
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") throw unsupported(`auto_pad "${auto}" is unknown.`);
  // ONNX, Conv: the output has ceil(input / stride) positions; an odd pad goes to the end (UPPER) or the beginning (LOWER).
  const window = { kernelShape, strides, dilations, ceilMode: false };
  return { ...window, pads: samePads(window, height, width, auto === "SAME_UPPER" ? "end" : "beginning") };
}

/** Pads of a window: top, left, bottom, right; of two, for signals of one axis, left and right. */
export function padsOf(node: OnnxNode): Pads {
  const given = node.attributes.get("pads")?.ints ?? [];
  const isList = given.length === 0 || given.length === 2 || given.length === 4;
  if (!isList || !given.every((pad) => Number.isSafeInteger(pad) && pad >= 0 && pad <= 1 << 20)) {
    throw unsupported(`pads must be four non-negative integers, got [${given.join(",")}].`);
  }
  const [top = 0, left = 0, bottom = 0, right = 0] = given.length === 2 ? [0, given[0], 0, given[1]] : given;
  return [top, left, bottom, right];
}
