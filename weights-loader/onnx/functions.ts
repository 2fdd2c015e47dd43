import { elementCount } from "../../engine/basics/tensor.ts";
import type { ActivationFunction } from "../../engine/graph/activation-functions.ts";
import type { FunctionNode, LrnNode, Stage } from "../../engine/graph/definition.ts";
import { beside } from "./affine.ts";
import { plain } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  anyDataAt,
  type Convert,
  constantAt,
  dataAt,
  float,
  parameterAt,
  scalarAt,
  setOutput,
} from "./node.ts";
import type { Comparison, OnnxData, OnnxImport } from "./state.ts";

// Functions of one value; and those that exporters write in several nodes, found again.

const gates: readonly ActivationFunction[] = ["sigmoid", "hardSigmoid", "tanh", "reciprocal", "sign"];
const nonNegative: readonly ActivationFunction[] = ["sigmoid", "hardSigmoid", "softplus", "exp", "abs", "sqrt"];

/** A layer at every value; the order of axes does not matter to it. */
export function everywhere(
  state: OnnxImport,
  wish: string,
  data: OnnxData,
  stage: Stage,
  facts: { readonly isNonNegative?: boolean; readonly isGate?: boolean } = {},
): OnnxData {
  const { kind: _, node, isGate: __, ...layout } = plain(state, data);
  const isNonNegative = facts.isNonNegative ?? false;
  return addLayer(state, wish, [node], stage, { ...layout, isNonNegative, isGate: facts.isGate ?? false });
}

/** A function of one value. */
export function functionAt(
  state: OnnxImport,
  wish: string,
  data: OnnxData,
  name: ActivationFunction,
  parameters: { readonly alpha?: number; readonly beta?: number } = {},
): OnnxData {
  const facts = { isNonNegative: nonNegative.includes(name), isGate: gates.includes(name) };
  return everywhere(state, wish, data, { op: "activation", function: name, ...parameters }, facts);
}

/** x where a comparison holds of it, else 0: a rectifier. Undefined where it compares something else. */
export function rectified(state: OnnxImport, wish: string, fact: Comparison, x: OnnxData): OnnxData | undefined {
  const isOwn = fact.x.node === x.node && fact.x.order?.join() === x.order?.join();
  if (!isOwn || x.pads !== undefined) return undefined;
  if (fact.limit === 0) return everywhere(state, wish, x, { op: "relu" }, { isNonNegative: true });
  if (!fact.isStrict || Number.isNaN(fact.limit)) return undefined;
  return functionAt(state, wish, x, "threshold", { alpha: fact.limit });
}

/** A converter of a function of one value. */
export function activation(
  name: ActivationFunction,
  parameters: (node: OnnxNode) => { readonly alpha?: number; readonly beta?: number } = () => ({}),
): Convert {
  return (state, node) => {
    const x = anyDataAt(state, node, 0);
    setOutput(state, node, functionAt(state, node.name, x, name, parameters(node)));
  };
}

/** A converter of a layer at every value. */
export function rectifier(layer: (node: OnnxNode) => Stage, isNonNegative: boolean): Convert {
  return (state, node) =>
    setOutput(state, node, everywhere(state, node.name, anyDataAt(state, node, 0), layer(node), { isNonNegative }));
}

/** The function that computes data, if it is one, and what it reads. */
function functionBehind(state: OnnxImport, x: OnnxData): { stage: FunctionNode; from: string } | undefined {
  const made = state.stages.get(x.node);
  const from = made?.inputs[0];
  return made?.stage.op === "activation" && from !== undefined ? { stage: made.stage, from } : undefined;
}

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);

/** All channels' one number, or undefined. */
function one(values: Float64Array): number | undefined {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : undefined;
}

/** A map of one scale and one bias behind a node, and what it reads; the node itself where there is none. */
function uniformAffine(state: OnnxImport, node: string): { from: string; scale: number; bias: number } {
  const map = state.affines.get(node);
  const [scale, bias] = map === undefined ? [undefined, undefined] : [one(map.scale), one(map.bias)];
  if (map === undefined || scale === undefined || bias === undefined) return { from: node, scale: 1, bias: 0 };
  return { from: map.from.node, scale, bias };
}

/** A function of x and what x times `other` is a multiple of, where `other` depends on x alone in a known way. */
export interface TimesItself {
  readonly function: ActivationFunction;
  readonly alpha?: number;
  readonly beta?: number;
  readonly factor: number;
}

/** What x times `other` is, if it is a known function of x: SiLU, hard-swish, Mish, GELU, a square. */
export function timesItself(state: OnnxImport, x: OnnxData, other: OnnxData): TimesItself | undefined {
  if (other.node === x.node) return { function: "power", alpha: 2, factor: 1 };
  // other = outer.scale * f(inner) + outer.bias
  const outer = uniformAffine(state, other.node);
  const made = state.stages.get(outer.from);
  if (made === undefined) return undefined;
  const inner = uniformAffine(state, made.inputs[0] ?? "");
  const readsX = inner.from === x.node || made.inputs[0] === x.node;
  const map = made.inputs[0] === x.node ? { scale: 1, bias: 0 } : inner;
  if (made.stage.op === "clip" && readsX && outer.bias === 0) {
    const { low, high } = made.stage;
    if (low !== 0 || !Number.isFinite(high) || !(high > 0)) return undefined;
    return { function: "hardSwish", alpha: map.scale / high, beta: map.bias / high, factor: outer.scale * high };
  }
  if (made.stage.op !== "activation") return undefined;
  const { function: name, alpha, beta } = made.stage;
  if (
    name === "erf" &&
    readsX &&
    map.bias === 0 &&
    isClose(map.scale, Math.SQRT1_2) &&
    isClose(outer.scale, outer.bias)
  ) {
    return { function: "gelu", factor: 2 * outer.scale };
  }
  if (name === "tanh" && isClose(outer.scale, outer.bias) && isCubic(state, x, made.inputs[0] ?? "")) {
    return { function: "geluTanh", factor: 2 * outer.scale };
  }
  if (outer.bias !== 0) return undefined;
  if (name === "sigmoid" && readsX && map.bias === 0)
    return { function: "silu", alpha: map.scale, factor: outer.scale };
  if (name === "hardSigmoid" && made.inputs[0] === x.node) {
    return { function: "hardSwish", alpha: alpha ?? 0.2, beta: beta ?? 0.5, factor: outer.scale };
  }
  const before = functionBehind(state, { ...other, node: outer.from });
  const softplus = before === undefined ? undefined : state.stages.get(before.from);
  if (
    name === "tanh" &&
    softplus?.stage.op === "activation" &&
    softplus.stage.function === "softplus" &&
    softplus.inputs[0] === x.node
  ) {
    return { function: "mish", factor: outer.scale };
  }
  return undefined;
}

