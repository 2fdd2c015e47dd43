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

// What needs channels first stands between two transpositions, which cancel where such layers follow each other.

/** What a window's attributes are in ONNX. */
function windowAttributes(node: GraphNode): Record<string, OnnxAttribute> {
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
function fused(to: Translation, node: GraphNode, value: string, extras: readonly string[]): void {
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
    else if (["Relu", "Elu", "Sigmoid", "Tanh"].includes(op)) last = to.add(op, [last]);
    else throw new UnsupportedError(`${op} joined to it.`);
  }
  to.add("Identity", [last], {}, node.name);
}

/** Slopes per channel, [1,1,C] or [C]. */
function prelu(to: Translation, x: string, slopes: string): string {
  const first = to.add("Transpose", [x], toChannelsFirst);
  const column = to.add("Reshape", [slopes, to.list([-1, 1, 1])]);
  return to.add("Transpose", [to.add("PRelu", [first, column])], toChannelsLast);
}

const convolution =
  (isDepthwise: boolean): Translate =>
  (to, node) => {
    const [x = "", kernel = "", ...extras] = node.inputs;
    const [height, width, channels, multiplier] = to.shapeOf(kernel);
    if (height === undefined || width === undefined || channels === undefined || multiplier === undefined)
      throw new UnsupportedError("its kernel must be a constant of four axes.");
    // Depthwise kernels [kh,kw,C,multiplier]: outputs are numbered c * multiplier + m.
    const own = isDepthwise ? to.add("Reshape", [kernel, to.list([height, width, 1, channels * multiplier])]) : kernel;
    const weights = to.add("Transpose", [own], { perm: ints(3, 2, 0, 1) });
    const first = to.add("Transpose", [x], toChannelsFirst);
    const group = isDepthwise ? { group: int(channels) } : {};
    const y = to.add("Conv", [first, weights], {
      ...windowAttributes(node),
      kernel_shape: ints(height, width),
      ...group,
    });
    fused(to, node, to.add("Transpose", [y], toChannelsLast), extras);
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

const pool =
  (op: "MaxPool" | "AveragePool"): Translate =>
  (to, node) => {
    const first = to.add("Transpose", node.inputs.slice(0, 1), toChannelsFirst);
    to.add("Transpose", [to.add(op, [first], windowAttributes(node))], toChannelsLast, node.name);
  };

const batchNorm: Translate = (to, node) => {
  refuseChannelsFirst(node);
  if (node.truth("is_training") === true) throw new UnsupportedError("training mode.");
  const [x = "", ...rest] = node.inputs;
  const first = to.add("Transpose", [x], toChannelsFirst);
  const y = to.add("BatchNormalization", [first, ...rest], { epsilon: float(node.number("epsilon", 1e-4)) });
  to.add("Transpose", [y], toChannelsLast, node.name);
};

const matMul: Translate = (to, node) => {
  if (node.truth("transpose_a") === true || node.truth("adj_x") === true) throw new UnsupportedError("transpose_a.");
  const [x = "", w = "", ...extras] = node.inputs;
  const isTurned = node.truth("transpose_b") === true || node.truth("adj_y") === true;
  const right = isTurned ? to.add("Transpose", [w], { perm: ints(1, 0) }) : w;
  fused(to, node, to.add("MatMul", [x, right]), extras);
};

/** Paddings [axes,2] as ONNX has them: all before, then all behind; of images with channels first, where a convolution takes them over. */
const pad =
  (mode: (node: GraphNode) => string): Translate =>
  (to, node) => {
    const [x = "", paddings = "", value] = node.inputs;
    const isImage = to.shapeOf(paddings)[0] === 4;
    const rows = isImage ? to.add("Gather", [paddings, to.list([0, 3, 1, 2])], { axis: int(0) }) : paddings;
    const turned = to.add("Transpose", [rows], { perm: ints(1, 0) });
    const pads = [to.add("Reshape", [turned, to.list([-1])]), ...(value === undefined ? [] : [value])];
    const attributes = { mode: text(mode(node)) };
    if (!isImage) to.add("Pad", [x, ...pads], attributes, node.name);
    else {
      const first = to.add("Transpose", [x], toChannelsFirst);
      to.add("Transpose", [to.add("Pad", [first, ...pads], attributes)], toChannelsLast, node.name);
    }
  };

const resize =
  (mode: "linear" | "nearest"): Translate =>
  async (to, node) => {
    const [x = "", size = ""] = node.inputs;
    const [height = 0, width = 0] = await to.numbers(size);
    const first = to.add("Transpose", [x], toChannelsFirst);
    const isHalf = node.truth("half_pixel_centers") === true;
    const coordinates = node.truth("align_corners") === true ? "align_corners" : isHalf ? "half_pixel" : "asymmetric";
    const rounding = coordinates === "align_corners" ? "round_prefer_ceil" : isHalf ? "round_prefer_ceil" : "floor";
    const sizes = to.list([height, width]);
    const y = to.add("Resize", [first, "", "", sizes], {
      mode: text(mode),
      axes: ints(2, 3),
      coordinate_transformation_mode: text(coordinates),
      nearest_mode: text(rounding),
    });
    to.add("Transpose", [y], toChannelsLast, node.name);
  };

const blocks =
  (op: "DepthToSpace" | "SpaceToDepth"): Translate =>
  (to, node) => {
    refuseChannelsFirst(node);
    const first = to.add("Transpose", node.inputs.slice(0, 1), toChannelsFirst);
    const y = to.add(op, [first], { blocksize: int(node.number("block_size", 1)), mode: text("DCR") });
    to.add("Transpose", [y], toChannelsLast, node.name);
  };

/** Convolutions, dense layers, pools and what else sees an image, by their TensorFlow names. */
export const imageOperators: Readonly<Record<string, Translate>> = {
  AvgPool: pool("AveragePool"),
  BatchMatMul: matMul,
  BatchMatMulV2: matMul,
  Conv2D: convolution(false),
  Conv2DBackpropInput: convolutionBackwards,
  DepthToSpace: blocks("DepthToSpace"),
  DepthwiseConv2dNative: convolution(true),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedDepthwiseConv2dNative: convolution(true),
  MatMul: matMul,
  MaxPool: pool("MaxPool"),
  MirrorPad: pad((node) => {
    if (node.text("mode") !== "REFLECT") throw new UnsupportedError("a mirror that repeats the edge.");
    return "reflect";
  }),
  Pad: pad(() => "constant"),
  PadV2: pad(() => "constant"),
  Prelu: (to, node) => {
    const [x = "", slopes = ""] = node.inputs;
    to.add("Identity", [prelu(to, x, slopes)], {}, node.name);
  },
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
  SpaceToDepth: blocks("SpaceToDepth"),
  _FusedConv2D: convolution(false),
  _FusedMatMul: matMul,
};
