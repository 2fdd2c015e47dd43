import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Pads, Pair, Stage } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { type CaffeLayer, messagesOf, numberOf, numbersOf, textsOf } from "./model.ts";
import type { Message } from "./prototxt.ts";

/** What converting layers adds to. */
export interface State extends NetworkBuilder {
  readonly what: string;
  /** Which node made a blob, and whether it is a vector by now. Layers that work in place replace their entry. */
  readonly blobs: Map<string, { node: string; isVector: boolean }>;
  readonly weights: WeightFile;
  /** How many layers read a blob of this name. */
  readonly reads: ReadonlyMap<string, number>;
}

/** Turns a layer into nodes. @throws UnsupportedError saying why not */
type Convert = (state: State, layer: CaffeLayer) => void;

function bottoms(state: State, { fields, name }: CaffeLayer): { node: string; isVector: boolean }[] {
  return textsOf(fields, "bottom").map((blob) => {
    const found = state.blobs.get(blob);
    if (found === undefined)
      throw new FormatError(`${state.what}: layer "${name}" reads "${blob}", which nothing before it writes.`);
    return found;
  });
}

function setTop(state: State, layer: CaffeLayer, node: string, isVector: boolean): void {
  for (const top of textsOf(layer.fields, "top").slice(0, 1)) state.blobs.set(top, { node, isVector });
}

function emit(state: State, layer: CaffeLayer, stage: Stage, isVector: boolean, inputs?: string[]): void {
  const from =
    inputs ??
    bottoms(state, layer)
      .slice(0, 1)
      .map((bottom) => bottom.node);
  if (from.length === 0) throw new FormatError(`${state.what}: layer "${layer.name}" reads nothing.`);
  setTop(state, layer, state.add(layer.name || layer.type, from, stage), isVector);
}

/** `name_h` and `name_w`, or `name` once or twice. */
function pairOf(message: Message | undefined, name: string, otherwise: number | undefined): Pair {
  const stem = name.replace("_size", "");
  const both = numbersOf(message, name);
  const height = numberOf(message, `${stem}_h`) ?? both[0] ?? otherwise;
  const width = numberOf(message, `${stem}_w`) ?? both[1] ?? both[0] ?? otherwise;
  const least = name === "pad" ? 0 : 1;
  const isSize = (size: number | undefined): size is number => Number.isSafeInteger(size) && (size ?? -1) >= least;
  if (!isSize(height) || !isSize(width)) throw new UnsupportedError(`${name} is missing or wrong.`);
  return [height, width];
}

function padsOf(message: Message | undefined): Pads {
  const [height, width] = pairOf(message, "pad", 0);
  return [height, width, height, width];
}

const isTrue = (message: Message | undefined, field: string, otherwise: boolean): boolean =>
  (numberOf(message, field, ["false", "true"]) ?? (otherwise ? 1 : 0)) !== 0;

const convolution: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "convolution_param");
  const outChannels = numberOf(parameters, "num_output") ?? 0;
  const node = {
    op: "conv2d",
    outChannels,
    kernelShape: pairOf(parameters, "kernel_size", undefined),
    strides: pairOf(parameters, "stride", 1),
    pads: padsOf(parameters),
    dilations: pairOf(parameters, "dilation", 1),
    group: numberOf(parameters, "group") ?? 1,
    weight: `${layer.name}.weight`,
    ...(isTrue(parameters, "bias_term", true) ? { bias: `${layer.name}.bias` } : {}),
  } as const;
  emit(state, layer, node, false);
};

