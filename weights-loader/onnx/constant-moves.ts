import { elementCount, type Shape, stridesOf } from "../../engine/basics/tensor.ts";
import { axisIn, type Fold, fixed, same } from "./constant-inputs.ts";
import { int, intsAt, setOutput, setOutputs, unsupported } from "./node.ts";
import { broadcastShape, ints, movedNumbers, numbers, numbersOf, readInts, takenNumbers } from "./numbers.ts";
import { slicePlaces, splitSizes } from "./places.ts";

// Constants that are moved, repeated, counted or given another shape: the shape calculations of a graph.

/** The target of a reshape, its -1 and 0 filled in. */
export function reshapeTarget(shape: Shape, given: readonly number[], isZeroKept: boolean): number[] {
  const sizes = given.map((size, axis) => (size === 0 && !isZeroKept ? (shape[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  const known = sizes.reduce((product, size, axis) => (axis === open ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(shape) / known;
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0) || elementCount(sizes) !== elementCount(shape)) {
    throw unsupported(`[${shape.join(",")}] cannot become [${given.join(",")}].`);
  }
  return sizes;
}

/** The operators that move constants. */
export const constantMoves: Readonly<Record<string, Fold>> = {
  Concat: (state, node, inputs) => {
    const first = fixed(inputs, 0);
    const axis = axisIn(first.shape, int(node, "axis", 0));
    const size = inputs.reduce((sum, { shape }) => sum + (shape[axis] ?? 1), 0);
    const shape = first.shape.map((n, k) => (k === axis ? size : n));
    const outer = elementCount(first.shape.slice(0, axis));
    const value = numbers(
      shape,
      inputs.every((input) => input.isInteger),
      async () => {
        const result: number[] = [];
        const lists: Float64Array[] = [];
        for (const input of inputs) lists.push(await input.load());
        for (let o = 0; o < outer; o++) {
          for (const list of lists) {
            const length = list.length / outer;
            for (let i = 0; i < length; i++) result.push(list[o * length + i]!);
          }
        }
        return Float64Array.from(result);
      },
    );
    setOutput(state, node, value);
  },
  ConstantOfShape: async (state, node, inputs) => {
    const shape = Array.from(await fixed(inputs, 0).load());
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw unsupported(`shape [${shape.join(",")}].`);
    const { t } = node.attributes.get("value") ?? {};
    const filler = t === undefined ? undefined : numbersOf({ kind: "constant", tensor: t });
    const value = filler === undefined ? 0 : ((await filler.load())[0] ?? 0);
    setOutput(
      state,
      node,
      numbers(shape, filler?.isInteger ?? false, async () => new Float64Array(elementCount(shape)).fill(value)),
    );
  },
  Dropout: same,
  Expand: async (state, node, inputs) => {
    const [x, size] = [fixed(inputs, 0), await readInts(fixed(inputs, 1), "the shape")];
    const shape = broadcastShape([x.shape, size]);
    const lead = shape.length - x.shape.length;
    const own = stridesOf(x.shape);
    setOutput(
      state,
      node,
      movedNumbers(
        x,
        shape,
        shape.map((_, k) => (k < lead || x.shape[k - lead] === 1 ? 0 : own[k - lead]!)),
      ),
    );
  },
  Flatten: (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axis = int(node, "axis", 1) + (int(node, "axis", 1) < 0 ? x.shape.length : 0);
    setOutput(state, node, { ...x, shape: [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))] });
  },
  Gather: async (state, node, inputs) => {
    const [x, index] = [fixed(inputs, 0), fixed(inputs, 1)];
    const axis = axisIn(x.shape, int(node, "axis", 0));
    const size = x.shape[axis] ?? 1;
    const places = Array.from(await index.load(), (place) => (place < 0 ? place + size : place));
    if (!places.every((place) => Number.isSafeInteger(place) && place >= 0 && place < size)) {
      throw unsupported(`index [${places.slice(0, 4).join(",")}] into ${size}.`);
    }
    setOutput(state, node, takenNumbers(x, axis, places, index.shape));
  },
  Identity: same,
  Range: async (state, node, inputs) => {
    const [start = 0, limit = 0, step = 1] = [
      (await fixed(inputs, 0).load())[0],
      (await fixed(inputs, 1).load())[0],
      (await fixed(inputs, 2).load())[0],
    ];
    const count = Math.max(0, Math.ceil((limit - start) / step));
    if (!(count <= 1 << 20)) throw unsupported(`a range of ${count} numbers.`);
    const isInteger = inputs.every((input) => input.isInteger);
    setOutput(
      state,
      node,
      numbers([count], isInteger, async () => Float64Array.from({ length: count }, (_, i) => start + i * step)),
    );
  },
  Reshape: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const target = await readInts(fixed(inputs, 1), "the shape");
    setOutput(state, node, { ...x, shape: reshapeTarget(x.shape, target, int(node, "allowzero", 0) !== 0) });
  },
  Shape: (state, node, inputs) => {
    const { shape } = fixed(inputs, 0);
    setOutput(state, node, ints(shape.slice(int(node, "start", 0), node.attributes.get("end")?.i)));
  },
  Size: (state, node, inputs) => setOutput(state, node, ints([elementCount(fixed(inputs, 0).shape)], [])),
  Slice: async (state, node, inputs) => {
    let x = fixed(inputs, 0);
    for (const { axis, places } of await slicePlaces(state, node, x.shape)) x = takenNumbers(x, axis, places);
    setOutput(state, node, x);
  },
  Split: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axis = axisIn(x.shape, int(node, "axis", 0));
    let begin = 0;
    const parts = (await splitSizes(state, node, x.shape[axis] ?? 1)).map((size) => {
      begin += size;
      return takenNumbers(
        x,
        axis,
        Array.from({ length: size }, (_, i) => begin - size + i),
      );
    });
    setOutputs(state, node, parts);
  },
  Squeeze: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axes = (await intsAt(state, node, 1, "axes"))?.map((axis) => axisIn(x.shape, axis));
    setOutput(state, node, {
      ...x,
      shape: x.shape.filter((size, k) => (axes === undefined ? size !== 1 : !axes.includes(k))),
    });
  },
  Tile: async (state, node, inputs) => {
    let x = fixed(inputs, 0);
    for (const [axis, count] of (await readInts(fixed(inputs, 1), "repeats")).entries()) {
      const size = x.shape[axis] ?? 1;
      if (!(count >= 1 && size * count <= 1 << 24)) throw unsupported(`${count} repeats.`);
      if (count > 1)
        x = takenNumbers(
          x,
          axis,
          Array.from({ length: size * count }, (_, i) => i % size),
        );
    }
    setOutput(state, node, x);
  },
  Transpose: (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const order = node.attributes.get("perm")?.ints ?? x.shape.map((_, k) => x.shape.length - 1 - k);
    const strides = stridesOf(x.shape);
    setOutput(
      state,
      node,
      movedNumbers(
        x,
        order.map((axis) => x.shape[axis] ?? 1),
        order.map((axis) => strides[axis] ?? 1),
      ),
    );
  },
  Unsqueeze: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const given = (await intsAt(state, node, 1, "axes")) ?? [];
    const rank = x.shape.length + given.length;
    if (rank > 16) throw unsupported(`${rank} axes.`);
    const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
    const rest = [...x.shape];
    setOutput(state, node, {
      ...x,
      shape: Array.from({ length: rank }, (_, k) => (axes.includes(k) ? 1 : (rest.shift() ?? 1))),
    });
  },
};
