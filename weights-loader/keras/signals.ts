import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Json } from "../bytes/json.ts";
import { shapeConverters } from "./shapes.ts";
import { type Convert, count, image, inputOf, type Layer, plain } from "./state.ts";
import { windowConverters } from "./windows.ts";

// Layers of signals, [L,C] in Keras: those of images of one row, [C,1,L], with a 1 before each of their sizes.

/** Settings of one number per axis. */
const sizes = ["kernel_size", "strides", "dilation_rate", "pool_size", "size"];
/** Settings of a number before and one behind. */
const ends = ["padding", "cropping"];

/** Keras writes a number, or a list of one. */
function widened(config: Json): Json {
  const only = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);
  const wide = (key: string): [string, unknown][] => {
    const value = config[key];
    return value === undefined || value === null ? [] : [[key, [1, only(value)]]];
  };
  const around = (key: string): [string, unknown][] => {
    const value = config[key];
    if (value === undefined || value === null || typeof value === "string") return [];
    return [[key, [[0, 0], Array.isArray(value) ? value : [value, value]]]];
  };
  return { ...config, ...Object.fromEntries([...sizes.flatMap(wide), ...ends.flatMap(around)]) };
}

/** A layer of signals by the one of images; defaults that Keras leaves out are those of one axis. */
const acrossOne =
  (convert: Convert | undefined, defaults: Json = {}): Convert =>
  (state, layer, inputs) => {
    if (convert === undefined) throw new UnsupportedError("no such layer.");
    return convert(state, { ...layer, config: widened({ ...defaults, ...layer.config }) }, inputs);
  };

/** Causal padding: zeros before the first value, as many as the window reaches back. */
const convolution: Convert = (state, layer, inputs) => {
  const across = acrossOne(windowConverters["Conv2D"]);
  const { config } = layer;
  if (config["padding"] !== "causal") return across(state, layer, inputs);
  const x = plain(state, image(inputOf(inputs)));
  const one = (key: string): number => count(listed(config, key), key, 1);
  const before = (one("kernel_size") - 1) * one("dilation_rate");
  const [channels = 0, height = 1, width = 0] = x.shape;
  const padded = { ...x, shape: [channels, height, width + before], pads: [0, before, 0, 0] as const };
  return across(state, valid(layer), [before === 0 ? x : padded]);
};

const listed = (config: Json, key: string): Json => {
  const value = config[key];
  return { [key]: Array.isArray(value) ? value[0] : value };
};

const valid = (layer: Layer): Layer => ({ ...layer, config: { ...layer.config, padding: "valid" } });

/** Layers of signals by their Keras names. */
export const signalConverters: Readonly<Record<string, Convert>> = {
  AveragePooling1D: acrossOne(windowConverters["AveragePooling2D"], { pool_size: 2 }),
  Conv1D: convolution,
  Conv1DTranspose: acrossOne(windowConverters["Conv2DTranspose"]),
  Cropping1D: acrossOne(shapeConverters["Cropping2D"], { cropping: 1 }),
  DepthwiseConv1D: acrossOne(windowConverters["DepthwiseConv2D"]),
  GlobalAveragePooling1D: acrossOne(windowConverters["GlobalAveragePooling2D"]),
  GlobalMaxPooling1D: acrossOne(windowConverters["GlobalMaxPooling2D"]),
  MaxPooling1D: acrossOne(windowConverters["MaxPooling2D"], { pool_size: 2 }),
  SeparableConv1D: acrossOne(windowConverters["SeparableConv2D"]),
  SpatialDropout1D: (_state, _layer, inputs) => inputOf(inputs),
  UpSampling1D: acrossOne(shapeConverters["UpSampling2D"], { size: 2 }),
  ZeroPadding1D: acrossOne(shapeConverters["ZeroPadding2D"], { padding: 1 }),
};
