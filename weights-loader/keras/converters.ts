import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import type { Pair, Stage } from "../../engine/graph/definition.ts";
import { samePads, type Window, windowPositions } from "../../engine/graph/window.ts";
import { joinPads } from "../graphs/network-builder.ts";
import { image, kernel, type Layer, pair, permute, plain, type State, tensor, type Value } from "./state.ts";

/** The activation that a layer brings along, as a node behind it. */
function activated(state: State, layer: Layer, value: Value): Value {
  const kind = String(layer.config["activation"] ?? "linear");
  if (kind === "linear") return value;
  const node = activations[kind];
  if (node === undefined) throw new UnsupportedError(`activation "${kind}".`);
  const name = layer.type === "Activation" ? layer.name : `${layer.name}.${kind}`;
  return { ...value, node: state.add(name, [value.node], node) };
}

const activations: Readonly<Record<string, Stage>> = {
  relu: { op: "relu" },
  relu6: { op: "clip", low: 0, high: 6 },
  softmax: { op: "softmax" },
};

/** TensorFlow's "same" gives ceil(size / stride) positions, an odd pad at the end; "valid" pads nothing. */
function windowOf(
  { config }: Layer,
  kernelShape: Pair,
  strides: Pair,
  dilations: Pair,
  [, height = 0, width = 0]: Shape,
): Window & { readonly output: Pair } {
  if ((config["data_format"] ?? "channels_last") !== "channels_last") throw new UnsupportedError("channels first.");
  const padding = config["padding"] ?? "valid";
  if (padding !== "same" && padding !== "valid") throw new UnsupportedError(`padding "${String(padding)}".`);
  const unpadded: Window = { kernelShape, strides, dilations, ceilMode: false, pads: [0, 0, 0, 0] };
  const window = padding === "same" ? { ...unpadded, pads: samePads(unpadded, height, width, "end") } : unpadded;
  const output = windowPositions(window, height, width);
  if (!output.every((count) => count > 0))
    throw new UnsupportedError(`its window does not fit into ${height}x${width}.`);
  return { ...window, output };
}

/** Turns a layer into nodes. @throws UnsupportedError saying why not */
type Convert = (state: State, layer: Layer, inputs: readonly Value[]) => Value;

/** Keras 2 calls it depthwise_kernel, Keras 3 kernel. */
function depthwiseKernel({ weights }: State, layer: string): string {
  const old = `${layer}/depthwise_kernel`;
  return weights.tensors.has(old) ? old : `${layer}/kernel`;
}

function convolution(isDepthwise: boolean): Convert {
  return (state, layer, inputs) => {
    const x = image(inputs[0]);
    const { config, name } = layer;
    const [channels = 0] = x.shape;
    const kernelShape = pair(config, "kernel_size", [1, 1]);
    const dilations = pair(config, "dilation_rate", [1, 1]);
    const { strides, pads, output } = windowOf(layer, kernelShape, pair(config, "strides", [1, 1]), dilations, x.shape);
    const multiplier = Number(config["depth_multiplier"] ?? 1);
    const group = isDepthwise ? channels : Number(config["groups"] ?? 1);
    const outChannels = isDepthwise ? channels * multiplier : Number(config["filters"]);
    const [kh, kw] = kernelShape;
    const shape = [outChannels, isDepthwise ? 1 : channels / group, kh, kw];
    const sizes = { height: kh, width: kw, channels: channels / group, out: outChannels };
    // HWIO to OIHW; a depthwise kernel is [kh,kw,C,multiplier], whose outputs are numbered c * multiplier + m.
    const turn = (values: Float32Array): Float32Array => permute(values, [kh, kw, channels, multiplier], [2, 3, 0, 1]);
    const weight = isDepthwise
      ? tensor(state, `${name}.weight`, shape, depthwiseKernel(state, name), turn)
      : kernel(state, `${name}.weight`, shape, `${name}/kernel`, sizes);
    const bias =
      config["use_bias"] === false ? {} : { bias: tensor(state, `${name}.bias`, [outChannels], `${name}/bias`) };
    const joined = x.pads === undefined ? pads : joinPads(x.pads, pads); // both are zeros, so one padding does
    const shared = { kernelShape, strides, dilations, pads: joined, group };
    const node = state.add(name, [x.node], { op: "conv2d", outChannels, ...shared, weight, ...bias });
    return activated(state, layer, { node, shape: [outChannels, ...output] });
  };
}

