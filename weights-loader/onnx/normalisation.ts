import { elementCount, formatShape } from "../../engine/basics/tensor.ts";
import { affine, affineOf } from "./affine.ts";
import { axisFirst, plain, reshaped, shaped, standard, transposed } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  axisOf,
  type Convert,
  constantAt,
  dataAt,
  engineShape,
  float,
  int,
  setOutput,
  unsupported,
  valueAt,
  vectorAt,
} from "./node.ts";
import { takenNumbers } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

// Normalisation, by statistics of the training or of the values themselves.

export const batchNormalization: Convert = async (state, node) => {
  const data = plain(state, dataAt(state, node, 0));
  // Up to opset 13 a node in training mode is told by its further outputs, the new statistics.
  const isTraining = state.opset < 14 ? node.outputs.slice(1).some((name) => name !== "") : undefined;
  if (isTraining ?? int(node, "training_mode", 0) !== 0) throw unsupported("training mode.");
  if (int(node, "spatial", 1) === 0) throw unsupported("statistics per position.");
  const isChannels = (data.order?.[0] ?? 0) === 0 && (data.base ?? data.shape)[0] === data.at[0];
  const first = isChannels ? { x: data, back: undefined } : axisFirst(state, data, 0);
  const { x } = first;
  const channels = x.at[0] ?? 1;
  const epsilon = float(node, "epsilon", 1e-5);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => {
    const name = vectorAt(state, node, index, channels);
    if (name === undefined) throw unsupported(`input ${index} is missing.`);
    return name;
  }) as [string, string, string, string]; // four in, four out
  if (state.affines.has(x.node)) {
    // Behind another map of its kind both are one.
    const [s, b, m, v] = await Promise.all([1, 2, 3, 4].map((index) => constantAt(state, node, index).load()));
    const factors = s!.map((value, c) => value / Math.sqrt(v![c]! + epsilon));
    const offsets = factors.map((factor, c) => b![c]! - m![c]! * factor);
    setOutput(state, node, affineOf(state, node.name, x, factors, offsets));
    return;
  }
  const stage = { op: "batchNorm", scale, bias, mean, variance, epsilon } as const;
  const { kind: _, node: from, isNonNegative: __, isGate: ___, ...layout } = x;
  const y = addLayer(state, node.name, [from], stage, layout);
  if (Math.max(channels) <= 1 << 16) {
    const [s, b, m, v] = await Promise.all([1, 2, 3, 4].map((index) => constantAt(state, node, index).load()));
    const factors = s!.map((value, c) => value / Math.sqrt(v![c]! + epsilon));
    state.affines.set(y.node, { from: x, scale: factors, bias: factors.map((factor, c) => b![c]! - m![c]! * factor) });
  }
  setOutput(state, node, y);
};

/** Scale and bias behind a normalisation, aligned at the axes from `axis` on. */
async function withAffine(
  state: OnnxImport,
  node: OnnxNode,
  y: OnnxData,
  axis: number,
  scale: number,
  bias: number,
): Promise<OnnxData> {
  const given = (index: number): ReturnType<typeof constantAt> | undefined => {
    if (valueAt(state, node, index) === undefined) return undefined;
    const vector = constantAt(state, node, index);
    // One number per place of `axis` where the graph gives a vector.
    const rest = y.shape.length - axis - vector.shape.length;
    return rest > 0 ? { ...vector, shape: [...vector.shape, ...Array<number>(rest).fill(1)] } : vector;
  };
  const [s, b] = [given(scale), given(bias)];
  let value = y;
  if (s !== undefined) value = await affine(state, `${node.name}.scale`, value, s, undefined);
  if (b !== undefined) value = await affine(state, `${node.name}.bias`, value, undefined, b);
  return value;
}

/** Statistics over all pixels of groups of channels. */
function overPixels(state: OnnxImport, node: OnnxNode, x: OnnxData, groups: number): OnnxData {
  const [channels = 1] = x.shape;
  if (!(groups >= 1) || channels % groups !== 0) throw unsupported(`${groups} groups of ${channels} channels.`);
  const input = standard(state, x);
  const stage = {
    op: "normalise",
    channels: channels / groups,
    overPixels: true,
    centre: true,
    epsilon: float(node, "epsilon", 1e-5),
  } as const;
  return addLayer(state, `${node.name}.normalised`, [input.node], stage, { shape: x.shape, at: input.at });
}

