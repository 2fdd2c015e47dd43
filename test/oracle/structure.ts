import type { Shape } from "../../engine/basics/tensor.ts";
import type { AxisTaps, NodeDefinition } from "../../engine/graph/definition.ts";
import { imageSizes, type Tensor64 } from "./tensor64.ts";

type NodeOf<Op extends NodeDefinition["op"]> = Extract<NodeDefinition, { op: Op }>;

/** One connection of a layer that sums its input with fixed weights, by indices in C,H,W order. */
export interface Connection {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** What a layer that moves values connects: every output that is no constant to its input, with weight 1. */
export function takeConnections(node: NodeOf<"take">, shape: Shape): Connection[] {
  const [channels, height, width] = imageSizes(shape);
  const all = (list: readonly number[] | undefined, length: number): readonly number[] =>
    list ?? Array.from({ length }, (_, i) => i);
  const result: Connection[] = [];
  let to = 0;
  for (const c of all(node.channels, channels)) {
    for (const y of all(node.rows, height)) {
      for (const x of all(node.columns, width)) {
        if (c >= 0 && y >= 0 && x >= 0) result.push({ from: c * height * width + y * width + x, to, weight: 1 });
        to++;
      }
    }
  }
  return result;
}

/** As numpy's x.reshape(view).transpose(order). */
export function permuteConnections({ view, order }: NodeOf<"permute">): Connection[] {
  const result: Connection[] = [];
  const visit = (axis: number, place: readonly number[]): void => {
    if (axis === order.length) {
      // place[k] lies along input axis order[k].
      const at = view.map((_, input) => place[order.indexOf(input)]!);
      const from = at.reduce((sum, index, input) => sum * view[input]! + index, 0);
      result.push({ from, to: result.length, weight: 1 });
      return;
    }
    for (let i = 0; i < view[order[axis]!]!; i++) visit(axis + 1, [...place, i]);
  };
  visit(0, []);
  return result;
}

/** Weighted sums over rows and columns. */
export function resampleConnections(node: NodeOf<"resample2d">, shape: Shape): Connection[] {
  const [channels, height, width] = imageSizes(shape);
  const own = (axis: AxisTaps | undefined, length: number): AxisTaps =>
    axis ?? { taps: 1, places: Array.from({ length }, (_, i) => i), weights: Array<number>(length).fill(1) };
  const [rows, columns] = [own(node.rows, height), own(node.columns, width)];
  const [outH, outW] = [rows.places.length / rows.taps, columns.places.length / columns.taps];
  const result: Connection[] = [];
  for (let c = 0; c < channels; c++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        for (let i = oy * rows.taps; i < (oy + 1) * rows.taps; i++) {
          for (let j = ox * columns.taps; j < (ox + 1) * columns.taps; j++) {
            const [y, x] = [rows.places[i]!, columns.places[j]!];
            if (y < 0 || x < 0) continue;
            const weight = Math.fround(rows.weights[i]!) * Math.fround(columns.weights[j]!);
            result.push({ from: (c * height + y) * width + x, to: (c * outH + oy) * outW + ox, weight });
          }
        }
      }
    }
  }
  return result;
}

/** Sums over the connections. */
export function connect(
  connections: readonly Connection[],
  x: ArrayLike<number>,
  length: number,
  fill = 0,
): Float64Array {
  const y = new Float64Array(length);
  const isReached = new Uint8Array(length);
  for (const { from, to, weight } of connections) {
    y[to]! += weight * x[from]!;
    isReached[to] = 1;
  }
  return fill === 0 ? y : y.map((value, i) => (isReached[i] ? value : fill));
}

/** Index of a factor's value that serves a value of the product, by index in C,H,W order. */
export function broadcastIndex(part: Shape, whole: Shape): (index: number) => number {
  const [c, h, w] = imageSizes(part);
  const [, height, width] = imageSizes(whole);
  return (index) => {
    const place = [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width] as const;
    return (Math.min(place[0], c - 1) * h + Math.min(place[1], h - 1)) * w + Math.min(place[2], w - 1);
  };
}

/** The sets over which a normalisation takes its means, as lists of indices. */
export function normalisedSets({ channels, overPixels }: NodeOf<"normalise">, shape: Shape): number[][] {
  const [count, height, width] = imageSizes(shape);
  const area = height * width;
  const sets = new Map<string, number[]>();
  for (let i = 0; i < count * area; i++) {
    const key = `${Math.floor(Math.floor(i / area) / channels)} ${overPixels ? "" : i % area}`;
    sets.set(key, [...(sets.get(key) ?? []), i]);
  }
  return [...sets.values()];
}

/** (x - mean) / sqrt(mean (x - mean)^2 + epsilon) over each set. */
export function normalise(node: NodeOf<"normalise">, { shape, data }: Tensor64): Float64Array {
  const y = new Float64Array(data.length);
  for (const set of normalisedSets(node, shape)) {
    const mean = node.centre ? set.reduce((sum, i) => sum + data[i]!, 0) / set.length : 0;
    const variance = set.reduce((sum, i) => sum + (data[i]! - mean) ** 2, 0) / set.length;
    for (const i of set) y[i] = (data[i]! - mean) / Math.sqrt(variance + node.epsilon);
  }
  return y;
}

/** Its input gradient, by a central difference along every input. */
export function normaliseGradient(node: NodeOf<"normalise">, x: Tensor64, relevance: ArrayLike<number>): Float64Array {
  const h = 1e-4;
  const moved = (i: number, step: number): Float64Array =>
    normalise(node, { shape: x.shape, data: x.data.map((value, k) => (k === i ? value + step : value)) });
  return x.data.map((_, i) => {
    const [high, low] = [moved(i, h), moved(i, -h)];
    return high.reduce((sum, value, k) => sum + ((value - low[k]!) / (2 * h)) * relevance[k]!, 0);
  });
}