const pooling: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "pooling_param");
  const kind = numberOf(parameters, "pool", ["MAX", "AVE", "STOCHASTIC"]) ?? 0;
  if (kind > 1) throw new UnsupportedError("stochastic pooling.");
  if (isTrue(parameters, "global_pooling", false)) {
    emit(state, layer, { op: kind === 0 ? "globalMaxPool2d" : "globalAveragePool2d" }, false);
    return;
  }
  const window = {
    kernelShape: pairOf(parameters, "kernel_size", undefined),
    strides: pairOf(parameters, "stride", 1),
    pads: padsOf(parameters),
    ceilMode: (numberOf(parameters, "round_mode", ["CEIL", "FLOOR"]) ?? 0) === 0, // Caffe rounds up unless told otherwise
  };
  // Caffe's average divides by the window inside image and pads.
  emit(
    state,
    layer,
    kind === 0 ? { op: "maxPool2d", ...window } : { op: "averagePool2d", ...window, countIncludePad: true },
    false,
  );
};

const lrn: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "lrn_param");
  const isWithin = (numberOf(parameters, "norm_region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"]) ?? 0) === 1;
  const node = {
    op: "lrn",
    size: numberOf(parameters, "local_size") ?? 5,
    alpha: numberOf(parameters, "alpha") ?? 1,
    beta: numberOf(parameters, "beta") ?? 0.75,
    bias: isWithin ? 1 : (numberOf(parameters, "k") ?? 1), // within a channel Caffe adds 1, whatever k says
    region: isWithin ? "withinChannel" : "acrossChannels",
  } as const;
  emit(state, layer, node, false);
};

const innerProduct: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "inner_product_param");
  if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("an axis other than 1.");
  if (isTrue(parameters, "transpose", false)) throw new UnsupportedError("transposed weights.");
  const [bottom] = bottoms(state, layer);
  let from = bottom?.node ?? "";
  if (bottom?.isVector === false) {
    from = state.add(`${layer.name}.flatten`, [from], { op: "flatten" });
  }
  const node = {
    op: "dense",
    outFeatures: numberOf(parameters, "num_output") ?? 0,
    weight: `${layer.name}.weight`,
    ...(isTrue(parameters, "bias_term", true) ? { bias: `${layer.name}.bias` } : {}),
  } as const;
  emit(state, layer, node, true, [from]);
};

const relu: Convert = (state, layer) => {
  const slope = numberOf(messagesOf(layer.fields, "relu_param")[0], "negative_slope") ?? 0;
  const isVector = bottoms(state, layer)[0]?.isVector ?? false;
  emit(state, layer, slope === 0 ? { op: "relu" } : { op: "leakyRelu", slope }, isVector);
};

const softmax: Convert = (state, layer) => {
  const axis = numberOf(messagesOf(layer.fields, "softmax_param")[0], "axis") ?? 1;
  if (axis !== 1) throw new UnsupportedError(`softmax over axis ${axis}; only channels (1) are supported.`);
  emit(state, layer, { op: "softmax" }, bottoms(state, layer)[0]?.isVector ?? false);
};

const passOn: Convert = (state, layer) => {
  const [bottom] = bottoms(state, layer);
  if (bottom === undefined) throw new FormatError(`${state.what}: layer "${layer.name}" reads nothing.`);
  for (const top of textsOf(layer.fields, "top")) state.blobs.set(top, bottom);
};

const concat: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "concat_param");
  const axis = numberOf(parameters, "axis") ?? numberOf(parameters, "concat_dim") ?? 1;
  if (axis !== 1) throw new UnsupportedError(`concatenation along axis ${axis}; only channels (1) are supported.`);
  const all = bottoms(state, layer);
  emit(
    state,
    layer,
    { op: "concat" },
    all[0]?.isVector ?? false,
    all.map(({ node }) => node),
  );
};

const eltwise: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "eltwise_param");
  const operation = numberOf(parameters, "operation", ["PROD", "SUM", "MAX"]) ?? 1;
  const isPlainSum = operation === 1 && numbersOf(parameters, "coeff").every((coefficient) => coefficient === 1);
  if (!isPlainSum) throw new UnsupportedError("only plain sums.");
  const all = bottoms(state, layer);
  emit(
    state,
    layer,
    { op: "add" },
    all[0]?.isVector ?? false,
    all.map(({ node }) => node),
  );
};

