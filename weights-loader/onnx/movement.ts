import { elementCount, sameShape } from "../../engine/basics/tensor.ts";
import { affine } from "./affine.ts";
import { broadcast } from "./arithmetic.ts";
import { reshapeTarget } from "./constant-moves.ts";
import { axisFirst, reshaped, settled, shaped, standard, taken, transposed, withBatch, withoutBatch } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  anyDataAt,
  axisOf,
  type Convert,
  constantAt,
  dataAt,
  engineShape,
  int,
  intsAt,
  isData,
  setOutput,
  setOutputs,
  unsupported,
  valueAt,
} from "./node.ts";
import { ints, mapNumbers, readInts } from "./numbers.ts";
import { slicePlaces, splitSizes } from "./places.ts";
import type { OnnxData, OnnxImport } from "./state.ts";

// Nodes that move values and change none. A batch is one photo, and stays apart.

/** An axis of data that is not the batch, without it. */
function ownAxis(axis: number, x: OnnxData): number {
  const own = axisOf(axis, x.shape);
  if (own === 0) throw unsupported("photos of a batch would be mixed.");
  return own - 1;
}

/** As a layer it would be called as the node. */
function named(node: OnnxNode, x: OnnxData): OnnxData {
  return { ...x, via: node.name };
}

export const flatten: Convert = (state, node) => {
  const x = dataAt(state, node, 0);
  const axis = axisOf(int(node, "axis", 1), x.shape);
  if (axis !== 1 && elementCount(x.shape.slice(0, axis - 1)) !== 1) {
    throw unsupported(`flattening from axis ${axis}; only 1 keeps photos apart.`);
  }
  setOutput(state, node, named(node, reshaped(state, x, [elementCount(x.shape)])));
};

export const reshape: Convert = async (state, node) => {
  const x = anyDataAt(state, node, 0);
  const given = await intsAt(state, node, 1, "shape");
  if (given === undefined) throw unsupported("the shape is missing.");
  const from = withBatch(x);
  const target = reshapeTarget(from.shape, given, int(node, "allowzero", 0) !== 0);
  const isKept = x.isBare !== true && target[0] === 1;
  const y = isKept ? reshaped(state, x, target.slice(1)) : withoutBatch(reshaped(state, from, target));
  setOutput(state, node, named(node, y));
};

export const squeeze: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const axes = (await intsAt(state, node, 1, "axes"))?.map((axis) => axisOf(axis, x.shape));
  if (axes?.includes(0)) throw unsupported("the batch would be squeezed away.");
  const isGone = (size: number, k: number): boolean => (axes === undefined ? size === 1 : axes.includes(k + 1));
  if (x.shape.some((size, k) => isGone(size, k) && size !== 1))
    throw unsupported(`axes [${axes?.join(",")}] are not 1 long.`);
  setOutput(
    state,
    node,
    reshaped(
      state,
      x,
      x.shape.filter((size, k) => !isGone(size, k)),
    ),
  );
};

export const unsqueeze: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const axes = (await intsAt(state, node, 1, "axes")) ?? [];
  const rank = x.shape.length + 1 + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (rank > 16 || places.includes(0)) throw unsupported(`axes [${axes.join(",")}].`);
  const rest = [...x.shape];
  const shape = Array.from({ length: rank - 1 }, (_, k) => (places.includes(k + 1) ? 1 : (rest.shift() ?? 1)));
  setOutput(state, node, reshaped(state, x, shape));
};

export const transpose: Convert = (state, node) => {
  const x = withBatch(anyDataAt(state, node, 0));
  const rank = x.shape.length;
  const order = node.attributes.get("perm")?.ints ?? Array.from({ length: rank }, (_, k) => rank - 1 - k);
  const isOrder = order.length === rank && [...order].sort((a, b) => a - b).every((axis, k) => axis === k);
  if (!isOrder) throw unsupported(`the order [${order.join(",")}] of ${rank} axes.`);
  setOutput(state, node, withoutBatch(transposed(state, x, order)));
};

/** The sizes of data, with a batch of one. */
export const shapeOf: Convert = (state, node) => {
  const { shape } = withBatch(anyDataAt(state, node, 0));
  setOutput(state, node, ints(shape.slice(int(node, "start", 0), node.attributes.get("end")?.i)));
};

export const sizeOf: Convert = (state, node) => {
  setOutput(state, node, ints([elementCount(dataAt(state, node, 0).shape)], []));
};

export const slice: Convert = async (state, node) => {
  let x = dataAt(state, node, 0);
  for (const { axis, places } of await slicePlaces(state, node, [1, ...x.shape])) {
    if (axis === 0) {
      if (places.length !== 1) throw unsupported("no photo of the batch would be left.");
    } else x = taken(state, node.name, x, axis - 1, places);
  }
  setOutput(state, node, x);
};

export const split: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const axis = ownAxis(int(node, "axis", 0), x);
  const input = settled(state, x);
  let begin = 0;
  const sizes = await splitSizes(state, node, x.shape[axis] ?? 1);
  const parts = sizes.map((size) => {
    begin += size;
    return taken(
      state,
      node.name,
      input,
      axis,
      Array.from({ length: size }, (_, i) => begin - size + i),
    );
  });
  setOutputs(state, node, parts);
};

export const expand: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const value = valueAt(state, node, 1);
  if (value === undefined || value.kind === "data") throw unsupported("the shape must be constant.");
  const target = await readInts(value, "the shape");
  const rank = Math.max(target.length, x.shape.length + 1);
  const own = [...Array<number>(rank - x.shape.length - 1).fill(1), 1, ...x.shape];
  const whole = own.map((size, k) => Math.max(size, target[k - rank + target.length] ?? 1));
  if (whole[0] !== 1) throw unsupported("more photos than one.");
  setOutput(state, node, broadcast(state, node.name, x, whole.slice(1)));
};

