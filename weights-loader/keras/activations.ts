import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { isObject } from "../bytes/json.ts";
import { affine } from "./affine.ts";
import {
  behind,
  type Convert,
  checkElements,
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
  vectorOf,
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

/** The logarithm of softmax: at the end of a network, the scores before it. */
export const logSoftmax: Convert = (state, { config }, inputs) => {
  const x = inKerasOrder(state, plain(state, inputOf(inputs)));
  const axis = number(config, "axis", -1);
  if (x.shape.length !== 1 || (axis !== -1 && axis !== 1))
    throw new UnsupportedError("the logarithm of softmax over anything but a vector of scores.");
  return { ...x, isEnd: true };
};

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
  if (kind === "log_softmax") return logSoftmax(state, layer, [value]);
  const stage = stageOf(state, kind);
  if (stage === undefined) throw new UnsupportedError(`activation "${kind}".`);
  const name = layer.type === "Activation" ? layer.name : `${layer.name}.${kind}`;
  return behind(state, name, stage.op === "softmax" ? inKerasOrder(state, value) : value, stage);
}

const widest = 3.4028234663852886e38; // float32's largest

/**
 * x between the threshold and the largest value, the latter above it, slope (x - threshold) below: one node where the options allow it;
 * else, as Keras computes it, the upper part and, apart from it, slope min(x - threshold, 0).
 */
const rectifier: Convert = (state, layer, inputs) => {
  const x = plain(state, inputOf(inputs));
  const { config, name, type } = layer;
  const slope =
    type === "LeakyReLU"
      ? number({ slope: config["alpha"] ?? config["negative_slope"] }, "slope", 0.3)
      : number(config, "negative_slope", 0);
  const highest = typeof config["max_value"] === "number" ? config["max_value"] : undefined;
  const threshold = number(config, "threshold", number(config, "theta", 0));
  if (threshold === 0 && highest === undefined)
    return behind(state, name, x, slope === 0 ? { op: "relu" } : { op: "leakyRelu", slope });
  const part = (role: string): string => (slope === 0 ? name : `${name}.${role}`);
  const passed: Value =
    threshold === 0
      ? x
      : behind(state, highest === undefined ? part("upper") : `${name}.passed`, x, {
          op: "activation",
          function: "threshold",
          alpha: threshold,
        });
  const upper =
    highest === undefined ? passed : behind(state, part("upper"), passed, { op: "clip", low: 0, high: highest });
  if (slope === 0) return upper;
  const [channels = 0] = x.shape;
  const vector = (value: number): Float32Array => new Float32Array(channels).fill(value);
  const moved =
    threshold === 0
      ? x
      : behind(state, `${name}.moved`, x, affine(state, `${name}.moved`, channels, { bias: vector(-threshold) }));
  const below = behind(state, `${name}.below`, moved, { op: "clip", low: -widest, high: 0 });
  const lower = behind(
    state,
    `${name}.lower`,
    below,
    affine(state, `${name}.lower`, channels, { scale: vector(slope) }),
  );
  return { ...upper, node: state.add(name, [upper.node, lower.node], { op: "add" }) };
};

const elu: Convert = (state, { config, name }, inputs) =>
  behind(state, name, inputOf(inputs), { op: "activation", function: "elu", alpha: number(config, "alpha", 1) });

const softmax: Convert = (state, { config, name }, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  checkLastAxis(config, x);
  return behind(state, name, x, { op: "softmax" });
};

/** A slope per channel, one for all that share it, or, as Keras does unless told otherwise, one for each place. */
const prelu: Convert = (state, { name }, inputs) => {
  const x = plain(state, inputOf(inputs));
  const from = tensorName(state, name, ["alpha"]);
  const given = state.weights.tensors.get(from)?.shape ?? [];
  const [channels = 0, height = 1, width = 1] = x.shape;
  const [rows = 1, columns = 1, own = 0] = [...Array<number>(Math.max(0, 3 - given.length)).fill(1), ...given];
  const fits = own === channels && [1, height].includes(rows) && [1, width].includes(columns) && given.length <= 3;
  if (!fits || x.parts !== undefined)
    throw new UnsupportedError(`slopes of shape [${given.join(",")}] beside [${x.shape.join(",")}].`);
  if (rows === 1 && columns === 1)
    return behind(state, name, x, { op: "prelu", slope: tensor(state, `${name}.slope`, [channels], from) });
  // Each place as a channel of its own.
  const places = channels * height * width;
  const spread = (values: Float32Array): Float32Array => {
    const all = new Float32Array(places);
    for (let c = 0, i = 0; c < channels; c++)
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++, i++)
          all[i] = values[((row % rows) * columns + (column % columns)) * channels + c]!;
    return all;
  };
  checkElements(state, given, from);
  const slope = vectorOf(state, `${name}.slope`, places, async () => spread(await state.weights.read(from)));
  const flat = state.add(`${name}.places`, [x.node], { op: "reshape", shape: [places, 1, 1] });
  const bent = state.add(`${name}.bent`, [flat], { op: "prelu", slope });
  return { ...x, node: state.add(name, [bent], { op: "reshape", shape: x.shape }) };
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
