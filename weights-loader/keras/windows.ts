import { UnsupportedError } from "../../engine/basics/errors.ts";
import { joinPads } from "../graphs/network-builder.ts";
import { addTransposedConvolution } from "../graphs/transposed-convolution.ts";
import { activated } from "./activations.ts";
import { windowOf } from "./padding.ts";
import {
  type Convert,
  checkElements,
  count,
  image,
  inputOf,
  kernel,
  type Layer,
  pair,
  permute,
  plain,
  type State,
  tensor,
  tensorName,
  type Value,
} from "./state.ts";

// Layers that slide a window over an image, take all of it, or multiply a vector by a matrix.

function biasOf(state: State, { config, name }: Layer, length: number): { bias?: string } {
  if (config["use_bias"] === false) return {};
  return { bias: tensor(state, `${name}.bias`, [length], tensorName(state, name, ["bias"])) };
}

/** A convolution that sees every channel by itself: [kh,kw,C,multiplier] in Keras, whose outputs are numbered c * multiplier + m. */
function depthwiseStage(state: State, layer: Layer, x: Value, weight: string, from: string) {
  const { config } = layer;
  const [channels = 0] = x.shape;
  const kernelShape = pair(config, "kernel_size", [1, 1]);
  const dilations = pair(config, "dilation_rate", [1, 1]);
  const { strides, pads, output } = windowOf(layer, kernelShape, pair(config, "strides", [1, 1]), dilations, x.shape);
  const multiplier = count(config, "depth_multiplier", 1);
  const outChannels = channels * multiplier;
  const [kh, kw] = kernelShape;
  const turn = (values: Float32Array): Float32Array => permute(values, [kh, kw, channels, multiplier], [2, 3, 0, 1]);
  const stage = {
    op: "conv2d",
    outChannels,
    kernelShape,
    strides,
    dilations,
    pads: x.pads === undefined ? pads : joinPads(x.pads, pads), // both are zeros, so one padding does
    group: channels,
    weight: tensor(state, weight, [outChannels, 1, kh, kw], from, turn),
  } as const;
  return { stage, shape: [outChannels, ...output] };
}

const depthwiseConvolution: Convert = (state, layer, inputs) => {
  const x = image(inputs[0]);
  const { name } = layer;
  // Keras 2 calls it depthwise_kernel, Keras 3 kernel.
  const from = tensorName(state, name, ["depthwise_kernel", "kernel"]);
  const { stage, shape } = depthwiseStage(state, layer, x, `${name}.weight`, from);
  const node = state.add(name, [x.node], { ...stage, ...biasOf(state, layer, stage.outChannels) });
  return activated(state, layer, { node, shape });
};

/** A depthwise convolution and a pointwise one, with nothing between them. */
const separableConvolution: Convert = (state, layer, inputs) => {
  const x = image(inputs[0]);
  const { name, config } = layer;
  const from = tensorName(state, name, ["depthwise_kernel"]);
  const first = depthwiseStage(state, layer, x, `${name}.depthwise`, from);
  const depthwise = state.add(`${name}.depthwise`, [x.node], first.stage);
  const [channels = 0, height = 0, width = 0] = first.shape;
  const outChannels = count(config, "filters");
  const pointwise = tensorName(state, name, ["pointwise_kernel"]);
  const weight = kernel(state, `${name}.weight`, [outChannels, channels, 1, 1], pointwise, [[channels]], outChannels);
  const stage = {
    op: "conv2d",
    outChannels,
    kernelShape: [1, 1],
    weight,
    ...biasOf(state, layer, outChannels),
  } as const;
  const node = state.add(name, [depthwise], stage);
  return activated(state, layer, { node, shape: [outChannels, height, width] });
};

const convolution: Convert = (state, layer, inputs) => {
  const x = image(inputs[0]);
  const { config, name } = layer;
  const [channels = 0] = x.shape;
  const kernelShape = pair(config, "kernel_size", [1, 1]);
  const dilations = pair(config, "dilation_rate", [1, 1]);
  const { strides, pads, output } = windowOf(layer, kernelShape, pair(config, "strides", [1, 1]), dilations, x.shape);
  const group = count(config, "groups", 1);
  const outChannels = count(config, "filters");
  const [kh, kw] = kernelShape;
  const perGroup = channels / group;
  if (!Number.isSafeInteger(perGroup)) throw new UnsupportedError(`${group} groups of ${channels} channels.`);
  const from = tensorName(state, name, ["kernel"]);
  const weight = kernel(
    state,
    `${name}.weight`,
    [outChannels, perGroup, kh, kw],
    from,
    [[perGroup, kh, kw]],
    outChannels,
  );
  const joined = x.pads === undefined ? pads : joinPads(x.pads, pads);
  const shared = { kernelShape, strides, dilations, pads: joined, group };
  const stage = { op: "conv2d", outChannels, ...shared, weight, ...biasOf(state, layer, outChannels) } as const;
  return activated(state, layer, { node: state.add(name, [x.node], stage), shape: [outChannels, ...output] });
};