/** x / (bias + alpha mean of x^2 over neighbouring channels)^beta, as PyTorch writes local response normalisation. */
export function localResponseNorm(state: OnnxImport, x: OnnxData, other: OnnxData): LrnNode | undefined {
  const inner = (node: string, name: ActivationFunction): { from: string; alpha: number } | undefined => {
    const made = state.stages.get(node);
    if (made?.stage.op !== "activation" || made.stage.function !== name) return undefined;
    return { from: made.inputs[0] ?? "", alpha: made.stage.alpha ?? 2 };
  };
  /** Behind reshapes and pads. */
  const behind = (node: string): string => {
    const made = state.stages.get(node);
    const isMoved = made?.stage.op === "reshape" || made?.stage.op === "take";
    return isMoved ? behind(made.inputs[0] ?? "") : node;
  };
  const power = inner(inner(other.node, "reciprocal")?.from ?? "", "power");
  if (power === undefined || x.shape.length !== 3) return undefined;
  const { from, scale, bias } = uniformAffine(state, power.from);
  const mean = state.stages.get(behind(from));
  if (mean?.stage.op !== "averagePool2d" || mean.stage.kernelShape[1] !== 1) return undefined;
  const [size] = mean.stage.kernelShape;
  const padded = mean.stage.pads?.[0] === 0 ? state.stages.get(mean.inputs[0] ?? "") : undefined;
  const before = padded?.stage.op === "take" ? padded.stage.rows?.indexOf(0) : mean.stage.pads?.[0];
  const square = inner(behind(mean.inputs[0] ?? ""), "power");
  const isOwn = square !== undefined && square.alpha === 2 && square.from === x.node;
  if (!isOwn || size % 2 === 0 || before !== (size - 1) / 2 || !mean.stage.countIncludePad) return undefined;
  return { op: "lrn", size, alpha: scale, beta: power.alpha, bias };
}

/** True for sqrt(2 / pi) (x + 0.044715 x^3), what GELU's approximation takes the tanh of. */
function isCubic(state: OnnxImport, x: OnnxData, node: string): boolean {
  const outer = uniformAffine(state, node);
  const sum = state.stages.get(outer.from);
  if (
    sum?.stage.op !== "add" ||
    sum.inputs.length !== 2 ||
    !isClose(outer.scale, Math.sqrt(2 / Math.PI)) ||
    outer.bias !== 0
  )
    return false;
  const cube = sum.inputs.find((input) => input !== x.node);
  const power = uniformAffine(state, cube ?? "");
  const made = state.stages.get(power.from);
  const isCube =
    made?.stage.op === "activation" &&
    made.stage.function === "power" &&
    made.stage.alpha === 3 &&
    made.inputs[0] === x.node;
  return isCube && sum.inputs.includes(x.node) && isClose(power.scale, 0.044715) && power.bias === 0;
}

/** Largest float32: what ONNX takes where a limit is absent. */
export const largest = 3.4028234663852886e38;

export const clip: Convert = async (state, node) => {
  const low = (await scalarAt(state, node, 1, "min")) ?? -largest;
  const high = (await scalarAt(state, node, 2, "max")) ?? largest;
  const isNonNegative = Math.min(low, high) >= 0;
  setOutput(
    state,
    node,
    everywhere(state, node.name, dataAt(state, node, 0), { op: "clip", low, high }, { isNonNegative }),
  );
};

export const prelu: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const slope = constantAt(state, node, 1);
  if (elementCount(slope.shape) === 1) {
    const [value = 0] = await slope.load();
    setOutput(state, node, everywhere(state, node.name, x, { op: "leakyRelu", slope: value }));
    return;
  }
  const { x: first, spread, back } = beside(state, x, slope.shape);
  const own = elementCount(slope.shape);
  const vector =
    own === first.at[0]
      ? parameterAt(state, node, 1, [own])
      : state.addVector(`${node.name}.slope`, Float32Array.from(spread(await slope.load())));
  setOutput(state, node, back(everywhere(state, node.name, first, { op: "prelu", slope: vector })));
};

/** GELU, exact or by its approximation. */
export const gelu: Convert = (state, node) => {
  const name = node.attributes.get("approximate")?.s === "tanh" ? "geluTanh" : "gelu";
  setOutput(state, node, functionAt(state, node.name, dataAt(state, node, 0), name));
};

/** SELU's and ELU's parameters. */
export const selu: Convert = activation("elu", (node) => ({
  alpha: float(node, "alpha", 1.6732631921768188),
  beta: float(node, "gamma", 1.0507010221481323),
}));
