import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition, Preprocessing } from "../../engine/graph/definition.ts";

/** A whole small network and why it is here. */
export interface NetworkCase {
  readonly reason: string;
  readonly definition: NetworkDefinition;
}

type Bare<N> = N extends NodeDefinition ? Omit<N, "name" | "inputs"> : never;

/** What a node does, without its name and its inputs. */
export type BareNode = Bare<NodeDefinition>;

/** What torchvision's classifiers expect; small networks of the tests take tensors and never use it. */
export const plainPreprocessing: Preprocessing = {
  resize: "none",
  resizeTo: 1,
  channelOrder: "rgb",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

function network(
  name: string,
  reason: string,
  inputShape: Shape,
  nodes: NodeDefinition[],
  output: string,
): NetworkCase {
  return { reason, definition: { name, inputShape, nodes, output, preprocessing: plainPreprocessing } };
}

type Attributes<Op extends NodeDefinition["op"]> = Omit<
  Extract<NodeDefinition, { op: Op }>,
  "name" | "inputs" | "op" | "weight" | "bias"
>;

/** A convolution with weights called `name.weight`, `name.bias`. */
function conv(name: string, from: string, attributes: Attributes<"conv2d">, hasBias = true): NodeDefinition {
  const weights = hasBias ? { weight: `${name}.weight`, bias: `${name}.bias` } : { weight: `${name}.weight` };
  return { name, inputs: [from], op: "conv2d", ...attributes, ...weights };
}

function dense(name: string, from: string, outFeatures: number, hasBias = true): NodeDefinition {
  const weights = hasBias ? { weight: `${name}.weight`, bias: `${name}.bias` } : { weight: `${name}.weight` };
  return { name, inputs: [from], op: "dense", outFeatures, ...weights };
}

const relu = (name: string, from: string): NodeDefinition => ({ name, inputs: [from], op: "relu" });

function batchNorm(name: string, from: string): NodeDefinition {
  return {
    name,
    inputs: [from],
    op: "batchNorm",
    epsilon: 1e-5,
    scale: `${name}.weight`,
    bias: `${name}.bias`,
    mean: `${name}.running_mean`,
    variance: `${name}.running_var`,
  };
}

const plain = network(
  "plain",
  "conv, relu, pool, dense: the shape of AlexNet and VGG",
  [3, 13, 14],
  [
    conv("conv1", "input", { outChannels: 6, kernelShape: [3, 3], pads: [1, 1, 1, 1] }),
    relu("relu1", "conv1"),
    { name: "pool1", inputs: ["relu1"], op: "maxPool2d", kernelShape: [3, 3], strides: [2, 2] },
    conv("conv2", "pool1", { outChannels: 9, kernelShape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
    relu("relu2", "conv2"),
    { name: "flatten", inputs: ["relu2"], op: "flatten" },
    dense("fc1", "flatten", 11),
    relu("relu3", "fc1"),
    { name: "drop", inputs: ["relu3"], op: "dropout" },
    dense("fc2", "drop", 5),
  ],
  "fc2",
);

const plainWithoutBias = network(
  "plain-without-bias",
  "no bias anywhere: rules that conserve must conserve",
  [3, 12, 12],
  [
    conv("conv1", "input", { outChannels: 8, kernelShape: [3, 3] }, false),
    relu("relu1", "conv1"),
    conv("conv2", "relu1", { outChannels: 6, kernelShape: [4, 4], strides: [2, 2], group: 2 }, false),
    relu("relu2", "conv2"),
    { name: "pool", inputs: ["relu2"], op: "maxPool2d", kernelShape: [2, 2], strides: [2, 2] },
    { name: "flatten", inputs: ["pool"], op: "flatten" },
    dense("fc", "flatten", 4, false),
  ],
  "fc",
);

const fire = network(
  "fire",
  "SqueezeNet: a squeeze, two expands, concat, ceil pooling, a convolution as head, global average, softmax",
  [3, 15, 15],
  [
    conv("conv1", "input", { outChannels: 8, kernelShape: [3, 3], strides: [2, 2] }),
    relu("relu1", "conv1"),
    { name: "pool1", inputs: ["relu1"], op: "maxPool2d", kernelShape: [3, 3], strides: [2, 2], ceilMode: true },
    conv("squeeze", "pool1", { outChannels: 3, kernelShape: [1, 1] }),
    relu("squeeze.relu", "squeeze"),
    conv("expand1x1", "squeeze.relu", { outChannels: 5, kernelShape: [1, 1] }),
    relu("expand1x1.relu", "expand1x1"),
    conv("expand3x3", "squeeze.relu", { outChannels: 6, kernelShape: [3, 3], pads: [1, 1, 1, 1] }),
    relu("expand3x3.relu", "expand3x3"),
    { name: "concat", inputs: ["expand1x1.relu", "expand3x3.relu"], op: "concat" },
    { name: "drop", inputs: ["concat"], op: "dropout" },
    conv("head", "drop", { outChannels: 7, kernelShape: [1, 1] }),
    relu("head.relu", "head"),
    { name: "mean", inputs: ["head.relu"], op: "globalAveragePool2d" },
    { name: "flatten", inputs: ["mean"], op: "flatten" },
    { name: "softmax", inputs: ["flatten"], op: "softmax" },
  ],
  "softmax",
);

const residual = network(
  "residual",
  "ResNet: batch norm after every convolution, a plain and a projected shortcut, global average",
  [3, 12, 10],
  [
    conv("conv1", "input", { outChannels: 8, kernelShape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }, false),
    batchNorm("bn1", "conv1"),
    relu("relu1", "bn1"),
    conv("a.conv1", "relu1", { outChannels: 8, kernelShape: [3, 3], pads: [1, 1, 1, 1] }, false),
    batchNorm("a.bn1", "a.conv1"),
    relu("a.relu1", "a.bn1"),
    conv("a.conv2", "a.relu1", { outChannels: 8, kernelShape: [3, 3], pads: [1, 1, 1, 1] }, false),
    batchNorm("a.bn2", "a.conv2"),
    { name: "a.add", inputs: ["a.bn2", "relu1"], op: "add" },
    relu("a.relu2", "a.add"),
    conv("b.conv1", "a.relu2", { outChannels: 12, kernelShape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }, false),
    batchNorm("b.bn1", "b.conv1"),
    conv("b.shortcut", "a.relu2", { outChannels: 12, kernelShape: [1, 1], strides: [2, 2] }, false),
    batchNorm("b.bn2", "b.shortcut"),
    { name: "b.add", inputs: ["b.bn1", "b.bn2"], op: "add" },
    relu("b.relu", "b.add"),
    { name: "mean", inputs: ["b.relu"], op: "globalAveragePool2d" },
    { name: "flatten", inputs: ["mean"], op: "flatten" },
    dense("fc", "flatten", 5),
  ],
  "fc",
);

const inception = network(
  "inception",
  "GoogLeNet: four branches with a pooling branch, concat of all, average pooling with counted pads",
  [3, 11, 11],
  [
    conv("stem", "input", { outChannels: 6, kernelShape: [3, 3] }),
    relu("stem.relu", "stem"),
    conv("one", "stem.relu", { outChannels: 4, kernelShape: [1, 1] }),
    relu("one.relu", "one"),
    conv("three.reduce", "stem.relu", { outChannels: 3, kernelShape: [1, 1] }),
    relu("three.reduce.relu", "three.reduce"),
    conv("three", "three.reduce.relu", { outChannels: 5, kernelShape: [3, 3], pads: [1, 1, 1, 1] }),
    relu("three.relu", "three"),
    conv("five", "stem.relu", { outChannels: 2, kernelShape: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2] }),
    relu("five.relu", "five"),
    { name: "pool", inputs: ["stem.relu"], op: "maxPool2d", kernelShape: [3, 3], pads: [1, 1, 1, 1] },
    conv("pool.proj", "pool", { outChannels: 3, kernelShape: [1, 1] }),
    relu("pool.relu", "pool.proj"),
    { name: "concat", inputs: ["one.relu", "three.relu", "five.relu", "pool.relu"], op: "concat" },
    {
      name: "average",
      inputs: ["concat"],
      op: "averagePool2d",
      kernelShape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      countIncludePad: true,
    },
    { name: "flatten", inputs: ["average"], op: "flatten" },
    dense("fc", "flatten", 6),
  ],
  "fc",
);

const normalised = network(
  "normalised",
  "BVLC AlexNet: LRN, groups, overlapping pools",
  [3, 19, 19],
  [
    conv("conv1", "input", { outChannels: 8, kernelShape: [5, 5], strides: [2, 2] }),
    relu("relu1", "conv1"),
    { name: "norm1", inputs: ["relu1"], op: "lrn", size: 5, alpha: 0.5, beta: 0.75, bias: 1 },
    { name: "pool1", inputs: ["norm1"], op: "maxPool2d", kernelShape: [3, 3], strides: [2, 2], ceilMode: true },
    conv("conv2", "pool1", { outChannels: 12, kernelShape: [3, 3], pads: [1, 1, 1, 1], group: 2 }),
    relu("relu2", "conv2"),
    { name: "norm2", inputs: ["relu2"], op: "lrn", size: 3, alpha: 0.5, beta: 0.75, bias: 1, region: "withinChannel" },
    { name: "pool2", inputs: ["norm2"], op: "averagePool2d", kernelShape: [2, 2], strides: [2, 2] },
    { name: "flatten", inputs: ["pool2"], op: "reshape", shape: [-1] },
    dense("fc", "flatten", 5),
    { name: "prob", inputs: ["fc"], op: "softmax" },
  ],
  "prob",
);

const zoo = network(
  "zoo",
  "every activation and structure op once; a tensor read by four nodes; an input read twice; an unused branch",
  [2, 9, 8],
  [
    conv("depthwise", "input", { outChannels: 4, kernelShape: [3, 3], group: 2, pads: [1, 1, 1, 1] }),
    { name: "leaky", inputs: ["depthwise"], op: "leakyRelu", slope: 0.1 },
    { name: "relu6", inputs: ["depthwise"], op: "clip", low: 0, high: 0.25 },
    { name: "positive", inputs: ["depthwise"], op: "relu" },
    { name: "same", inputs: ["depthwise"], op: "identity" },
    { name: "sum", inputs: ["leaky", "relu6", "positive", "same"], op: "add" },
    batchNorm("bn", "sum"),
    { name: "both", inputs: ["bn", "input"], op: "concat" },
    { name: "unused", inputs: ["both"], op: "relu" },
    { name: "biggest", inputs: ["both"], op: "globalMaxPool2d" },
    { name: "average", inputs: ["both"], op: "averagePool2d", kernelShape: [2, 2], strides: [2, 2], ceilMode: true },
    { name: "average.flat", inputs: ["average"], op: "reshape", shape: [-1, 1, 1] },
    { name: "joined", inputs: ["biggest", "average.flat"], op: "concat" },
    { name: "flat", inputs: ["joined"], op: "flatten" },
    { name: "drop", inputs: ["flat"], op: "dropout" },
    dense("fc", "drop", 3),
  ],
  "fc",
);

/** Small whole networks, each with a feature the others lack. */
export const networkCases: readonly NetworkCase[] = [
  plain,
  plainWithoutBias,
  fire,
  residual,
  inception,
  normalised,
  zoo,
];

/** Finds a network by name. */
export function networkCase(name: string): NetworkDefinition {
  const found = networkCases.find(({ definition }) => definition.name === name);
  if (found === undefined) throw new RangeError(`no network case "${name}"`);
  return found.definition;
}
