import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition, Pads } from "../../engine/graph/definition.ts";
import { type BareNode, plainPreprocessing } from "../cases/networks.ts";
import { windowCount } from "../oracle/sizes.ts";
import type { OnnxNodeTest, OnnxTensor } from "./onnx-node.ts";

/** One image through a network of ours, and what ONNX says must come out, element by element. */
export interface OnnxRun {
  readonly definition: NetworkDefinition;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly input: Float32Array;
  readonly expected: Float32Array;
}

/** How a folder is run, or (a string) why it does not concern us. */
export type OnnxCase = ((test: OnnxNodeTest) => OnnxRun[]) | string;

type Parameters = Record<string, readonly number[]>;

const size = (shape: Shape): number => shape.reduce((product, each) => product * each, 1);

/** Vectors and matrices as images: [F] is [F,1,1]. */
function asImage(shape: Shape): Shape {
  return [...shape, 1, 1].slice(0, Math.max(3, shape.length));
}

function define(inputShape: Shape, nodes: readonly NodeDefinition[]): NetworkDefinition {
  return { name: "onnx", inputShape, nodes, output: nodes.at(-1)!.name, preprocessing: plainPreprocessing };
}

function run(
  definition: NetworkDefinition,
  parameters: Parameters,
  input: readonly number[],
  expected: readonly number[],
): OnnxRun {
  return {
    definition,
    parameters: new Map(Object.entries(parameters).map(([name, values]) => [name, Float32Array.from(values)])),
    input: Float32Array.from(input),
    expected: Float32Array.from(expected),
  };
}

const first = (test: OnnxNodeTest, index: number): OnnxTensor => test.inputs[index]!;

/** One node of ours on each image of the batch that is the first input's leading `batchAxes` axes. */
function perImage(
  batchAxes: number,
  node: (test: OnnxNodeTest) => BareNode,
  parameters?: (t: OnnxNodeTest) => Parameters,
): OnnxCase {
  return (test) => {
    const { shape, values } = first(test, 0);
    const images = size(shape.slice(0, batchAxes));
    const inputShape = asImage(shape.slice(batchAxes));
    const inSize = size(inputShape);
    const outputs = test.outputs[0]!.values;
    const outSize = outputs.length / images;
    const definition = define(inputShape, [{ name: "node", inputs: ["input"], ...node(test) } as NodeDefinition]);
    return Array.from({ length: images }, (_, n) =>
      run(
        definition,
        parameters?.(test) ?? {},
        values.slice(n * inSize, (n + 1) * inSize),
        outputs.slice(n * outSize, (n + 1) * outSize),
      ),
    );
  };
}

/**
 * A node of two inputs. A network of ours has one, so both are stacked along the channels and 1x1 convolutions with
 * weights 1 and 0 take them apart again, exactly.
 */
function pair(op: "add" | "concat"): OnnxCase {
  return (test) => {
    const a = first(test, 0);
    const b = first(test, 1);
    const [channelsA = 1, height, width] = asImage(a.shape);
    const [channelsB = 1] = asImage(b.shape);
    const channels = channelsA + channelsB;
    const pick = (begin: number, count: number): number[] =>
      Array.from({ length: count * channels }, (_, k) => (k % channels === begin + Math.floor(k / channels) ? 1 : 0));
    const conv = (name: string, outChannels: number): NodeDefinition => ({
      name,
      inputs: ["input"],
      op: "conv2d",
      outChannels,
      kernelShape: [1, 1],
      weight: name,
    });
    const nodes: NodeDefinition[] = [
      conv("a", channelsA),
      conv("b", channelsB),
      { name: "node", inputs: ["a", "b"], op },
    ];
    return [
      run(
        define([channels, height!, width!], nodes),
        { a: pick(0, channelsA), b: pick(channelsA, channelsB) },
        [...a.values, ...b.values],
        test.outputs[0]!.values,
      ),
    ];
  };
}

function numbers(test: OnnxNodeTest, name: string, otherwise: readonly number[]): readonly [number, number] {
  const value = test.attributes.get(name) ?? otherwise;
  if (!Array.isArray(value)) throw new Error(`attribute "${name}" is no list`);
  return [value[0], value[1]];
}

