import type { Shape } from "../../engine/basics/tensor.ts";
import { activationFunctions } from "../../engine/graph/activation-functions.ts";
import type { BareNode } from "./networks.ts";
import type { Fill } from "./values.ts";

/** A layer without weights, the shapes of its inputs, and why it is here. */
export interface LayerCase {
  readonly reason: string;
  readonly node: BareNode;
  readonly inputs: readonly Shape[];
  readonly fill: Fill;
}

const image = [5, 4, 6];

/** Functions that are defined for positive values alone, or not at 0. */
const positiveOnly = ["log", "sqrt", "power", "reciprocal"];

const functions: readonly LayerCase[] = [
  ...activationFunctions.map((name) => ({
    reason: `function ${name} with its defaults`,
    node: { op: "activation", function: name } as const,
    fill: positiveOnly.includes(name) ? ("positive" as const) : ("wide" as const),
  })),
  { reason: "SELU", node: { op: "activation", function: "elu", alpha: 1.67326319, beta: 1.05070098 }, fill: "wide" },
  { reason: "CELU, alpha 2", node: { op: "activation", function: "celu", alpha: 2 }, fill: "wide" },
  { reason: "PyTorch's hard sigmoid", node: { op: "activation", function: "hardSigmoid", alpha: 1 / 6 }, fill: "wide" },
  { reason: "a cube of signed values", node: { op: "activation", function: "power", alpha: 3 }, fill: "uniform" },
  { reason: "a root as a power", node: { op: "activation", function: "power", alpha: 0.5 }, fill: "positive" },
  { reason: "PReLU per channel", node: { op: "prelu", slope: "slope" }, fill: "uniform" },
].map((row) => ({ ...row, inputs: [image] }) as LayerCase); // rows of a union

const two: readonly LayerCase[] = [
  { reason: "a gate per channel", node: { op: "multiply" }, inputs: [image, [5, 1, 1]] },
  { reason: "a gate per channel, first", node: { op: "multiply" }, inputs: [[5, 1, 1], image] },
  { reason: "a gate per pixel", node: { op: "multiply" }, inputs: [image, [1, 4, 6]] },
  { reason: "a gate per row", node: { op: "multiply" }, inputs: [image, [1, 4, 1]] },
  { reason: "one number as gate", node: { op: "multiply" }, inputs: [image, [1, 1, 1]] },
  { reason: "equals, the second is the gate", node: { op: "multiply" }, inputs: [image, image] },
  { reason: "equals, the first is the gate", node: { op: "multiply", gate: 0 }, inputs: [image, image] },
  {
    reason: "both repeat",
    node: { op: "multiply" },
    inputs: [
      [5, 1, 6],
      [1, 4, 1],
    ],
  },
  { reason: "vectors", node: { op: "multiply" }, inputs: [[7], [7]] },
  { reason: "maximum of three", node: { op: "extremum", of: "maximum" }, inputs: [image, image, image] },
  { reason: "minimum of two", node: { op: "extremum", of: "minimum" }, inputs: [image, image] },
].map((row) => ({ ...row, fill: "uniform" }) as LayerCase); // rows of a union

const structure: readonly LayerCase[] = [
  { reason: "a slice of channels", node: { op: "take", channels: [1, 2, 3] } },
  { reason: "BGR", node: { op: "take", channels: [4, 3, 2, 1, 0] } },
  { reason: "a crop with a stride", node: { op: "take", rows: [1, 3], columns: [0, 2, 4] } },
  {
    reason: "places that repeat: reflect",
    node: { op: "take", rows: [1, 0, 1, 2, 3, 2], columns: [0, 0, 1, 2, 3, 4, 5, 5] },
  },
  { reason: "a pad with zeros", node: { op: "take", channels: [-1, 0, 1, 2, 3, 4], rows: [-1, 0, 1, 2, 3, -1, -1] } },
  { reason: "a pad with a constant", node: { op: "take", columns: [0, 1, 2, 3, 4, 5, -1], fill: -2.5 } },
  { reason: "channel shuffle", node: { op: "permute", view: [5, 2, 2, 6], order: [2, 0, 1, 3], shape: [10, 2, 6] } },
  { reason: "channels last", node: { op: "permute", view: [5, 4, 6], order: [1, 2, 0], shape: [4, 6, 5] } },
  { reason: "to a vector", node: { op: "permute", view: [5, 4, 6], order: [1, 2, 0], shape: [120] } },
  {
    reason: "bilinear interpolation of rows",
    node: {
      op: "resample2d",
      rows: { taps: 2, places: [0, 1, 0, 1, 2, 3], weights: [0.75, 0.25, 0.25, 0.75, 0.5, 0.5] },
    },
  },
  {
    reason: "uneven means of columns, negative weights of rows",
    node: {
      op: "resample2d",
      rows: { taps: 2, places: [0, 1, 3, -1], weights: [1.25, -0.25, 1, 0] },
      columns: {
        taps: 3,
        places: [0, 1, -1, 1, 2, 3, 3, 4, 5],
        weights: [0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3],
      },
    },
  },
  { reason: "instance norm", node: { op: "normalise", channels: 1, overPixels: true, centre: true, epsilon: 1e-5 } },
  {
    reason: "layer norm over everything",
    node: { op: "normalise", channels: 5, overPixels: true, centre: true, epsilon: 1e-3 },
  },
  {
    reason: "layer norm over channels",
    node: { op: "normalise", channels: 5, overPixels: false, centre: true, epsilon: 1e-6 },
  },
  { reason: "RMS norm", node: { op: "normalise", channels: 5, overPixels: false, centre: false, epsilon: 1e-6 } },
].map((row) => ({ ...row, inputs: [image], fill: "uniform" }) as LayerCase); // rows of a union

/** Kinds of layers without a case list of their own: functions, products, what moves values, weighted sums, normalisation. */
export const layerCases: readonly LayerCase[] = [...functions, ...two, ...structure];
