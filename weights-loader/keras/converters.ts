import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Json } from "../bytes/json.ts";
import { activationConverters } from "./activations.ts";
import { affine } from "./affine.ts";
import { functionConverters } from "./functions.ts";
import { operations, stack } from "./operations.ts";
import { shapeConverters } from "./shapes.ts";
import { signalConverters } from "./signals.ts";
import {
  behind,
  type Convert,
  checkLastAxis,
  constants,
  count,
  inKerasOrder,
  inputOf,
  type Layer,
  number,
  placesOf,
  plain,
  type State,
  tensor,
  tensorName,
  type Value,
} from "./state.ts";
import type { ModelLayer } from "./topology.ts";
import { windowConverters } from "./windows.ts";

// Normalisations, which all are statistics and an affine map per channel, and the table of all layers.

/** A vector of the file's per channel, in this engine's order where images were flattened. */
function vector(state: State, { name }: Layer, x: Value, part: string): string {
  const { parts, shape } = x;
  const [length = 0] = shape;
  const places = parts === undefined ? undefined : placesOf(parts);
  const turn = (values: Float32Array): Float32Array => {
    const turned = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) turned[places?.[i] ?? i] = values[i]!;
    return turned;
  };
  return tensor(
    state,
    `${name}.${part}`,
    [length],
    tensorName(state, name, [part]),
    places === undefined ? undefined : turn,
  );
}

/** gamma and beta of a layer that has them, as members of a batch norm. */
function affineOf(state: State, layer: Layer, x: Value): { scale?: string; bias?: string } {
  const { config } = layer;
  return {
    ...(config["scale"] === false ? {} : { scale: vector(state, layer, x, "gamma") }),
    ...(config["center"] === false ? {} : { bias: vector(state, layer, x, "beta") }),
  };
}

const batchNormalization: Convert = (state, layer, inputs) => {
  const x = plain(state, inputOf(inputs));
  checkLastAxis(layer.config, x);
  return behind(state, layer.name, x, {
    op: "batchNorm",
    epsilon: number(layer.config, "epsilon", 1e-3),
    mean: vector(state, layer, x, "moving_mean"),
    variance: vector(state, layer, x, "moving_variance"),
    ...affineOf(state, layer, x),
  });
};

/** One number for all channels, or one for each, in whatever lists Keras put them. */
function perChannel(config: Json, key: string, channels: number, otherwise: number): Float32Array {
  const given = config[key] ?? otherwise;
  const values = (Array.isArray(given) ? given.flat(8) : [given]).map(Number);
  if ((values.length !== 1 && values.length !== channels) || !values.every(Number.isFinite)) {
    throw new UnsupportedError(`${key} must be one number, or one per channel.`);
  }
  return Float32Array.from({ length: channels }, (_, i) => values[values.length === 1 ? 0 : i] ?? 0);
}

const rescaling: Convert = (state, layer, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  const [channels = 0] = x.shape;
  const { config, name } = layer;
  const scale = perChannel(config, "scale", channels, 1);
  return behind(
    state,
    name,
    x,
    affine(state, name, channels, { scale, bias: perChannel(config, "offset", channels, 0) }),
  );
};

/** (x - mean) / max(sqrt(variance), 1e-7), the statistics from the configuration or the weights. */
const normalization: Convert = (state, layer, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  const { config, name } = layer;
  checkLastAxis(config, x);
  if (config["invert"] === true) throw new UnsupportedError("inverted normalisation.");
  const [channels = 0] = x.shape;
  if (config["mean"] === undefined || config["mean"] === null) {
    const from = (part: string): string => tensorName(state, name, [part]);
    const floor = (values: Float32Array): Float32Array => values.map((value) => Math.max(value, 1e-14));
    return behind(state, name, x, {
      op: "batchNorm",
      epsilon: 0,
      mean: tensor(state, `${name}.mean`, [channels], from("mean")),
      variance: tensor(state, `${name}.variance`, [channels], from("variance"), floor),
    });
  }
  return behind(state, name, x, {
    op: "batchNorm",
    epsilon: 0,
    mean: constants(state, `${name}.mean`, perChannel(config, "mean", channels, 0)),
    variance: constants(
      state,
      `${name}.variance`,
      perChannel(config, "variance", channels, 1).map((value) => Math.max(value, 1e-14)),
    ),
  });
};