function number(test: OnnxNodeTest, name: string, otherwise: number): number {
  const value = test.attributes.get(name) ?? otherwise;
  if (typeof value !== "number") throw new Error(`attribute "${name}" is no number`);
  return value;
}

/** Explicit pads: ONNX's own, or those that auto_pad SAME_UPPER stands for (odd rest at the end). */
function pads(test: OnnxNodeTest): Pads {
  const given = test.attributes.get("pads");
  if (Array.isArray(given)) return [given[0], given[1], given[2], given[3]];
  if (test.attributes.get("auto_pad") !== "SAME_UPPER") return [0, 0, 0, 0];
  const kernel = numbers(test, "kernel_shape", []);
  const strides = numbers(test, "strides", [1, 1]);
  const [, , height = 1, width = 1] = first(test, 0).shape;
  const whole = [height, width].map((extent, axis) => {
    const windows = windowCount(
      { size: extent, kernel: 1, stride: strides[axis]!, padBefore: 0, padAfter: 0, dilation: 1 },
      false,
    );
    return Math.max(0, (windows - 1) * strides[axis]! + kernel[axis]! - extent);
  });
  const [y = 0, x = 0] = whole;
  return [y >> 1, x >> 1, y - (y >> 1), x - (x >> 1)];
}

const pool = (op: "maxPool2d" | "averagePool2d"): OnnxCase =>
  perImage(1, (test) => {
    const window = {
      kernelShape: numbers(test, "kernel_shape", []),
      strides: numbers(test, "strides", [1, 1]),
      pads: pads(test),
      ceilMode: number(test, "ceil_mode", 0) === 1,
    };
    return op === "maxPool2d"
      ? { op, ...window, dilations: numbers(test, "dilations", [1, 1]) }
      : { op, ...window, countIncludePad: number(test, "count_include_pad", 0) === 1 };
  });

const convolution: OnnxCase = perImage(
  1,
  (test) => ({
    op: "conv2d",
    outChannels: first(test, 1).shape[0]!,
    kernelShape: numbers(test, "kernel_shape", []),
    strides: numbers(test, "strides", [1, 1]),
    pads: pads(test),
    dilations: numbers(test, "dilations", [1, 1]),
    group: number(test, "group", 1),
    weight: "W",
  }),
  (test) => ({ W: first(test, 1).values }),
);

/** y = alpha A B + C row by row: each row of A is an input vector. B is transposed into [out,in]. */
const gemm: OnnxCase = perImage(
  1,
  (test) => ({ op: "dense", outFeatures: first(test, 1).shape[1]!, weight: "B", bias: "C" }),
  (test) => {
    const { shape, values } = first(test, 1);
    const [rows = 1, columns = 1] = shape;
    const bias = first(test, 2).values;
    const alpha = number(test, "alpha", 1); // 0.5 or 1 here: exact
    return {
      B: Array.from({ length: rows * columns }, (_, k) => alpha * values[(k % rows) * columns + Math.floor(k / rows)]!),
      C: Array.from({ length: columns }, (_, k) => bias[k % bias.length]!),
    };
  },
);

const largest = 3.4028234663852886e38;
const clip: OnnxCase = perImage(0, (test) => ({
  op: "clip",
  low: test.inputs[1]?.values[0] ?? -largest,
  high: test.inputs[2]?.values[0] ?? largest,
}));

const lrn: OnnxCase = perImage(1, (test) => ({
  op: "lrn",
  size: number(test, "size", 0),
  alpha: number(test, "alpha", 1e-4),
  beta: number(test, "beta", 0.75),
  bias: number(test, "bias", 1),
}));

/** The output's shape is the target; a leading 1 is ONNX's batch axis, which our images do not have. */
const reshape: OnnxCase = perImage(0, (test) => {
  const { shape } = test.outputs[0]!;
  return { op: "reshape", shape: shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape };
});

const dropout = perImage(0, () => ({ op: "dropout" }));
const flatten = (axis: number): OnnxCase => perImage(axis, () => ({ op: "flatten" }));
const softmax = (axis: number): OnnxCase => perImage(axis, () => ({ op: "softmax" }));

