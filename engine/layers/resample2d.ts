import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import type { AxisTaps } from "../graph/definition.ts";
import type { Arena } from "../memory/arena.ts";
import { type LayerKind, noParameters } from "./layer-kind.ts";
import { requireImage } from "./max-pool2d.ts";
import { sumRelevance, sumVanishing } from "./sums.ts";

/** Every place for itself. */
function identity(length: number): AxisTaps {
  return { taps: 1, places: Array.from({ length }, (_, i) => i), weights: Array<number>(length).fill(1) };
}

/** Number of outputs along an axis, checked. */
function outputs(where: string, axis: string, { taps, places, weights }: AxisTaps, length: number): number {
  const count = places.length / taps;
  const isPlace = (place: number): boolean => Number.isSafeInteger(place) && place >= -1 && place < length;
  if (!(count >= 1) || !Number.isSafeInteger(count) || weights.length !== places.length || !places.every(isPlace)) {
    throw new ShapeError(
      `${where}: ${axis} must be ${taps} places of 0 to ${length - 1}, or -1, with a weight each, for every output, got ${places.length} places and ${weights.length} weights.`,
    );
  }
  return count;
}

function store(arena: Arena, { places, weights }: AxisTaps): { places: number; weights: number } {
  const at = { places: arena.reserve(4 * places.length), weights: arena.reserve(4 * places.length) };
  arena.i32(at.places, places.length).set(places);
  arena.f32(at.weights, places.length).set(weights);
  return at;
}

/** Weighted sums over rows and columns; relevance as of any sum. */
export const resample2d: LayerKind<"resample2d"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: ({ rows, columns }) =>
    [...(rows?.weights ?? []), ...(columns?.weights ?? [])].every((weight) => weight >= 0) ? "keeps" : "any",
  inputVanishing: sumVanishing,
  outputShape(node, inputs) {
    const where = `resample2d "${node.name}"`;
    const [channels, height, width] = requireImage(where, mustHave(inputs[0], "input"));
    return [
      channels,
      outputs(where, "rows", node.rows ?? identity(height), height),
      outputs(where, "columns", node.columns ?? identity(width), width),
    ];
  },
  build({ kernels, inputs, output: y }, node) {
    const x = mustHave(inputs[0], "input");
    const [rows, columns] = [node.rows ?? identity(x.height), node.columns ?? identity(x.width)];
    const [r, c] = [store(kernels.arena, rows), store(kernels.arena, columns)];
    const taps = {
      ...{ rows: r.places, rowWeights: r.weights, rowTaps: rows.taps },
      ...{ columns: c.places, columnWeights: c.weights, columnTaps: columns.taps },
    };
    return sumRelevance(kernels, x, y, {
      forward() {
        kernel.resample2dForward(kernels, y.height, { y, x, ...taps, outW: y.width, channels: y.channels });
      },
      inputGrad(dx, dy) {
        kernel.resample2dInputGrad(kernels, x.channels, { dx, dy, ...taps, outH: y.height, outW: y.width });
      },
    });
  },
};
