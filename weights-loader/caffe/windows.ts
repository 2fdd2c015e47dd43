import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import { type Window, windowPositions } from "../../engine/graph/window.ts";
import { addTransposedConvolution } from "../graphs/transposed-convolution.ts";
import { numberOf } from "./model.ts";
import type { Message } from "./prototxt.ts";
import { bottomOf, type Convert, emit, isTrue, padsOf, pairOf, parametersOf, setTop } from "./state.ts";

// Layers that slide a window over an image, take all of it, or multiply a vector by a matrix.

/** What a layer without `num_output` makes is nothing, which is refused with its shape. */
const outputsOf = (parameters: Message | undefined): number => numberOf(parameters, "num_output") ?? 0;

function positions(window: Window, shape: Shape): Shape {
  const [, height = 0, width = 0] = shape;
  if (shape.length !== 3) throw new UnsupportedError("its input must be an image.");
  const output = windowPositions(window, height, width);
  if (!output.every((count) => count > 0)) {
    throw new UnsupportedError(`its window does not fit into ${height}x${width}.`);
  }
  return output;
}

function convolutionOf(isDepthwise: boolean): Convert {
  return (state, layer) => {
    const parameters = parametersOf(layer, "convolution_param");
    const { shape } = bottomOf(state, layer);
    if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("an axis other than 1.");
    const outChannels = outputsOf(parameters);
    const window = {
      kernelShape: pairOf(parameters, "kernel_size", undefined),
      strides: pairOf(parameters, "stride", 1),
      pads: padsOf(parameters),
      dilations: pairOf(parameters, "dilation", 1),
    };
    const node = {
      op: "conv2d",
      outChannels,
      ...window,
      group: isDepthwise ? (shape[0] ?? 1) : (numberOf(parameters, "group") ?? 1),
      weight: `${layer.name}.weight`,
      ...(isTrue(parameters, "bias_term", true) ? { bias: `${layer.name}.bias` } : {}),
    } as const;
    emit(state, layer, node, [outChannels, ...positions({ ...window, ceilMode: false }, shape)]);
  };
}

/** Weights [C, M/group, kh, kw]: what convolutions do backwards. */
const deconvolution: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "convolution_param");
  const x = bottomOf(state, layer);
  const { shape } = x;
  if (shape.length !== 3) throw new UnsupportedError("its input must be an image.");
  if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("an axis other than 1.");
  const outChannels = outputsOf(parameters);
  const group = numberOf(parameters, "group") ?? 1;
  const kernelShape = pairOf(parameters, "kernel_size", undefined);
  const from = `${layer.name}.weight`;
  const [channels = 0] = shape;
  const count = channels * (outChannels / group) * kernelShape[0] * kernelShape[1];
  const own = state.weights.tensors.get(from);
  if (own === undefined || elementCount(own.shape) !== count)
    throw new FormatError(
      `${state.what}: tensor "${from}" must have ${count} elements, ${own === undefined ? "it is missing" : `got ${formatShape(own.shape)}`}.`,
    );
  const made = addTransposedConvolution(state, layer.name, x, {
    outChannels,
    kernelShape,
    strides: pairOf(parameters, "stride", 1),
    dilations: pairOf(parameters, "dilation", 1),
    group,
    pads: padsOf(parameters),
    ...(isTrue(parameters, "bias_term", true) ? { bias: `${layer.name}.bias` } : {}),
    weights: () => state.weights.read(from),
  });
  setTop(state, layer, made);
};

const pooling: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "pooling_param");
  const { shape } = bottomOf(state, layer);
  const [channels = 0] = shape;
  const kind = numberOf(parameters, "pool", ["MAX", "AVE", "STOCHASTIC"]) ?? 0;
  if (kind > 1) throw new UnsupportedError("stochastic pooling.");
  if (isTrue(parameters, "global_pooling", false)) {
    emit(state, layer, { op: kind === 0 ? "globalMaxPool2d" : "globalAveragePool2d" }, [channels, 1, 1]);
    return;
  }
  const window = {
    kernelShape: pairOf(parameters, "kernel_size", undefined),
    strides: pairOf(parameters, "stride", 1),
    pads: padsOf(parameters),
    ceilMode: (numberOf(parameters, "round_mode", ["CEIL", "FLOOR"]) ?? 0) === 0, // Caffe rounds up unless told otherwise
  };
  const output = [channels, ...positions({ ...window, dilations: [1, 1] }, shape)];
  // Caffe's average divides by the window inside image and pads.
  const stage =
    kind === 0
      ? ({ op: "maxPool2d", ...window } as const)
      : ({ op: "averagePool2d", ...window, countIncludePad: true } as const);
  emit(state, layer, stage, output);
};

const lrn: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "lrn_param");
  const isWithin = (numberOf(parameters, "norm_region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"]) ?? 0) === 1;
  const node = {
    op: "lrn",
    size: numberOf(parameters, "local_size") ?? 5,
    alpha: numberOf(parameters, "alpha") ?? 1,
    beta: numberOf(parameters, "beta") ?? 0.75,
    bias: isWithin ? 1 : (numberOf(parameters, "k") ?? 1), // within a channel Caffe adds 1, whatever k says
    region: isWithin ? "withinChannel" : "acrossChannels",
  } as const;
  emit(state, layer, node, bottomOf(state, layer).shape);
};

const innerProduct: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "inner_product_param");
  if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("an axis other than 1.");
  if (isTrue(parameters, "transpose", false)) throw new UnsupportedError("transposed weights.");
  const { node, shape } = bottomOf(state, layer);
  const from = shape.length === 1 ? node : state.add(`${layer.name}.flatten`, [node], { op: "flatten" });
  const outFeatures = outputsOf(parameters);
  const stage = {
    op: "dense",
    outFeatures,
    weight: `${layer.name}.weight`,
    ...(isTrue(parameters, "bias_term", true) ? { bias: `${layer.name}.bias` } : {}),
  } as const;
  emit(state, layer, stage, [outFeatures], [from]);
};

/** Convolutions, pools and dense layers by their Caffe names. */
export const windowConverters: Readonly<Record<string, Convert>> = {
  Convolution: convolutionOf(false),
  ConvolutionDepthwise: convolutionOf(true),
  Deconvolution: deconvolution,
  DepthwiseConvolution: convolutionOf(true),
  InnerProduct: innerProduct,
  LRN: lrn,
  Pooling: pooling,
};