/** TensorFlow makes `same` outputs size * stride, `valid` ones as long as windows and strides reach. */
const transposedConvolution: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const { config, name } = layer;
  const [channels = 0, height = 0, width = 0] = x.shape;
  const kernelShape = pair(config, "kernel_size", [1, 1]);
  const strides = pair(config, "strides", [1, 1]);
  const dilations = pair(config, "dilation_rate", [1, 1]);
  const padding = config["padding"] ?? "valid";
  if (padding !== "same" && padding !== "valid") throw new UnsupportedError(`padding "${String(padding)}".`);
  const extra = config["output_padding"] ?? undefined;
  if (extra !== undefined) throw new UnsupportedError("output_padding.");
  const cut = (axis: 0 | 1, size: number): [number, number] => {
    const reach = (kernelShape[axis] - 1) * dilations[axis] + 1;
    const out = size * strides[axis] + (padding === "valid" ? Math.max(0, reach - strides[axis]) : 0);
    const all = (size - 1) * strides[axis] + reach - out;
    const before = padding === "same" ? Math.floor(Math.max(0, all) / 2) : 0;
    return [before, all - before];
  };
  const [[top, bottom], [left, right]] = [cut(0, height), cut(1, width)];
  const outChannels = count(config, "filters");
  const group = count(config, "groups", 1);
  if (group !== 1) throw new UnsupportedError(`${group} groups.`);
  const [kh, kw] = kernelShape;
  const from = tensorName(state, name, ["kernel"]);
  const shape = [kh, kw, outChannels, channels];
  checkElements(state, shape, from);
  const made = addTransposedConvolution(state, name, x, {
    outChannels,
    kernelShape,
    strides,
    dilations,
    group,
    pads: [top, left, bottom, right],
    ...biasOf(state, layer, outChannels),
    weights: async () => permute(await state.weights.read(from), shape, [3, 2, 0, 1]),
  });
  return activated(state, layer, made);
};

function pool(op: "maxPool2d" | "averagePool2d"): Convert {
  return (state, layer, inputs) => {
    const x = plain(state, image(inputs[0]));
    const kernelShape = pair(layer.config, "pool_size", [2, 2]);
    const steps = pair(layer.config, "strides", kernelShape);
    const { strides, pads, output } = windowOf(layer, kernelShape, steps, [1, 1], x.shape);
    // Averages leave padding out, as TensorFlow's do.
    const node = state.add(layer.name, [x.node], { op, kernelShape, strides, pads });
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

/** On an image it works at every pixel, as a convolution of 1x1. */
const dense: Convert = (state, layer, inputs) => {
  const x = inputOf(inputs);
  const { config, name } = layer;
  const [inFeatures = 0] = x.shape;
  const outFeatures = count(config, "units");
  const from = tensorName(state, name, ["kernel"]);
  if (x.shape.length === 3) {
    const at = plain(state, x);
    const weight = kernel(state, `${name}.weight`, [outFeatures, inFeatures, 1, 1], from, [[inFeatures]], outFeatures);
    const bias = biasOf(state, layer, outFeatures);
    const node = state.add(name, [at.node], {
      op: "conv2d",
      outChannels: outFeatures,
      kernelShape: [1, 1],
      weight,
      ...bias,
    });
    return activated(state, layer, { node, shape: [outFeatures, ...x.shape.slice(1)] });
  }
  // [in,out] to [out,in], and the inputs from H,W,C order to C,H,W.
  const weight = kernel(
    state,
    `${name}.weight`,
    [outFeatures, inFeatures],
    from,
    x.parts ?? [[inFeatures]],
    outFeatures,
  );
  const node = state.add(name, [x.node], { op: "dense", outFeatures, weight, ...biasOf(state, layer, outFeatures) });
  return activated(state, layer, { node, shape: [outFeatures] });
};

/** Convolutions, pools and dense layers by their Keras names. */
export const windowConverters: Readonly<Record<string, Convert>> = {
  AveragePooling2D: pool("averagePool2d"),
  Conv2D: convolution,
  Conv2DTranspose: transposedConvolution,
  Dense: dense,
  DepthwiseConv2D: depthwiseConvolution,
  GlobalAveragePooling2D: globalPool("globalAveragePool2d"),
  GlobalMaxPooling2D: globalPool("globalMaxPool2d"),
  MaxPooling2D: pool("maxPool2d"),
  SeparableConv2D: separableConvolution,
};
