import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair } from "../../engine/graph/definition.ts";
import type { OnnxNode } from "./model.ts";
import { int, pair, unsupported } from "./node.ts";

/** Where a convolution's or pooling's windows lie. */
export interface Window {
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pads: Pads;
  readonly ceilMode: boolean;
}

/** The window attributes that convolution and pooling share, with `auto_pad` worked out for this input size. */
export function windowOf(node: OnnxNode, kernelShape: Pair, [, height = 0, width = 0]: Shape): Window {
  if (!kernelShape.every((size) => size > 0)) throw unsupported(`kernel_shape [${kernelShape.join(",")}].`);
  const strides = pair(node, "strides", [1, 1]);
  const dilations = pair(node, "dilations", [1, 1]);
  const ceilMode = int(node, "ceil_mode", 0) !== 0;
  const auto = node.attributes.get("auto_pad")?.s ?? "NOTSET";
  const given = node.attributes.get("pads")?.ints ?? [];
  if (given.length !== 0 && (given.length !== 4 || !given.every((pad) => Number.isSafeInteger(pad) && pad >= 0))) {
    throw unsupported(`pads must be four non-negative integers, got [${given.join(",")}].`);
  }
  if (auto === "NOTSET" || auto === "VALID") {
    const [top = 0, left = 0, bottom = 0, right = 0] = auto === "VALID" ? [] : given;
    return { kernelShape, strides, dilations, ceilMode, pads: [top, left, bottom, right] };
  }
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") throw unsupported(`auto_pad "${auto}" is unknown.`);
  // ONNX, Conv: the output has ceil(input / stride) positions; an odd pad goes to the end (UPPER) or the beginning (LOWER).
  const split = (axis: 0 | 1, size: number): [number, number] => {
    const span = (kernelShape[axis] - 1) * dilations[axis] + 1;
    const total = Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + span - size);
    const smaller = Math.floor(total / 2);
    return auto === "SAME_UPPER" ? [smaller, total - smaller] : [total - smaller, smaller];
  };
  const [top, bottom] = split(0, height);
  const [left, right] = split(1, width);
  return { kernelShape, strides, dilations, ceilMode: false, pads: [top, left, bottom, right] };
}

/** Positions of a window along both axes. */
export function windowOutput(
  { kernelShape, strides, dilations, pads, ceilMode }: Window,
  [, height = 0, width = 0]: Shape,
): Pair {
  const along = (axis: 0 | 1, size: number): number => {
    const [before, after] = [pads[axis], pads[axis + 2] ?? 0];
    const free = size + before + after - ((kernelShape[axis] - 1) * dilations[axis] + 1);
    const count = (ceilMode ? Math.ceil(free / strides[axis]) : Math.floor(free / strides[axis])) + 1;
    // A window that would start beyond input and leading pad is dropped, as in the engine and in PyTorch.
    return ceilMode && (count - 1) * strides[axis] >= size + before ? count - 1 : count;
  };
  return [along(0, height), along(1, width)];
}

/** Both paddings, which must be of the same value, as one. */
export function joinPads(a: Pads, b: Pads): Pads {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
}