function pool(op: "maxPool2d" | "averagePool2d"): Convert {
  return (state, layer, inputs) => {
    const x = plain(state, image(inputs[0]));
    const kernelShape = pair(layer.config, "pool_size", [2, 2]);
    const steps = pair(layer.config, "strides", kernelShape);
    const { strides, pads, output } = windowOf(layer, kernelShape, steps, [1, 1], x.shape);
    const node = state.add(layer.name, [x.node], { op, kernelShape, strides, pads }); // averages leave padding out, as TensorFlow's do
    return { node, shape: [x.shape[0] ?? 0, ...output] };
  };
}

function globalPool(op: "globalAveragePool2d" | "globalMaxPool2d"): Convert {
  return (state, layer, inputs) => {
    const x = plain(state, image(inputs[0]));
    const [channels = 0] = x.shape;
    const isKept = layer.config["keepdims"] === true;
    const pooled = state.add(isKept ? layer.name : `${layer.name}.pool`, [x.node], { op });
    if (isKept) return { node: pooled, shape: [channels, 1, 1] };
    return { node: state.add(layer.name, [pooled], { op: "flatten" }), shape: [channels] };
  };
}

const dense: Convert = (state, layer, inputs) => {
  const [x] = inputs;
  if (x?.shape.length !== 1) throw new UnsupportedError("its input must be a vector.");
  const { config, name } = layer;
  const [inFeatures = 0] = x.shape;
  const outFeatures = Number(config["units"]);
  const [channels = inFeatures, height = 1, width = 1] = x.image ?? [];
  // [in,out] to [out,in], and the inputs from H,W,C order to C,H,W.
  const sizes = { height, width, channels, out: outFeatures };
  const weight = kernel(state, `${name}.weight`, [outFeatures, inFeatures], `${name}/kernel`, sizes);
  const bias =
    config["use_bias"] === false ? {} : { bias: tensor(state, `${name}.bias`, [outFeatures], `${name}/bias`) };
  const node = state.add(name, [x.node], { op: "dense", outFeatures, weight, ...bias });
  return activated(state, layer, { node, shape: [outFeatures] });
};

const flatten: Convert = (state, layer, inputs) => {
  const [x] = inputs.map((value) => plain(state, value));
  if (x === undefined) throw new UnsupportedError("it has no input.");
  if (x.shape.length === 1) return x;
  const node = state.add(layer.name, [x.node], { op: "flatten" });
  return { node, shape: [elementCount(x.shape)], image: x.shape };
};

const batchNormalization: Convert = (state, layer, inputs) => {
  const [raw] = inputs;
  if (raw === undefined || raw.image !== undefined)
    throw new UnsupportedError("its input must be an image or plain vector.");
  const x = plain(state, raw);
  const { config, name } = layer;
  const [channels = 0] = x.shape;
  const vector = (part: string): string => tensor(state, `${name}.${part}`, [channels], `${name}/${part}`);
  const stage = {
    op: "batchNorm",
    epsilon: Number(config["epsilon"] ?? 1e-3),
    mean: vector("moving_mean"),
    variance: vector("moving_variance"),
    ...(config["scale"] === false ? {} : { scale: vector("gamma") }),
    ...(config["center"] === false ? {} : { bias: vector("beta") }),
  } as const;
  return { ...x, node: state.add(name, [x.node], stage) };
};

