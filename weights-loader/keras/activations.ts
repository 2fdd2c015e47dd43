import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { isObject } from "../bytes/json.ts";
import {
  behind,
  type Convert,
  checkLastAxis,
  inKerasOrder,
  inputOf,
  type Layer,
  number,
  plain,
  type State,
  tensor,
  tensorName,
  type Value,
} from "./state.ts";

// Functions of single values. Keras' defaults: keras/src/activations/activations.py of Keras 3.15.

/** What an activation's name stands for. */
const activations: Readonly<Record<string, Stage>> = {
  relu: { op: "relu" },
  relu6: { op: "clip", low: 0, high: 6 },
  leaky_relu: { op: "leakyRelu", slope: 0.2 },
  softmax: { op: "softmax" },
  sigmoid: { op: "activation", function: "sigmoid" },
  tanh: { op: "activation", function: "tanh" },
  silu: { op: "activation", function: "silu" },
  swish: { op: "activation", function: "silu" },
  hard_silu: { op: "activation", function: "hardSwish" },
  hard_swish: { op: "activation", function: "hardSwish" },
  elu: { op: "activation", function: "elu" },
  selu: { op: "activation", function: "elu", alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  celu: { op: "activation", function: "celu" },
  mish: { op: "activation", function: "mish" },
  softplus: { op: "activation", function: "softplus" },
  softsign: { op: "activation", function: "softsign" },
  exponential: { op: "activation", function: "exp" },
};

/** Stages whose meaning changed between Keras 2 (and TensorFlow.js) and Keras 3. */
function stageOf({ weights }: State, kind: string): Stage | undefined {
  const isThree = weights.metadata["kerasVersion"]?.startsWith("3") === true;
  // clip(0.2 x + 0.5, 0, 1) in Keras 2, relu6(x + 3) / 6 in Keras 3.
  if (kind === "hard_sigmoid") {
    return { op: "activation", function: "hardSigmoid", alpha: isThree ? 1 / 6 : 0.2, beta: 0.5 };
  }
  // Keras 2 computes the exact form unless told otherwise; so does the name alone in Keras 3.
  if (kind === "gelu") return { op: "activation", function: "gelu" };
  return Object.hasOwn(activations, kind) ? activations[kind] : undefined;
}

/** The activation that a layer brings along, as a node behind it: by name, or as a layer of its own. */
export function activated(state: State, layer: Layer, value: Value): Value {
  const given = layer.config["activation"] ?? "linear";
  if (isObject(given)) {
    const type = String(given["class_name"]);
    const convert = Object.hasOwn(activationConverters, type) ? activationConverters[type] : undefined;
    if (convert === undefined) throw new UnsupportedError(`activation "${type}".`);
    const config = isObject(given["config"]) ? given["config"] : {};
    return convert(state, { name: `${layer.name}.activation`, type, config }, [value]);
  }
  const kind = String(given);
  if (kind === "linear") return value;
  const stage = stageOf(state, kind);
  if (stage === undefined) throw new UnsupportedError(`activation "${kind}".`);
  const name = layer.type === "Activation" ? layer.name : `${layer.name}.${kind}`;
  return behind(state, name, stage.op === "softmax" ? inKerasOrder(state, value) : value, stage);
}

const rectifier: Convert = (state, layer, inputs) => {
  const x = inputOf(inputs);
  const { config, name, type } = layer;
  const slope =
    type === "LeakyReLU"
      ? number({ slope: config["alpha"] ?? config["negative_slope"] }, "slope", 0.3)
      : number(config, "negative_slope", 0);
  const highest = config["max_value"];
  const threshold = number(config, "threshold", number(config, "theta", 0));
  if (threshold !== 0) throw new UnsupportedError("a threshold.");
  if (typeof highest === "number" && slope !== 0) throw new UnsupportedError("a slope together with a largest value.");
  const unbounded: Stage = slope === 0 ? { op: "relu" } : { op: "leakyRelu", slope };
  return behind(state, name, x, typeof highest === "number" ? { op: "clip", low: 0, high: highest } : unbounded);
};

const elu: Convert = (state, { config, name }, inputs) =>
  behind(state, name, inputOf(inputs), { op: "activation", function: "elu", alpha: number(config, "alpha", 1) });

const softmax: Convert = (state, { config, name }, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  checkLastAxis(config, x.shape);
  return behind(state, name, x, { op: "softmax" });
};

/** A slope per channel, or one for all that share it. */
const prelu: Convert = (state, { config, name }, inputs) => {
  const x = plain(state, inputOf(inputs));
  const from = tensorName(state, name, ["alpha"]);
  const shape = state.weights.tensors.get(from)?.shape ?? [];
  const [channels = 0] = x.shape;
  const isPerChannel = shape.slice(0, -1).every((size) => size === 1) && shape.at(-1) === channels;
  if (!isPerChannel || x.parts !== undefined) {
    throw new UnsupportedError(
      `slopes of shape [${shape.join(",")}]; one per channel is supported (shared_axes=[1, 2]).`,
    );
  }
  void config;
  return behind(state, name, x, { op: "prelu", slope: tensor(state, `${name}.slope`, [channels], from) });
};

/** Layers that are functions of single values, by their Keras names. */
export const activationConverters: Readonly<Record<string, Convert>> = {
  Activation: (state, layer, inputs) => activated(state, layer, plain(state, inputOf(inputs))),
  ELU: elu,
  LeakyReLU: rectifier,
  PReLU: prelu,
  ReLU: rectifier,
  Softmax: softmax,
};
