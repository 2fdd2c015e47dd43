import type { ActivationFunction } from "../../engine/graph/activation-functions.ts";
import type { NodeDefinition, Op } from "../../engine/graph/definition.ts";

// What each kind of node must carry, for definitions that come from files: the compiler vouches for those in the package alone.

type Is = (value: unknown) => boolean;

const isText: Is = (value) => typeof value === "string";
const isNumber: Is = (value) => typeof value === "number" && Number.isFinite(value);
const isTruth: Is = (value) => typeof value === "boolean";
const isCount: Is = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const isSize: Is = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const listOf =
  (is: Is, length?: number): Is =>
  (value) =>
    Array.isArray(value) && (length === undefined || value.length === length) && value.every(is);
const oneOf =
  (...names: readonly string[]): Is =>
  (value) =>
    names.includes(String(value));
const optional =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);

const counts = listOf(isCount, 2);
const pads = optional(listOf(isSize, 4));
const window = { kernelShape: counts, strides: optional(counts), pads };
const parameters = { weight: isText, bias: optional(isText) };

const places = optional(listOf((value) => Number.isSafeInteger(value) && Number(value) >= -1));
const isAxisTaps: Is = (value) => {
  if (typeof value !== "object" || value === null) return false;
  const axis = value as Readonly<Record<string, unknown>>; // an object; its members are looked at one by one
  return (
    isCount(axis["taps"]) &&
    Array.isArray(axis["places"]) &&
    places(axis["places"]) &&
    listOf(isNumber)(axis["weights"])
  );
};

/** Every function by name. */
const functions = {
  sigmoid: true,
  tanh: true,
  silu: true,
  hardSigmoid: true,
  hardSwish: true,
  gelu: true,
  geluTanh: true,
  elu: true,
  celu: true,
  mish: true,
  softplus: true,
  softsign: true,
  exp: true,
  log: true,
  sqrt: true,
  abs: true,
  power: true,
  reciprocal: true,
  erf: true,
  threshold: true,
  sign: true,
} satisfies Record<ActivationFunction, true>;

const attributes = {
  conv2d: { outChannels: isCount, ...window, dilations: optional(counts), group: optional(isCount), ...parameters },
  dense: { outFeatures: isCount, ...parameters },
  maxPool2d: { ...window, dilations: optional(counts), ceilMode: optional(isTruth) },
  averagePool2d: { ...window, ceilMode: optional(isTruth), countIncludePad: optional(isTruth) },
  globalAveragePool2d: {},
  globalMaxPool2d: {},
  lrn: {
    size: isCount,
    alpha: isNumber,
    beta: isNumber,
    bias: isNumber,
    region: optional(oneOf("acrossChannels", "withinChannel")),
  },
  batchNorm: {
    epsilon: isNumber,
    scale: optional(isText),
    bias: optional(isText),
    mean: isText,
    variance: isText,
  },
  relu: {},
  leakyRelu: { slope: isNumber },
  clip: { low: isNumber, high: isNumber },
  activation: {
    function: oneOf(...Object.keys(functions)),
    alpha: optional(isNumber),
    beta: optional(isNumber),
  },
  prelu: { slope: isText },
  multiply: { gate: optional((value) => value === 0 || value === 1) },
  extremum: { of: oneOf("maximum", "minimum") },
  take: { channels: places, rows: places, columns: places, fill: optional(isNumber) },
  permute: { view: listOf(isCount), order: listOf(isSize), shape: listOf(isCount) },
  resample2d: { rows: optional(isAxisTaps), columns: optional(isAxisTaps) },
  normalise: { channels: isCount, overPixels: isTruth, centre: isTruth, epsilon: isNumber },
  concat: {},
  add: {},
  flatten: {},
  reshape: { shape: listOf(Number.isSafeInteger) },
  dropout: {},
  identity: {},
  softmax: {},
} as const satisfies Record<Op, Readonly<Record<string, Is>>>;

/** True for a node of a kind that exists, with everything that the kind needs, of the right type. */
export function isNode(value: unknown): value is NodeDefinition {
  if (typeof value !== "object" || value === null) return false;
  const node = value as Readonly<Record<string, unknown>>; // an object; its members are looked at one by one
  const op = String(node["op"]);
  if (!isText(node["name"]) || !listOf(isText)(node["inputs"]) || !Object.hasOwn(attributes, op)) return false;
  return Object.entries(attributes[op as Op]).every(([name, is]) => is(node[name])); // checked above
}