const noBroadcast = "adds inputs of one shape; no broadcasting in a network definition";
const noIntegers = "tensors are float32";
const training = "training mode; a network definition has inference only";
const channelsOnly = "joins along the channels, not along height or width";
const rank4 = "reshapes into an image [C,H,W] or a vector, not into four axes";

/** Every folder of ../shared/data/onnx-node. */
export const onnxCases: Readonly<Record<string, OnnxCase>> = {
  test_add: pair("add"),
  test_add_bcast: noBroadcast,
  test_add_int16: noIntegers,
  test_add_uint32: noIntegers,
  test_averagepool_2d_ceil: pool("averagePool2d"),
  test_averagepool_2d_precomputed_pads_count_include_pad: pool("averagePool2d"),
  test_averagepool_2d_precomputed_same_upper: pool("averagePool2d"),
  test_averagepool_2d_same_upper: pool("averagePool2d"),
  test_averagepool_2d_strides: pool("averagePool2d"),
  test_basic_conv_with_padding: convolution,
  test_basic_conv_without_padding: convolution,
  test_batchnorm_epsilon_training_mode: training,
  test_batchnorm_example_training_mode: training,
  test_clip: clip,
  test_clip_default_inbounds: clip,
  test_clip_default_int8_inbounds: noIntegers,
  test_clip_inbounds: clip,
  test_clip_min_greater_than_max: clip,
  test_clip_splitbounds: clip,
  test_concat_1d_axis_0: pair("concat"),
  test_concat_1d_axis_negative_1: pair("concat"),
  test_concat_2d_axis_negative_2: pair("concat"),
  test_concat_3d_axis_0: pair("concat"),
  test_concat_3d_axis_2: channelsOnly,
  test_concat_3d_axis_negative_2: channelsOnly,
  test_conv_with_strides_no_padding: convolution,
  test_conv_with_strides_padding: convolution,
  test_dropout_default: dropout,
  test_dropout_default_mask: dropout,
  test_dropout_default_mask_ratio: dropout,
  test_dropout_default_old: dropout,
  test_flatten_axis2: flatten(2),
  test_flatten_axis3: flatten(3),
  test_flatten_negative_axis1: flatten(3),
  test_flatten_negative_axis3: flatten(1),
  // [2,3,4,5] into one row: the two leading axes are taken as the channels.
  test_flatten_negative_axis4: (test) => {
    const { shape, values } = first(test, 0);
    const nodes: NodeDefinition[] = [{ name: "node", inputs: ["input"], op: "flatten" }];
    return [run(define([shape[0]! * shape[1]!, ...shape.slice(2)], nodes), {}, values, test.outputs[0]!.values)];
  },
  test_gemm_alpha: gemm,
  test_gemm_default_scalar_bias: gemm,
  test_gemm_default_single_elem_vector_bias: gemm,
  test_gemm_default_zero_bias: gemm,
  test_globalaveragepool: perImage(1, () => ({ op: "globalAveragePool2d" })),
  test_globalaveragepool_precomputed: perImage(1, () => ({ op: "globalAveragePool2d" })),
  test_globalmaxpool: perImage(1, () => ({ op: "globalMaxPool2d" })),
  test_globalmaxpool_precomputed: perImage(1, () => ({ op: "globalMaxPool2d" })),
  test_leakyrelu: perImage(0, (test) => ({ op: "leakyRelu", slope: number(test, "alpha", 0.01) })),
  test_lrn: lrn,
  test_lrn_default: lrn,
  test_maxpool_2d_default: pool("maxPool2d"),
  test_maxpool_2d_precomputed_pads: pool("maxPool2d"),
  test_maxpool_2d_same_upper: pool("maxPool2d"),
  test_relu: perImage(0, () => ({ op: "relu" })),
  test_reshape_negative_dim: reshape,
  test_reshape_negative_extended_dims: reshape,
  test_reshape_one_dim: reshape,
  test_reshape_reordered_all_dims: reshape,
  test_reshape_reordered_last_dims: reshape,
  test_reshape_zero_and_negative_dim: rank4,
  test_reshape_zero_dim: rank4,
  test_softmax_axis_0: softmax(0),
  test_softmax_axis_1: softmax(1),
  test_softmax_default_axis: softmax(2),
  test_softmax_large_number: softmax(1),
};
