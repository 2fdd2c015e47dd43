import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { OnnxAttribute } from "../onnx/model.ts";
import {
  float,
  int,
  ints,
  refuseChannelsFirst,
  type Translate,
  text,
  toChannelsFirst,
  toChannelsLast,
} from "./attributes.ts";
import type { GraphNode, Translation } from "./translation.ts";

// Convolutions see channels first: they stand between two transpositions, which cancel where such layers follow each other.

/** What a window's attributes are in ONNX. */
export function windowAttributes(node: GraphNode): Record<string, OnnxAttribute> {
  refuseChannelsFirst(node);
  const inner = (name: string): number[] => node.ints(name).slice(1, 3);
  const [strides, dilations, kernel] = [inner("strides"), inner("dilations"), inner("ksize")];
  const padding = node.text("padding") ?? "VALID";
  const explicit = node.ints("explicit_paddings");
  const [, , top = 0, bottom = 0, left = 0, right = 0] = explicit;
  if (!["SAME", "VALID", "EXPLICIT"].includes(padding)) throw new UnsupportedError(`padding ${padding}.`);
  return {
    ...(strides?.length !== 2 ? {} : { strides: ints(...strides) }),
    ...(dilations?.length === 2 ? { dilations: ints(...dilations) } : {}),
    ...(kernel?.length !== 2 ? {} : { kernel_shape: ints(...kernel) }),
    ...(padding === "SAME" ? { auto_pad: text("SAME_UPPER") } : {}),
    ...(padding === "EXPLICIT" ? { pads: ints(top, left, bottom, right) } : {}),
  };
}

/** What TensorFlow.js joined to a convolution or dense layer: a bias, then an activation. */
export function fused(to: Translation, node: GraphNode, value: string, extras: readonly string[]): string {
  const rest = [...extras];
  let last = value;
  for (const op of node.texts("fused_ops").filter((name) => name !== "NoOp")) {
    const next = (): string => {
      const input = rest.shift();
      if (input === undefined) throw new UnsupportedError(`${op} lacks its input.`);
      return input;
    };
    if (op === "BiasAdd") last = to.add("Add", [last, next()]);
    else if (op === "Prelu") last = prelu(to, last, next());
    else if (op === "LeakyRelu")
      last = to.add("LeakyRelu", [last], { alpha: float(node.number("leakyrelu_alpha", 0.2)) });
    else if (op === "Relu6") last = to.add("Clip", [last, to.scalar(0), to.scalar(6)]);
    else if (op === "_FusedHardSwish") last = to.add("HardSwish", [last]);
    else if (["Relu", "Elu", "Sigmoid", "Tanh"].includes(op)) last = to.add(op, [last]);
    else throw new UnsupportedError(`${op} joined to it.`);
  }
  return last;
}

/** Slopes per channel, [1,1,C] or [C], or for each place too, [H,W,C]. */
export function prelu(to: Translation, x: string, slopes: string): string {
  const shape = to.shapeOf(slopes);
  if (shape.slice(0, -1).every((size) => size === 1)) return to.add("PRelu", [x, slopes]);
  const first = to.add("Transpose", [x], toChannelsFirst);
  const own = to.add("Transpose", [slopes], { perm: ints(2, 0, 1) });
  return to.add("Transpose", [to.add("PRelu", [first, own])], toChannelsLast);
}

/**
 * A convolution, and what is joined to it.
 * @param x the image, [N,H,W,C]
 * @param window what is said of its window in the place of the node's own attributes
 * @returns the name of its output
 */
export function convolve(
  to: Translation,
  node: GraphNode,
  x: string,
  isDepthwise: boolean,
  window: Readonly<Record<string, OnnxAttribute>> = windowAttributes(node),
): string {
  const [, kernel = "", ...extras] = node.inputs;
  const [height, width, channels, multiplier] = to.shapeOf(kernel);
  if (height === undefined || width === undefined || channels === undefined || multiplier === undefined)
    throw new UnsupportedError("its kernel must be a constant of four axes.");
  // Depthwise kernels [kh,kw,C,multiplier]: outputs are numbered c * multiplier + m.
  const own = isDepthwise ? to.add("Reshape", [kernel, to.list([height, width, 1, channels * multiplier])]) : kernel;
  const weights = to.add("Transpose", [own], { perm: ints(3, 2, 0, 1) });
  const first = to.add("Transpose", [x], toChannelsFirst);
  const group = isDepthwise ? { group: int(channels) } : {};
  const y = to.add("Conv", [first, weights], { ...window, kernel_shape: ints(height, width), ...group });
  return fused(to, node, to.add("Transpose", [y], toChannelsLast), extras);
}

const convolution =
  (isDepthwise: boolean): Translate =>
  (to, node) => {
    const [x = ""] = node.inputs;
    const batched = to.batched.get(x);
    if (batched === undefined) to.add("Identity", [convolve(to, node, x, isDepthwise)], {}, node.name);
    else to.batched.set(node.name, { ...batched, convolution: node });
  };

/**
 * A convolution backwards, as Keras makes transposed ones: [N,H,W,C] of the size that its first input says. Where the image has another
 * size than `same` or `valid` padding gives, the reshape refuses.
 */
const convolutionBackwards: Translate = (to, node) => {
  const [size = "", kernel = "", x = ""] = node.inputs;
  const { pads: _, auto_pad: __, ...attributes } = windowAttributes(node);
  const kernelShape = to.shapeOf(kernel).slice(0, 2);
  const strides = attributes["strides"]?.ints ?? [1, 1];
  const dilations = attributes["dilations"]?.ints ?? [1, 1];
  const isSame = node.text("padding") === "SAME";
  const over = kernelShape.map((length, k) => (length - 1) * (dilations[k] ?? 1) + 1 - (strides[k] ?? 1));
  const before = over.map((all) => (isSame ? Math.floor(Math.max(0, all) / 2) : 0));
  const after = over.map((all) => (isSame ? Math.ceil(Math.max(0, all) / 2) : 0));
  const first = to.add("Transpose", [x], toChannelsFirst);
  const weights = to.add("Transpose", [kernel], { perm: ints(3, 2, 0, 1) });
  const y = to.add("ConvTranspose", [first, weights], {
    ...attributes,
    kernel_shape: ints(...kernelShape),
    pads: ints(...before, ...after),
    output_padding: ints(...over.map((all) => Math.max(0, -all))),
  });
  to.add("Reshape", [to.add("Transpose", [y], toChannelsLast), size], {}, node.name);
};

/** Convolutions by their TensorFlow names. */
export const convolutionOperators: Readonly<Record<string, Translate>> = {
  Conv2D: convolution(false),
  Conv2DBackpropInput: convolutionBackwards,
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2dNative: convolution(true),
  _FusedConv2D: convolution(false),
};
