import { elementCount, isHoldable, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import type { Pads } from "../../engine/graph/definition.ts";
import { addLayer, engineShape, unsupported } from "./node.ts";
import type { OnnxData, OnnxImport } from "./state.ts";

// How values of the graph, of any number of axes in any order, lie in the network's [F] and [C,H,W]. Transpositions and reshapes are only
// noted, so that those which cancel leave nothing behind; they are written out where a layer needs its input otherwise.

const isSorted = (order: readonly number[]): boolean => order.every((axis, k) => axis === k);

/** A pad's places along one axis: -1 outside. */
export function padded(length: number, before: number, after: number): number[] {
  if (!isHoldable([1, length + before + after, 1]))
    throw unsupported(`padding of ${length} to ${length + before + after}.`);
  return Array.from({ length: length + before + after }, (_, i) =>
    i < before || i >= before + length ? -1 : i - before,
  );
}

/** With pending padding written out. */
export function plain(state: OnnxImport, x: OnnxData): OnnxData {
  if (x.pads === undefined) return x;
  if (x.padsWith !== undefined) throw unsupported("padding with the lowest number is for max pooling alone.");
  const [top, left, bottom, right] = x.pads;
  const [channels = 1, height = 1, width = 1] = x.at;
  const before = [channels, height - top - bottom, width - left - right] as const;
  const rows = top + bottom === 0 ? {} : { rows: padded(before[1], top, bottom) };
  const columns = left + right === 0 ? {} : { columns: padded(before[2], left, right) };
  const { pads: _, ...value } = x;
  return addLayer(state, `${x.node}.pad`, [x.node], { op: "take", ...rows, ...columns }, value);
}

/** With pending padding and transpositions written out. */
export function settled(state: OnnxImport, x: OnnxData): OnnxData {
  const { order, base, ...value } = plain(state, x);
  if (order === undefined || base === undefined) return value;
  if (isSorted(order)) return value;
  // Axes of size 1 do not count: moving them moves nothing.
  const real = order.filter((axis) => base[axis] !== 1);
  if (real.every((axis, k) => k === 0 || axis > real[k - 1]!)) return value;
  const at = engineShape(value.shape);
  return addLayer(
    state,
    `${x.node}.transposed`,
    [x.node],
    { op: "permute", view: base, order, shape: at },
    { ...value, at },
  );
}

/** Settled, and put out by its node as `at`. */
export function shaped(state: OnnxImport, x: OnnxData, at: Shape): OnnxData {
  const value = settled(state, x);
  if (sameShape(value.at, at)) return value;
  const stage = at.length === 1 ? ({ op: "flatten" } as const) : ({ op: "reshape", shape: at } as const);
  return addLayer(state, value.via ?? `${x.node}.reshaped`, [value.node], stage, { ...value, at });
}

/** Settled, with the graph's own axes: [F], or [C,H,W] of them. */
export function standard(state: OnnxImport, x: OnnxData): OnnxData {
  return shaped(state, x, engineShape(x.shape));
}

/** The same elements as another shape. */
export function reshaped(state: OnnxImport, x: OnnxData, shape: Shape): OnnxData {
  if (elementCount(shape) !== elementCount(x.shape)) {
    throw unsupported(`[N,${x.shape.join(",")}] cannot become [N,${shape.join(",")}].`);
  }
  if (sameShape(shape, x.shape)) return x;
  return { ...settled(state, x), shape };
}

/** The axes in another order: axis k becomes what axis order[k] was. */
export function transposed(state: OnnxImport, x: OnnxData, order: readonly number[]): OnnxData {
  if (isSorted(order)) return x;
  const value = plain(state, x);
  const base = value.base ?? value.shape;
  const before = value.order ?? value.shape.map((_, k) => k);
  const now = order.map((axis) => before[axis]!);
  const shape = order.map((axis) => value.shape[axis]!);
  if (isSorted(now)) {
    const { order: _, base: __, ...rest } = value;
    return { ...rest, shape };
  }
  return { ...value, shape, order: now, base };
}

/** With the batch as an axis like all others. */
export function withBatch(x: OnnxData): OnnxData {
  if (x.isBare === true) return x;
  const value = { ...x, shape: [1, ...x.shape], isBare: true };
  if (x.order === undefined || x.base === undefined) return value;
  return { ...value, order: [0, ...x.order.map((axis) => axis + 1)], base: [1, ...x.base] };
}

/** With the batch apart again, where the first axis can be one. */
export function withoutBatch(x: OnnxData): OnnxData {
  if (x.isBare !== true || x.shape[0] !== 1) return x;
  const { isBare: _, order, base, ...rest } = x;
  const value = { ...rest, shape: x.shape.slice(1) };
  if (order === undefined || base === undefined) return value;
  const gone = order[0] ?? 0;
  const left = order.slice(1).map((axis) => (axis > gone ? axis - 1 : axis));
  return isSorted(left) ? value : { ...value, order: left, base: base.filter((_, axis) => axis !== gone) };
}

/** With one axis brought to the front, and the way back to where it was. */
export function axisFirst(state: OnnxImport, x: OnnxData, axis: number): { x: OnnxData; back: readonly number[] } {
  const order = [axis, ...x.shape.map((_, k) => k).filter((k) => k !== axis)];
  const moved = standard(state, transposed(state, x, order));
  return { x: moved, back: x.shape.map((_, k) => order.indexOf(k)) };
}

const axisNames = ["channels", "rows", "columns"] as const;

/** Which axis of the network's one of the graph's is, if it is one: axes of size 1 do not count. */
function ownAxis({ shape, at }: OnnxData, axis: number): (typeof axisNames)[number] | undefined {
  const core = [...shape.keys()].filter((k) => k === axis || shape[k] !== 1);
  for (const axes of [[...shape.keys()], core]) {
    const sizes = axes.map((k) => shape[k]!);
    if (axes.length > 3 || !sameShape(at, engineShape(sizes))) continue;
    const place = axes.indexOf(axis);
    return axes.length === 2 && place === 1 ? "columns" : axisNames[place];
  }
  return undefined;
}

/** Some places along an axis, -1 for `fill`. */
export function taken(
  state: OnnxImport,
  wish: string,
  x: OnnxData,
  axis: number,
  places: readonly number[],
  fill = 0,
): OnnxData {
  const size = x.shape[axis] ?? 1;
  if (places.length === size && places.every((place, i) => place === i)) return x;
  if (places.length === 0) throw unsupported("nothing would be left.");
  const value = settled(state, x);
  const shape = value.shape.map((n, k) => (k === axis ? places.length : n));
  const isNonNegative = value.isNonNegative === true && fill >= 0;
  const own = ownAxis(value, axis);
  // An axis of the network's, or rows between what stands before and behind.
  const [before, behind] = [elementCount(value.shape.slice(0, axis)), elementCount(value.shape.slice(axis + 1))];
  const input = own === undefined ? shaped(state, value, [before, size, behind]) : value;
  const place = own ?? "rows";
  const which = axisNames.indexOf(place);
  const at = input.at.map((n, k) => (k === which ? places.length : n));
  const constant = fill === 0 ? {} : { fill };
  return addLayer(
    state,
    wish,
    [input.node],
    { op: "take", [place]: places, ...constant },
    {
      ...input,
      shape,
      at,
      isNonNegative,
    },
  );
}

/** Two paddings of the same value, one around the other. */
export function withPads(x: OnnxData, pads: Pads, padsWith?: "lowest"): OnnxData {
  const [top, left, bottom, right] = pads;
  const before = x.pads ?? [0, 0, 0, 0];
  const grow = (shape: Shape): Shape =>
    shape.map((size, k) =>
      k === shape.length - 1
        ? size + left + right
        : k === shape.length - 2 && shape.length === 3
          ? size + top + bottom
          : size,
    );
  return {
    ...x,
    shape: grow(x.shape),
    at: grow(x.at),
    pads: [before[0] + top, before[1] + left, before[2] + bottom, before[3] + right],
    ...(padsWith === undefined ? {} : { padsWith }),
  };
}
