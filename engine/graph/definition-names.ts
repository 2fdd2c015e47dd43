import { refuseUnknownOptions } from "../basics/errors.ts";
import type { AxisTaps, NetworkDefinition, NodeDefinition, Op, Preprocessing } from "./definition.ts";

// What definitions may carry. The compiler closes the tables, and what stands in none is refused: a misspelt "stride" would be left out
// in silence, and every number would be wrong.

type NodeOf<O extends Op> = Extract<NodeDefinition, { readonly op: O }>;
type Attributes = { readonly [O in Op]: Readonly<Record<Exclude<keyof NodeOf<O>, "op" | "name" | "inputs">, true>> };

const window = { kernelShape: true, strides: true, pads: true } as const;
const parameters = { weight: true, bias: true } as const;

const attributes: Attributes = {
  conv2d: { outChannels: true, ...window, dilations: true, group: true, ...parameters },
  dense: { outFeatures: true, ...parameters },
  maxPool2d: { ...window, dilations: true, ceilMode: true },
  averagePool2d: { ...window, ceilMode: true, countIncludePad: true },
  globalAveragePool2d: {},
  globalMaxPool2d: {},
  lrn: { size: true, alpha: true, beta: true, bias: true, region: true },
  batchNorm: { epsilon: true, scale: true, bias: true, mean: true, variance: true },
  relu: {},
  leakyRelu: { slope: true },
  clip: { low: true, high: true },
  activation: { function: true, alpha: true, beta: true },
  prelu: { slope: true },
  multiply: { gate: true },
  extremum: { of: true },
  take: { channels: true, rows: true, columns: true, fill: true },
  permute: { view: true, order: true, shape: true },
  resample2d: { rows: true, columns: true },
  normalise: { channels: true, overPixels: true, centre: true, epsilon: true },
  concat: {},
  add: { signal: true },
  flatten: {},
  reshape: { shape: true },
  dropout: {},
  identity: {},
  softmax: {},
};

const definitionNames = Object.keys({
  name: true,
  inputShape: true,
  nodes: true,
  output: true,
  takesChannelsLast: true,
  preprocessing: true,
  labels: true,
} satisfies Record<keyof NetworkDefinition, true>);

const preprocessingNames = Object.keys({
  resize: true,
  resizeTo: true,
  channelOrder: true,
  scale: true,
  mean: true,
  std: true,
} satisfies Record<keyof Preprocessing, true>);

const tapsNames = Object.keys({ taps: true, places: true, weights: true } satisfies Record<keyof AxisTaps, true>);

/** @throws TypeError for something that ways of preparing photos do not have */
export function checkPreprocessingNames(preprocessing: Preprocessing | undefined): void {
  refuseUnknownOptions("preprocessing", preprocessing, preprocessingNames);
}

/** @throws TypeError naming the node for something that networks or nodes of its kind do not have */
export function checkDefinitionNames(definition: NetworkDefinition): void {
  refuseUnknownOptions(`network "${definition.name}"`, definition, definitionNames);
  checkPreprocessingNames(definition.preprocessing);
  for (const node of definition.nodes) {
    const { op, name } = node;
    if (!Object.hasOwn(attributes, op)) continue; // refused, with the ops there are, where layers are made
    refuseUnknownOptions(`${op} "${name}"`, node, [...Object.keys(attributes[op]), "op", "name", "inputs"]);
    if (op !== "resample2d") continue;
    for (const axis of [node.rows, node.columns]) refuseUnknownOptions(`${op} "${name}"`, axis, tapsNames);
  }
}