const flatten: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "flatten_param");
  if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("flattening from another axis than 1.");
  if ((numberOf(parameters, "end_axis") ?? -1) !== -1) throw new UnsupportedError("flattening some axes only.");
  emit(state, layer, { op: "flatten" }, true);
};

/** Registers a vector of the network that is worked out from the file's. */
function computedVector(state: State, name: string, length: number, compute: () => Promise<Float32Array>): string {
  return state.addTensor({ name, shape: [length], compute });
}

function channelsOf(state: State, tensor: string): number {
  const shape = state.weights.tensors.get(tensor)?.shape;
  if (shape?.length !== 1) throw new FormatError(`${state.what}: tensor "${tensor}" is missing or no vector.`);
  return shape[0] ?? 0;
}

/** Caffe keeps sums of statistics and one factor to divide them by; a Scale layer behind it brings scale and bias. */
const batchNorm: Convert = (state, layer) => {
  const { weights } = state;
  const channels = channelsOf(state, `${layer.name}.mean`);
  const scaled = (part: string) => async (): Promise<Float32Array> => {
    const [factor = 0] = await weights.read(`${layer.name}.scaleFactor`);
    const values = await weights.read(`${layer.name}.${part}`);
    return values.map((value) => (factor === 0 ? 0 : value / factor)); // batch_norm_layer.cpp: a factor of 0 means no statistics
  };
  const node = {
    op: "batchNorm",
    epsilon: numberOf(messagesOf(layer.fields, "batch_norm_param")[0], "eps") ?? 1e-5,
    mean: computedVector(state, `${layer.name}.runningMean`, channels, scaled("mean")),
    variance: computedVector(state, `${layer.name}.runningVariance`, channels, scaled("variance")),
  } as const;
  emit(state, layer, node, false);
};

const scale: Convert = (state, layer) => {
  const [parameters] = messagesOf(layer.fields, "scale_param");
  const isPerChannel = (numberOf(parameters, "axis") ?? 1) === 1 && (numberOf(parameters, "num_axes") ?? 1) === 1;
  const all = bottoms(state, layer);
  if (!isPerChannel || all.length !== 1) throw new UnsupportedError("only one constant per channel.");
  const channels = channelsOf(state, `${layer.name}.scale`);
  const bias = isTrue(parameters, "bias_term", false) ? { bias: `${layer.name}.bias` } : {};
  const at = state.nodes.findIndex(({ name }) => name === all[0]?.node);
  const before = state.nodes[at];
  // Both are one layer of ours, unless somebody reads what lies between them.
  const [bottom = ""] = textsOf(layer.fields, "bottom");
  const isInPlace = textsOf(layer.fields, "top")[0] === bottom;
  const isReadBetween = state.nodes.some(({ inputs }) => inputs.includes(before?.name ?? ""));
  const isFree = !isReadBetween && (isInPlace || state.reads.get(bottom) === 1);
  if (isFree && before?.op === "batchNorm" && before.scale === undefined && before.bias === undefined) {
    state.nodes[at] = { ...before, scale: `${layer.name}.scale`, ...bias };
    setTop(state, layer, before.name, false);
    return;
  }
  const node = {
    op: "batchNorm",
    epsilon: 0,
    scale: `${layer.name}.scale`,
    ...bias,
    mean: state.addVector(`${layer.name}.zeros`, new Float32Array(channels)),
    variance: state.addVector(`${layer.name}.ones`, new Float32Array(channels).fill(1)),
  } as const;
  emit(state, layer, node, all[0]?.isVector ?? false);
};

/** Every Caffe layer that can be part of a network here. */
export const converters: Readonly<Record<string, Convert>> = {
  BatchNorm: batchNorm,
  Concat: concat,
  Convolution: convolution,
  Dropout: passOn,
  Eltwise: eltwise,
  Flatten: flatten,
  InnerProduct: innerProduct,
  LRN: lrn,
  Pooling: pooling,
  ReLU: relu,
  Scale: scale,
  Softmax: softmax,
  SoftmaxWithLoss: softmax,
  Split: passOn,
};