export const tile: Convert = async (state, node) => {
  let x = dataAt(state, node, 0);
  const repeats = (await intsAt(state, node, 1)) ?? [];
  if (repeats.length !== x.shape.length + 1 || repeats[0] !== 1) throw unsupported(`repeats [${repeats.join(",")}].`);
  for (const [k, count] of repeats.slice(1).entries()) {
    const size = x.shape[k] ?? 1;
    if (!(count >= 1 && size * count <= 1 << 20)) throw unsupported(`repeats [${repeats.join(",")}].`);
    x = taken(
      state,
      node.name,
      x,
      k,
      Array.from({ length: size * count }, (_, i) => i % size),
    );
  }
  setOutput(state, node, x);
};

/** A constant as data of the shape of its neighbours: these times 0, and the constant added. */
async function constantBeside(
  state: OnnxImport,
  node: OnnxNode,
  index: number,
  like: OnnxData,
  axis: number,
): Promise<OnnxData> {
  const constant = constantAt(state, node, index);
  const size = constant.shape[axis + 1];
  if (constant.shape.length !== like.shape.length + 1 || constant.shape[0] !== 1 || size === undefined)
    throw unsupported(`a constant of shape [${constant.shape.join(",")}] beside [N,${like.shape.join(",")}].`);
  const place = taken(state, `${node.name}.place`, like, axis, Array<number>(size).fill(0));
  const zeros = mapNumbers([constant], false, () => 0);
  return affine(state, `${node.name}.constant`, place, zeros, constant);
}

export const concat: Convert = async (state, node) => {
  const found = node.inputs.findIndex((_, index) => isData(state, node, index));
  const first = dataAt(state, node, Math.max(0, found));
  const axis = ownAxis(int(node, "axis", 1), first);
  const all: OnnxData[] = [];
  for (const index of node.inputs.keys())
    all.push(
      isData(state, node, index) ? dataAt(state, node, index) : await constantBeside(state, node, index, first, axis),
    );
  if (
    !all.every(
      ({ shape }) => shape.length === first.shape.length && shape.every((n, k) => k === axis || n === first.shape[k]),
    )
  ) {
    throw unsupported(
      `the shapes [N,${all.map(({ shape }) => shape.join(",")).join("] and [N,")}] differ beyond axis ${axis + 1}.`,
    );
  }
  if (all.length === 1) {
    setOutput(state, node, first);
    return;
  }
  const inputs = all.map((x) => (axis === 0 ? { x: standard(state, x), back: undefined } : axisFirst(state, x, axis)));
  const [front] = inputs;
  if (front === undefined) throw unsupported("it has no input.");
  const sizes = inputs.map(({ x }) => x.shape[0] ?? 1);
  const shape = [sizes.reduce((sum, n) => sum + n, 0), ...front.x.shape.slice(1)];
  const isNonNegative = all.every((x) => x.isNonNegative === true);
  const value = addLayer(
    state,
    node.name,
    inputs.map(({ x }) => x.node),
    { op: "concat" },
    { shape, at: engineShape(shape), isNonNegative },
  );
  setOutput(state, node, front.back === undefined ? value : transposed(state, value, front.back));
};

function block(node: OnnxNode): number {
  const size = int(node, "blocksize", 0);
  if (!(size >= 1)) throw unsupported(`blocksize ${size}.`);
  return size;
}

export const depthToSpace: Convert = (state, node) => {
  const x = dataAt(state, node, 0);
  const size = block(node);
  const [channels = 0, height = 0, width = 0] = x.shape;
  const depth = channels / size ** 2;
  if (x.shape.length !== 3 || !Number.isSafeInteger(depth))
    throw unsupported(`blocks of ${size} from [N,${x.shape.join(",")}].`);
  const isColumnFirst = node.attributes.get("mode")?.s === "CRD";
  const view = isColumnFirst ? [depth, size, size, height, width] : [size, size, depth, height, width];
  const order = isColumnFirst ? [0, 3, 1, 4, 2] : [2, 3, 0, 4, 1];
  const moved = transposed(state, reshaped(state, x, view), order);
  setOutput(state, node, reshaped(state, moved, [depth, height * size, width * size]));
};

export const spaceToDepth: Convert = (state, node) => {
  const x = dataAt(state, node, 0);
  const size = block(node);
  const [channels = 0, height = 0, width = 0] = x.shape;
  if (x.shape.length !== 3 || height % size !== 0 || width % size !== 0)
    throw unsupported(`blocks of ${size} from [N,${x.shape.join(",")}].`);
  const view = [channels, height / size, size, width / size, size];
  const moved = transposed(state, reshaped(state, x, view), [2, 4, 0, 1, 3]);
  setOutput(state, node, reshaped(state, moved, [channels * size ** 2, height / size, width / size]));
};

/** Data as rows and columns of channels in the network: a signal of one axis is a single row. */
export function imageOf(state: OnnxImport, x: OnnxData): OnnxData {
  if (x.shape.length !== 2 && x.shape.length !== 3)
    throw unsupported(`it must read [N,C,H,W], got [N,${x.shape.join(",")}].`);
  if (x.pads !== undefined && x.order === undefined && sameShape(x.at, engineShape(x.shape))) return x;
  return shaped(state, x, engineShape(x.shape));
}
