import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { conv2dCases, conv2dData } from "../cases/conv2d.ts";
import { denseCases, denseData } from "../cases/dense.ts";
import { networkCases, plainPreprocessing } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { fillValues } from "../cases/values.ts";
import { inferShapes } from "../oracle/graph.ts";
import { count } from "../oracle/tensor64.ts";

/** A network, parameters and input that outside systems explain too; `start` is undefined for "the largest logit". */
export interface ReferenceNetwork {
  readonly definition: NetworkDefinition;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly input: Float32Array;
  readonly start: Float32Array | undefined;
}

// Convolutions with no padding on one side only: PyTorch pads both sides alike, and flat would see the added zeros.
const layerCases = [
  "base",
  "2 groups",
  "stride leaves a rest",
  "dilation 2",
  "depthwise multiplier 2",
  "no bias",
  "1x1 kernel",
  "one channel in and out",
];

/** A single layer on a signed input, with signed relevance arriving at its output: what rules are told apart by. */
function convolutionLayers(): ReferenceNetwork[] {
  return layerCases.map((name, k) => {
    const c = conv2dCases.find((each) => each.name === name)!;
    const { x, weight, bias } = conv2dData(c, 500 + k);
    const { outChannels, kernelShape, strides, pads, dilations, group } = c;
    const conv: NodeDefinition = {
      name: "layer",
      inputs: ["input"],
      op: "conv2d",
      outChannels,
      kernelShape,
      strides,
      pads,
      dilations,
      group,
      weight: "weight",
      ...(bias === undefined ? {} : { bias: "bias" }),
    };
    const definition: NetworkDefinition = {
      name: `conv2d, ${name}`,
      inputShape: [c.channels, c.height, c.width],
      nodes: [conv, { name: "flatten", inputs: ["layer"], op: "flatten" }],
      output: "flatten",
      preprocessing: plainPreprocessing,
    };
    const outCount = count(inferShapes(definition).get("flatten")!);
    const parameters = new Map([["weight", weight]]);
    if (bias !== undefined) parameters.set("bias", bias);
    return { definition, parameters, input: x, start: fillValues(outCount, "uniform", 600 + k) };
  });
}

function denseLayers(): ReferenceNetwork[] {
  return ["base", "no bias", "17 in"].map((name, k) => {
    const c = denseCases.find((each) => each.name === name)!;
    const { x, weight, bias } = denseData(c, 700 + k);
    const layer: NodeDefinition = {
      name: "layer",
      inputs: ["input"],
      op: "dense",
      outFeatures: c.outFeatures,
      weight: "weight",
      ...(bias === undefined ? {} : { bias: "bias" }),
    };
    const parameters = new Map([["weight", weight]]);
    if (bias !== undefined) parameters.set("bias", bias);
    return {
      definition: {
        name: `dense, ${name}`,
        inputShape: [c.inFeatures, 1, 1],
        nodes: [layer],
        output: "layer",
        preprocessing: plainPreprocessing,
      },
      parameters,
      input: x,
      start: fillValues(c.outFeatures, "uniform", 800 + k),
    };
  });
}

/** A strong LRN across channels on a signed input. */
function lrnLayer(): ReferenceNetwork {
  return {
    definition: {
      name: "lrn",
      inputShape: [12, 3, 4],
      nodes: [
        { name: "layer", inputs: ["input"], op: "lrn", size: 5, alpha: 0.5, beta: 0.75, bias: 1 },
        { name: "flatten", inputs: ["layer"], op: "flatten" },
      ],
      output: "flatten",
      preprocessing: plainPreprocessing,
    },
    parameters: new Map(),
    input: fillValues(144, "uniform", 900).map((x) => 3 * x),
    start: fillValues(144, "uniform", 901),
  };
}

/** Layers on which zennit's and captum's rules were run one by one. */
export const referenceLayers: readonly ReferenceNetwork[] = [...convolutionLayers(), ...denseLayers(), lrnLayer()];

/** Whole networks on which their composites were run. `zoo` has a batch norm that nothing can be folded into. */
export const referenceNetworks: readonly ReferenceNetwork[] = networkCases
  .filter(({ definition }) => definition.name !== "zoo")
  .map(({ definition }) => ({
    definition,
    parameters: seededNetworkParameters(definition, 11),
    input: seededNetworkInput(definition, 11),
    start: undefined,
  }));

/** Per-channel bounds for zBox in the references: wider than the inputs, and no two alike. */
export const boxLow: readonly number[] = [-2, -2.1, -2.2, -2.3, -2.4, -2.5, -2.6, -2.7];
export const boxHigh: readonly number[] = [2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.4];
