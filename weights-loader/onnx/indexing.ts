import { elementCount, type Shape } from "../../engine/basics/tensor.ts";
import { affine } from "./affine.ts";
import { reshaped, standard, taken, withBatch, withoutBatch } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  anyDataAt,
  type Convert,
  constantAt,
  engineShape,
  int,
  isData,
  setOutput,
  unsupported,
} from "./node.ts";
import { mapNumbers } from "./numbers.ts";
import type { OnnxData, OnnxImport } from "./state.ts";

// Values by constant index.

/** Elements of an index at most. */
const maximumPlaces = 1 << 24;

/** Some places along an axis, by constant index. */
export const gather: Convert = async (state, node) => {
  const x = withBatch(anyDataAt(state, node, 0));
  const index = constantAt(state, node, 1);
  const places = Array.from(await index.load());
  const given = int(node, "axis", 0);
  const axis = given < 0 ? given + x.shape.length : given;
  setOutput(state, node, withoutBatch(gathered(state, node, x, axis, places, index.shape)));
};

function gathered(
  state: OnnxImport,
  node: OnnxNode,
  x: OnnxData,
  axis: number,
  places: readonly number[],
  shape: Shape,
): OnnxData {
  const size = x.shape[axis] ?? 0;
  const own = places.map((place) => (place < 0 ? place + size : place));
  if (!own.every((place) => Number.isSafeInteger(place) && place >= 0 && place < size) || own.length > maximumPlaces)
    throw unsupported(`index [${places.slice(0, 4).join(",")}] into ${size}.`);
  const isFirst = axis === 0 && size === 1 && own.length === 1;
  const part = isFirst ? x : taken(state, node.name, x, axis, own);
  return reshaped(state, part, [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)]);
}

/** Places along several axes at once, by constant index: the last axis of the index has a place on each. */
export const gatherNd: Convert = async (state, node) => {
  if (int(node, "batch_dims", 0) !== 0) throw unsupported("batch_dims.");
  const x = withBatch(anyDataAt(state, node, 0));
  const index = constantAt(state, node, 1);
  const count = index.shape.at(-1) ?? 0;
  const [sizes, rest] = [x.shape.slice(0, count), x.shape.slice(count)];
  if (!(count >= 1) || count > x.shape.length) throw unsupported(`an index of ${count} axes into ${x.shape.length}.`);
  const values = await index.load();
  const places = placesOf(values, count, sizes);
  const flat = reshaped(state, x, [elementCount(sizes), ...rest]);
  setOutput(state, node, withoutBatch(gathered(state, node, flat, 0, places, index.shape.slice(0, -1))));
};

/** An index of several axes as places along all of them taken as one; NaN outside. */
function placesOf(values: Float64Array, count: number, sizes: Shape): number[] {
  return Array.from({ length: values.length / count }, (_, i) =>
    sizes.reduce((at, size, k) => {
      const place = values[i * count + k] ?? 0;
      const own = place < 0 ? place + size : place;
      return own >= 0 && own < size ? at * size + own : Number.NaN;
    }, 0),
  );
}

/** Values written over others at constant places, as PyTorch writes `y[:, :8] = x`. */
export const scatterNd: Convert = async (state, node) => {
  if (![undefined, "none"].includes(node.attributes.get("reduction")?.s)) throw unsupported("a reduction.");
  const index = constantAt(state, node, 1);
  const count = index.shape.at(-1) ?? 0;
  const given = isData(state, node, 0) ? withBatch(anyDataAt(state, node, 0)) : undefined;
  const shape = given?.shape ?? constantAt(state, node, 0).shape;
  const [sizes, rest] = [shape.slice(0, count), shape.slice(count)];
  const size = elementCount(sizes);
  if (!(count >= 1) || count > shape.length || size > maximumPlaces)
    throw unsupported(`an index of ${count} axes into ${shape.length}.`);
  const places = placesOf(await index.load(), count, sizes);
  if (places.some(Number.isNaN)) throw unsupported(`an index outside [${sizes.join(",")}].`);
  const over = reshaped(state, withBatch(anyDataAt(state, node, 2)), [places.length, ...rest]);
  // Where each row comes from: what was there, or behind it the last that was written there.
  const sources = Array.from({ length: size }, (_, row) => row);
  for (const [i, place] of places.entries()) sources[place] = size + i;
  const finish = (x: OnnxData, rows: readonly number[]): void =>
    setOutput(state, node, withoutBatch(reshaped(state, taken(state, node.name, x, 0, rows), shape)));
  if (given === undefined && sources.every((row) => row >= size))
    return finish(
      over,
      sources.map((row) => row - size),
    );
  const before =
    given === undefined
      ? await constantRows(state, node, over, [size, ...rest])
      : reshaped(state, given, [size, ...rest]);
  const parts = [standard(state, before), standard(state, over)];
  const whole = [size + places.length, ...rest];
  const joined = addLayer(
    state,
    `${node.name}.joined`,
    parts.map((part) => part.node),
    { op: "concat" },
    { shape: whole, at: engineShape(whole), isBare: true },
  );
  finish(joined, sources);
};

/** A constant as data: some data times 0, and the constant added. */
async function constantRows(state: OnnxImport, node: OnnxNode, like: OnnxData, shape: Shape): Promise<OnnxData> {
  const constant = { ...constantAt(state, node, 0), shape };
  const place = taken(state, `${node.name}.place`, like, 0, Array<number>(shape[0] ?? 1).fill(0));
  return affine(
    state,
    `${node.name}.constant`,
    place,
    mapNumbers([constant], false, () => 0),
    constant,
  );
}