const zeroPadding: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const given = layer.config["padding"];
  const [vertical, horizontal] = Array.isArray(given) ? given : [given, given];
  const both = (value: unknown): number[] =>
    Array.isArray(value) ? value.map(Number) : [Number(value), Number(value)];
  const [top = 0, bottom = 0] = both(vertical);
  const [left = 0, right = 0] = both(horizontal);
  if (![top, bottom, left, right].every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new UnsupportedError("padding must be non-negative integers.");
  }
  const [channels = 0, height = 0, width = 0] = x.shape;
  return { ...x, shape: [channels, height + top + bottom, width + left + right], pads: [top, left, bottom, right] };
};

const passOn: Convert = (_state, _layer, inputs) => {
  const [x] = inputs;
  if (x === undefined) throw new UnsupportedError("it has no input.");
  return x;
};

const rectifier: Convert = (state, layer, inputs) => {
  const [raw] = inputs;
  if (raw === undefined) throw new UnsupportedError("it has no input.");
  const x = plain(state, raw);
  const { config, name, type } = layer;
  const slope = Number(
    (type === "LeakyReLU" ? (config["alpha"] ?? config["negative_slope"] ?? 0.3) : config["negative_slope"]) ?? 0,
  );
  const highest = config["max_value"];
  if (Number(config["threshold"] ?? 0) !== 0) throw new UnsupportedError("a threshold.");
  if (typeof highest === "number" && slope !== 0) throw new UnsupportedError("a slope together with a largest value.");
  const unbounded: Stage = slope === 0 ? { op: "relu" } : { op: "leakyRelu", slope };
  const stage: Stage = typeof highest === "number" ? { op: "clip", low: 0, high: highest } : unbounded;
  return { ...x, node: state.add(name, [x.node], stage) };
};

function join(op: "add" | "concat"): Convert {
  return (state, layer, inputs) => {
    const all = inputs.map((value) => plain(state, value));
    const [first] = all;
    if (first === undefined || all.some(({ image: was }) => was !== undefined))
      throw new UnsupportedError("flattened images.");
    const axis = Number(layer.config["axis"] ?? -1);
    if (op === "concat" && axis !== -1 && axis !== first.shape.length) throw new UnsupportedError(`axis ${axis}.`);
    const rest = op === "add" ? 0 : 1;
    if (!all.every(({ shape }) => sameShape(shape.slice(rest), first.shape.slice(rest)))) {
      throw new UnsupportedError(`the shapes ${all.map(({ shape }) => formatShape(shape)).join(" and ")} differ.`);
    }
    const inputNodes = all.map(({ node }) => node);
    const channels = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const shape = op === "add" ? first.shape : [channels, ...first.shape.slice(1)];
    return { node: state.add(layer.name, inputNodes, { op }), shape };
  };
}

const softmax: Convert = (state, layer, inputs) => {
  const [x] = inputs;
  if (x === undefined || x.image !== undefined)
    throw new UnsupportedError("its input must be an image or plain vector.");
  return { ...x, node: state.add(layer.name, [plain(state, x).node], { op: "softmax" }) };
};

/** Every Keras layer that can be part of a network here. */
export const converters: Readonly<Record<string, Convert>> = {
  Activation: (state, layer, inputs) => activated(state, layer, plain(state, passOn(state, layer, inputs))),
  Add: join("add"),
  AveragePooling2D: pool("averagePool2d"),
  BatchNormalization: batchNormalization,
  Concatenate: join("concat"),
  Conv2D: convolution(false),
  Dense: dense,
  DepthwiseConv2D: convolution(true),
  Dropout: passOn,
  Flatten: flatten,
  GlobalAveragePooling2D: globalPool("globalAveragePool2d"),
  GlobalMaxPooling2D: globalPool("globalMaxPool2d"),
  LeakyReLU: rectifier,
  MaxPooling2D: pool("maxPool2d"),
  ReLU: rectifier,
  Softmax: softmax,
  SpatialDropout2D: passOn,
  ZeroPadding2D: zeroPadding,
};