/** @param axis that of the channels; each place before it is an image of its own */
function instances(axis: number): Convert {
  return async (state, node) => {
    const x = plain(state, dataAt(state, node, 0));
    const images = elementCount(x.shape.slice(0, axis + 1));
    const flat = reshaped(state, x, [images, ...x.shape.slice(axis + 1)]);
    const normal = reshaped(state, overPixels(state, node, flat, images), x.shape);
    setOutput(state, node, await withAffine(state, node, normal, axis, 1, 2));
  };
}

export const instanceNormalization: Convert = instances(0);
/** Where the batch is an axis like all others. */
export const instanceNormalizationOfBatch: Convert = instances(1);

export const groupNormalization: Convert = async (state, node) => {
  const x = plain(state, dataAt(state, node, 0));
  const groups = int(node, "num_groups", 0);
  const [channels = 1] = x.shape;
  const normal = overPixels(state, node, x, groups);
  // Before opset 21 there is one number per group, since then one per channel.
  const perChannel = (index: number): OnnxNumbers => {
    const vector = constantAt(state, node, index);
    const count = elementCount(vector.shape);
    if (vector.shape.length !== 1 || (count !== channels && count !== groups))
      throw unsupported(
        `input ${index} must have ${channels} elements or ${groups}, got ${formatShape(vector.shape)}.`,
      );
    const places = Array.from({ length: channels }, (_, c) =>
      count === channels ? c : Math.floor((c * groups) / channels),
    );
    const own = takenNumbers(vector, 0, places);
    return { ...own, shape: [channels, ...x.shape.slice(1).map(() => 1)] };
  };
  const scaledValue = await affine(state, `${node.name}.scale`, normal, perChannel(1), undefined);
  setOutput(state, node, await affine(state, `${node.name}.bias`, scaledValue, undefined, perChannel(2)));
};

/** Statistics over all axes from one on. */
export function layerNormalization(isCentred: boolean): Convert {
  return async (state, node) => {
    if (node.outputs.slice(1).some((name) => name !== "" && state.uses(name) > 0))
      throw unsupported("its statistics are used.");
    const x = plain(state, dataAt(state, node, 0));
    const axis = axisOf(int(node, "axis", -1), x.shape) - 1;
    if (axis < 0) throw unsupported("photos of a batch would be mixed.");
    const rest = x.shape.map((_, k) => k);
    const [front, behind] = [rest.slice(axis), rest.slice(0, axis)];
    const order = [...front, ...behind];
    const channels = elementCount(x.shape.slice(axis));
    const moved = transposed(state, x, order);
    const pixels = behind.map((k) => x.shape[k]!);
    const flatShape = pixels.length === 0 ? [channels] : [channels, ...pixels];
    const input = shaped(state, reshaped(state, moved, flatShape), engineShape(flatShape));
    const stage = {
      op: "normalise",
      channels,
      overPixels: false,
      centre: isCentred,
      epsilon: float(node, "epsilon", 1e-5),
    } as const;
    const normal = addLayer(state, `${node.name}.normalised`, [input.node], stage, { shape: flatShape, at: input.at });
    const vector = (index: number): ReturnType<typeof constantAt> | undefined => {
      if (valueAt(state, node, index) === undefined) return undefined;
      const value = constantAt(state, node, index);
      if (elementCount(value.shape) !== channels) throw unsupported(`input ${index} must have ${channels} elements.`);
      return { ...value, shape: [channels, ...pixels.map(() => 1)] };
    };
    const [scale, bias] = [vector(1), vector(2)];
    let value = normal;
    if (scale !== undefined) value = await affine(state, `${node.name}.scale`, value, scale, undefined);
    if (bias !== undefined) value = await affine(state, `${node.name}.bias`, value, undefined, bias);
    const unflat = reshaped(
      state,
      value,
      order.map((k) => x.shape[k]!),
    );
    setOutput(
      state,
      node,
      transposed(
        state,
        unflat,
        rest.map((k) => order.indexOf(k)),
      ),
    );
  };
}