/** Statistics of the photo itself, over channels at each pixel or over groups of channels and all pixels. */
function ownStatistics(kind: "layer" | "group"): Convert {
  return (state, layer, inputs) => {
    const x = plain(state, inputOf(inputs));
    const { config, name } = layer;
    checkLastAxis(config, x);
    const [channels = 0] = x.shape;
    const groups = kind === "layer" ? 1 : count(config, "groups", 32);
    if (channels % groups !== 0) throw new UnsupportedError(`${groups} groups of ${channels} channels.`);
    const stage = {
      op: "normalise",
      channels: channels / groups,
      overPixels: kind === "group",
      centre: config["rms_scaling"] !== true,
      epsilon: number(config, "epsilon", 1e-3),
    } as const;
    const normal = behind(state, `${name}.statistics`, x, stage);
    const { scale, bias } = affineOf(state, layer, x);
    if (scale === undefined && bias === undefined) return normal;
    return behind(state, name, normal, affine(state, name, channels, { scale, bias }));
  };
}

/** x / sqrt(max(sum of x^2, 1e-12)) over the channels: as the root of their mean, whose square is the sum over their number. */
const unitNormalization: Convert = (state, layer, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  const { config, name } = layer;
  checkLastAxis(config, x);
  const [channels = 1] = x.shape;
  const stage = { op: "normalise", channels, overPixels: false, centre: false, epsilon: 1e-12 / channels } as const;
  const scale = new Float32Array(channels).fill(1 / Math.sqrt(channels));
  return behind(state, name, behind(state, `${name}.rms`, x, stage), affine(state, name, channels, { scale }));
};

/** x times a weight per channel, a layer of keras.applications' ConvNeXt; HDF5 files have its weight without a name: `variable_3`. */
const layerScale: Convert = (state, layer, inputs) => {
  const x = inKerasOrder(state, inputOf(inputs));
  const { name } = layer;
  const [channels = 0] = x.shape;
  const parts = Array.from(state.weights.tensors.keys(), (tensor) => tensor.slice(tensor.lastIndexOf("/") + 1));
  const unnamed = new Set(parts.filter((part) => /^variable(_\d+)?$/i.test(part)));
  const from = tensorName(state, name, ["gamma", ...unnamed]);
  return behind(
    state,
    name,
    x,
    affine(state, name, channels, { scale: tensor(state, `${name}.gamma`, [channels], from) }),
  );
};

/** Every Keras layer that can be part of a network here. */
const converters: Readonly<Record<string, Convert>> = {
  ...activationConverters,
  ...functionConverters,
  ...shapeConverters,
  ...signalConverters,
  ...windowConverters,
  BatchNormalization: batchNormalization,
  GroupNormalization: ownStatistics("group"),
  LayerNormalization: ownStatistics("layer"),
  LayerScale: layerScale,
  "Custom>LayerScale": layerScale,
  Normalization: normalization,
  Rescaling: rescaling,
  Stack: stack,
  StochasticDepth: (_state, _layer, inputs) => inputOf(inputs), // drops branches while a network is trained
  UnitNormalization: unitNormalization,
};

/** What turns a layer into nodes. @throws UnsupportedError where nothing does */
export function converterOf({ type, operands }: Pick<ModelLayer, "type" | "operands">): Convert {
  const made = operands !== undefined && Object.hasOwn(operations, type) ? operations[type]?.(operands) : undefined;
  const convert = made ?? (Object.hasOwn(converters, type) ? converters[type] : undefined);
  if (convert !== undefined) return convert;
  const isCode = type === "Lambda" || type === "TFOpLambda";
  throw new UnsupportedError(isCode ? "Python code, which is never run." : "no such layer.");
}
