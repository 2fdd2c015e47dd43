import { UnsupportedError } from "../../engine/basics/errors.ts";
import { formatShape, sameShape } from "../../engine/basics/tensor.ts";
import type { ActivationFunction } from "../../engine/graph/activation-functions.ts";
import { numberOf, numbersOf } from "./model.ts";
import { addScaled, bottomOf, bottoms, type Convert, emit, parametersOf, setTop } from "./state.ts";

// Functions of single values, and of blobs of one shape. Source: caffe.proto and the layers' own files of BVLC/caffe.

function activation(name: ActivationFunction): Convert {
  return (state, layer) => emit(state, layer, { op: "activation", function: name }, bottomOf(state, layer).shape);
}

const relu: Convert = (state, layer) => {
  const slope = numberOf(parametersOf(layer, "relu_param"), "negative_slope") ?? 0;
  emit(state, layer, slope === 0 ? { op: "relu" } : { op: "leakyRelu", slope }, bottomOf(state, layer).shape);
};

/** Not BVLC's; MobileNetV2 for Caffe brings it. */
const relu6: Convert = (state, layer) =>
  emit(state, layer, { op: "clip", low: 0, high: 6 }, bottomOf(state, layer).shape);

const elu: Convert = (state, layer) => {
  const alpha = numberOf(parametersOf(layer, "elu_param"), "alpha") ?? 1;
  emit(state, layer, { op: "activation", function: "elu", alpha }, bottomOf(state, layer).shape);
};

const swish: Convert = (state, layer) => {
  const alpha = numberOf(parametersOf(layer, "swish_param"), "beta") ?? 1;
  emit(state, layer, { op: "activation", function: "silu", alpha }, bottomOf(state, layer).shape);
};

const clip: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "clip_param");
  const [low, high] = [numberOf(parameters, "min"), numberOf(parameters, "max")];
  if (low === undefined || high === undefined) throw new UnsupportedError("min and max are missing.");
  emit(state, layer, { op: "clip", low, high }, bottomOf(state, layer).shape);
};

/** (shift + scale x)^power */
const power: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "power_param");
  const from = bottomOf(state, layer);
  const exponent = numberOf(parameters, "power") ?? 1;
  const [scale, shift] = [numberOf(parameters, "scale") ?? 1, numberOf(parameters, "shift") ?? 0];
  if (exponent === 1) {
    setTop(state, layer, { node: addScaled(state, layer.name, from, scale, shift), shape: from.shape });
    return;
  }
  const node = addScaled(state, `${layer.name}.base`, from, scale, shift);
  emit(state, layer, { op: "activation", function: "power", alpha: exponent }, from.shape, [node]);
};

const softmax: Convert = (state, layer) => {
  const { shape } = bottomOf(state, layer);
  const axis = numberOf(parametersOf(layer, "softmax_param"), "axis") ?? 1;
  if (axis !== 1 && axis !== -shape.length) {
    throw new UnsupportedError(`softmax over axis ${axis}; only channels (1) are supported.`);
  }
  emit(state, layer, { op: "softmax" }, shape);
};

const eltwise: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "eltwise_param");
  const operation = numberOf(parameters, "operation", ["PROD", "SUM", "MAX"]) ?? 1;
  const all = bottoms(state, layer);
  const { shape } = bottomOf(state, layer);
  if (all.length < 2 || !all.every((blob) => sameShape(blob.shape, shape))) {
    throw new UnsupportedError(
      `it needs several inputs of one shape, got ${all.map((blob) => formatShape(blob.shape)).join(" and ")}.`,
    );
  }
  const nodes = all.map(({ node }) => node);
  if (operation === 2) {
    emit(state, layer, { op: "extremum", of: "maximum" }, shape, nodes);
    return;
  }
  if (operation === 0) {
    const [first = "", ...rest] = nodes;
    const last = rest.pop() ?? "";
    let product = first;
    for (const [i, node] of rest.entries()) {
      product = state.add(`${layer.name}.${i}`, [product, node], { op: "multiply" });
    }
    emit(state, layer, { op: "multiply" }, shape, [product, last]);
    return;
  }
  const coefficients = numbersOf(parameters, "coeff");
  if (coefficients.length > 0 && coefficients.length !== all.length) {
    throw new UnsupportedError(`${coefficients.length} coefficients for ${all.length} inputs.`);
  }
  const terms = all.map((blob, i) => addScaled(state, `${layer.name}.term${i}`, blob, coefficients[i] ?? 1));
  emit(state, layer, { op: "add" }, shape, terms);
};

/** Functions and sums by their Caffe names. */
export const elementwiseConverters: Readonly<Record<string, Convert>> = {
  AbsVal: activation("abs"),
  BNLL: activation("softplus"),
  Clip: clip,
  ELU: elu,
  Eltwise: eltwise,
  Power: power,
  ReLU: relu,
  ReLU6: relu6,
  Sigmoid: activation("sigmoid"),
  SigmoidCrossEntropyLoss: activation("sigmoid"),
  Softmax: softmax,
  SoftmaxWithLoss: softmax,
  Swish: swish,
  TanH: activation("tanh"),
};
