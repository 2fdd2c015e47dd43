import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, type Shape } from "../../engine/basics/tensor.ts";
import { chosenInputShape, type InputShapeOptions, inputSizeAdvice } from "../graphs/input-shape.ts";
import type { OnnxModel, OnnxNode } from "./model.ts";
import { engineShape } from "./node.ts";
import type { OnnxImport } from "./state.ts";

/** Nodes between a photo and the transposition that makes channels first of channels last. */
const pointwise: readonly string[] = "Add Cast Clip Div Identity Mul Neg Pad Sub QuantizeLinear DequantizeLinear".split(
  " ",
);

/** True where the graph takes [N,H,W,C], as TensorFlow does, and brings the channels forward itself. */
function isChannelsLast(order: readonly OnnxNode[], input: string): boolean {
  const reached = new Set([input]);
  for (const node of order) {
    if (!node.inputs.some((name) => reached.has(name))) continue;
    if (node.op === "Transpose") return node.attributes.get("perm")?.ints.join() === "0,3,1,2";
    if (!pointwise.includes(node.op)) return false;
    for (const name of node.outputs) reached.add(name);
  }
  return false;
}

/** Registers the graph's one input. @returns [C,H,W], and whether the graph itself takes [H,W,C] */
export function addInput(
  model: OnnxModel,
  order: readonly OnnxNode[],
  state: OnnxImport,
  reads: (node: OnnxNode) => readonly string[],
  wish: InputShapeOptions,
): { inputShape: Shape; takesChannelsLast: boolean } {
  const read = new Set(order.flatMap(reads));
  const inputs = model.inputs.filter((value) => read.has(value.name));
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    const names = inputs.map((value) => value.name).join(", ");
    throw new UnsupportedError(`${state.what}: the graph must have one input, got ${inputs.length} (${names}).`);
  }
  const own = input.shape?.slice(1);
  const isLast = own?.length === 3 && [1, 3, 4].includes(own[2] ?? 0) && isChannelsLast(order, input.name);
  const [height, width, channels] = own ?? [];
  const sizes = chosenInputShape(isLast ? [channels, height, width] : own, wish);
  const shape = sizes?.map((size) => size ?? 0);
  const isUsable = shape !== undefined && shape.length >= 1 && shape.length <= 3 && elementCount(shape) > 0;
  if (!isUsable || !Number.isSafeInteger(elementCount(shape))) {
    const got = input.shape === undefined ? "no shape" : `[${input.shape.map((size) => size ?? "?").join(",")}]`;
    const isVolume = shape?.length === 4;
    const why = isVolume
      ? " Networks for video and volumes are not explained here, only for images and signals."
      : ` ${inputSizeAdvice}`;
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be [N,C,H,W] with known C, H and W, got ${got}.${why}`,
    );
  }
  if (![0, 1, 2, 10, 11, 16].includes(input.elementType)) {
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be real numbers (1, 10, 11, 16) or bytes (2), got element type ${input.elementType}.`,
    );
  }
  const data = { kind: "data", node: "input" } as const;
  if (isLast) {
    const [c = 1, h = 1, w = 1] = shape;
    state.values.set(input.name, { ...data, shape: [h, w, c], at: shape, order: [1, 2, 0], base: shape });
    return { inputShape: shape, takesChannelsLast: true };
  }
  const at = shape.length === 1 ? [...shape, 1, 1] : engineShape(shape); // a network's input is [C,H,W]
  state.values.set(input.name, { ...data, shape, at });
  return { inputShape: at, takesChannelsLast: false };
}
