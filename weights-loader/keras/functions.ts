import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { logSoftmax } from "./activations.ts";
import { behind, type Convert, image, inputOf, type Layer, number } from "./state.ts";
import { windowConverters } from "./windows.ts";

// Functions of one feature map, which Keras 3 writes among the layers where a model calls keras.ops. Their names and defaults:
// keras/src/ops of Keras 3.15, nn and numpy.

/** A function of single values, by its settings. */
function pointwise(stageOf: (config: Layer["config"]) => Stage): Convert {
  return (state, layer, inputs) => behind(state, layer.name, inputOf(inputs), stageOf(layer.config));
}

const named = (name: Extract<Stage, { op: "activation" }>["function"]): Convert =>
  pointwise(() => ({ op: "activation", function: name }));

/** Between two limits, each a number. */
const clip: Convert = pointwise(({ x_min: low, x_max: high }) => {
  if (typeof low !== "number" || typeof high !== "number")
    throw new UnsupportedError("its limits must be two numbers.");
  return { op: "clip", low, high };
});

/** Over the axes of the image, or of the signal, and no other. */
function overImage(layerType: "GlobalAveragePooling2D" | "GlobalMaxPooling2D"): Convert {
  return (state, layer, inputs) => {
    const x = image(inputs[0]);
    const { axis } = layer.config;
    const rank = x.isSignal === true ? 3 : 4;
    const given = (Array.isArray(axis) ? axis : [axis]).map((each) => (Number(each) < 0 ? Number(each) + rank : each));
    if (given.toSorted().join() !== (rank === 4 ? "1,2" : "1"))
      throw new UnsupportedError(`axis ${JSON.stringify(axis)}; all axes of the image, and no other, are supported.`);
    const convert = windowConverters[layerType];
    if (convert === undefined) throw new UnsupportedError("no such layer.");
    return convert(state, layer, [x]);
  };
}

/** Functions of one feature map by their Keras 3 names. */
export const functionConverters: Readonly<Record<string, Convert>> = {
  Absolute: named("abs"),
  Clip: clip,
  Elu: pointwise((config) => ({ op: "activation", function: "elu", alpha: number(config, "alpha", 1) })),
  Gelu: pointwise(({ approximate }) => ({ op: "activation", function: approximate === false ? "gelu" : "geluTanh" })),
  HardSigmoid: pointwise(() => ({ op: "activation", function: "hardSigmoid", alpha: 1 / 6, beta: 0.5 })),
  HardSilu: named("hardSwish"),
  LeakyRelu: pointwise((config) => ({ op: "leakyRelu", slope: number(config, "negative_slope", 0.2) })),
  LogSoftmax: logSoftmax,
  Max: overImage("GlobalMaxPooling2D"),
  Mean: overImage("GlobalAveragePooling2D"),
  Mish: named("mish"),
  Relu: pointwise(() => ({ op: "relu" })),
  Relu6: pointwise(() => ({ op: "clip", low: 0, high: 6 })),
  Selu: pointwise(() => ({ op: "activation", function: "elu", alpha: 1.6732632423543772, beta: 1.0507009873554805 })),
  Sigmoid: named("sigmoid"),
  Silu: named("silu"),
  Softplus: named("softplus"),
  Softsign: named("softsign"),
  Tanh: named("tanh"),
};
