import { elementCount, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import { axisFirst, plain, shaped, transposed } from "./data.ts";
import { addLayer, unsupported } from "./node.ts";
import { expanded } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

// Everything that is scale * x + bias with constants becomes one batch norm, however many nodes write it: a chain of such maps is one
// map, so that the same network written in two ways has the same layers, and the same relevance.

/** Which channels of the network's a constant stands beside, once the data lie so that it does. */
export interface Beside {
  readonly x: OnnxData;
  /** A constant's values as one per channel of `x`. */
  spread(values: Float64Array): Float64Array;
  /** The result in the graph's own order of axes. */
  back(y: OnnxData): OnnxData;
}

/** Brings data into a layout in which a constant of `shape` (aligned at the last axis) is one number per channel. */
export function beside(state: OnnxImport, data: OnnxData, shape: Shape): Beside {
  const own = [1, ...data.shape]; // with the batch
  const lead = own.length - shape.length;
  if (shape.slice(0, Math.max(0, -lead)).some((size) => size !== 1))
    throw unsupported("a constant of more axes than data.");
  const aligned = own.map((_, k) => shape[k - lead] ?? 1).slice(-own.length);
  const axes = aligned.flatMap((size, k) => (size === 1 ? [] : [k - 1]));
  if (axes.includes(-1) || aligned.some((size, k) => size !== 1 && size !== own[k])) {
    throw unsupported(`a constant of shape [${shape.join(",")}] beside [N,${data.shape.join(",")}].`);
  }
  const x = plain(state, data);
  const [axis, second] = axes;
  if (axis === undefined) {
    // One number for all: any layout does.
    const channels = x.at[0] ?? 1;
    return { x, spread: (values) => new Float64Array(channels).fill(values[0] ?? 0), back: (y) => y };
  }
  if (second === undefined) {
    const isChannels = (x.order ?? x.shape.map((_, k) => k))[axis] === 0 && (x.base ?? x.shape)[0] === x.at[0];
    if (isChannels) return { x, spread: (values) => values, back: (y) => y };
    const first = axisFirst(state, x, axis);
    return { x: first.x, spread: (values) => values, back: (y) => transposed(state, y, first.back) };
  }
  const flat = shaped(state, x, [elementCount(x.shape)]);
  return { x: flat, spread: (values) => expanded(values, aligned.slice(1), x.shape), back: (y) => y };
}

/**
 * scale * x + bias with constants that broadcast; joins such a map before it.
 */
export async function affine(
  state: OnnxImport,
  wish: string,
  data: OnnxData,
  scale: OnnxNumbers | undefined,
  bias: OnnxNumbers | undefined,
): Promise<OnnxData> {
  const shape = (scale ?? bias)?.shape ?? [];
  if (scale !== undefined && bias !== undefined && !sameShape(scale.shape, bias.shape))
    throw unsupported("scale and bias differ in shape.");
  const { x, spread, back } = beside(state, data, shape);
  const ones = (): Float64Array => new Float64Array(x.at[0] ?? 1).fill(1);
  const factors = scale === undefined ? ones() : spread(await scale.load());
  const offsets = bias === undefined ? ones().fill(0) : spread(await bias.load());
  return back(affineOf(state, wish, x, factors, offsets));
}

/** scale * x + bias, one of each per channel of the network's. */
export function affineOf(
  state: OnnxImport,
  wish: string,
  x: OnnxData,
  scale: Float64Array,
  bias: Float64Array,
): OnnxData {
  const before = x.pads === undefined ? state.affines.get(x.node) : undefined;
  // Only where the layout is still that of the map before.
  const joins = before !== undefined && sameShape(before.from.at, x.at);
  const from = joins ? { ...x, node: before.from.node } : x;
  const factors = joins ? scale.map((s, c) => s * before.scale[c]!) : scale;
  const offsets = joins ? scale.map((s, c) => s * before.bias[c]! + bias[c]!) : bias;
  const isScaled = factors.some((s) => s !== 1);
  const isMoved = offsets.some((b) => b !== 0);
  const isNonNegative =
    from.isNonNegative === true && !joins && factors.every((s) => s >= 0) && offsets.every((b) => b >= 0);
  if (!isScaled && !isMoved) return from;
  const channels = x.at[0] ?? 1;
  const vector = (role: string, values: Float32Array): string => state.addVector(`${wish}.${role}`, values);
  const stage = {
    op: "batchNorm",
    epsilon: 0,
    mean: vector("mean", new Float32Array(channels)),
    variance: vector("variance", new Float32Array(channels).fill(1)),
    ...(isScaled ? { scale: vector("scale", Float32Array.from(factors)) } : {}),
    ...(isMoved ? { bias: vector("bias", Float32Array.from(offsets)) } : {}),
  } as const;
  const { pads: _, padsWith: __, ...layout } = plain(state, from);
  const y = addLayer(state, wish, [layout.node], stage, { ...layout, isNonNegative });
  state.affines.set(y.node, { from: layout, scale: factors, bias: offsets });
  return y;
}

/** One number times data. */
export function scaled(state: OnnxImport, wish: string, x: OnnxData, factor: number): OnnxData {
  const value = plain(state, x);
  const channels = value.at[0] ?? 1;
  return affineOf(state, wish, value, new Float64Array(channels).fill(factor), new Float64Array(channels));
}
