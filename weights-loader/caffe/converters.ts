import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, sameShape } from "../../engine/basics/tensor.ts";
import { elementwiseConverters } from "./elementwise.ts";
import { type CaffeLayer, numberOf, numbersOf, textsOf } from "./model.ts";
import {
  affineStage,
  bottomOf,
  bottoms,
  type Convert,
  emit,
  isTrue,
  lengthOf,
  parametersOf,
  type State,
  setTop,
} from "./state.ts";
import { windowConverters } from "./windows.ts";

// Normalisations, moves, and the table of all layers.

/** Channels as a table of groups, read column by column. */
const shuffleChannel: Convert = (state, layer) => {
  const group = numberOf(parametersOf(layer, "shuffle_channel_param"), "group") ?? 1;
  const { shape } = bottomOf(state, layer);
  const [channels = 0] = shape;
  const size = channels / group;
  if (!Number.isSafeInteger(size)) throw new UnsupportedError(`${group} groups of ${channels} channels.`);
  const taken = Array.from({ length: channels }, (_, c) => (c % group) * size + Math.floor(c / group));
  emit(state, layer, { op: "take", channels: taken }, shape);
};

const passOn: Convert = (state, layer) => {
  const bottom = bottomOf(state, layer);
  for (const top of textsOf(layer.fields, "top")) state.blobs.set(top, bottom);
};

const concat: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "concat_param");
  const axis = numberOf(parameters, "axis") ?? numberOf(parameters, "concat_dim") ?? 1;
  const all = bottoms(state, layer);
  const { shape } = bottomOf(state, layer);
  if (axis !== 1 && axis !== -shape.length) {
    throw new UnsupportedError(`concatenation along axis ${axis}; only channels (1) are supported.`);
  }
  if (!all.every((blob) => sameShape(blob.shape.slice(1), shape.slice(1)))) {
    throw new UnsupportedError(`the shapes ${all.map((blob) => formatShape(blob.shape)).join(" and ")} differ.`);
  }
  const channels = all.reduce((sum, blob) => sum + (blob.shape[0] ?? 0), 0);
  const inputs = all.map(({ node }) => node);
  emit(state, layer, { op: "concat" }, [channels, ...shape.slice(1)], inputs);
};

const flatten: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "flatten_param");
  if ((numberOf(parameters, "axis") ?? 1) !== 1) throw new UnsupportedError("flattening from another axis than 1.");
  if ((numberOf(parameters, "end_axis") ?? -1) !== -1) throw new UnsupportedError("flattening some axes only.");
  emit(state, layer, { op: "flatten" }, [elementCount(bottomOf(state, layer).shape)]);
};

/** Sizes of 0 are copied, -1 is what is left; the first is the batch. */
const reshape: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "reshape_param");
  const isPlain = (numberOf(parameters, "axis") ?? 0) === 0 && (numberOf(parameters, "num_axes") ?? -1) === -1;
  if (!isPlain) throw new UnsupportedError("a shape for some axes only.");
  const { shape } = bottomOf(state, layer);
  const full = [1, ...shape];
  const [target] = parameters?.get("shape") ?? [];
  const given = numbersOf(typeof target === "object" ? target : undefined, "dim");
  const sizes = given.map((size, axis) => (size === 0 ? (full[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  const known = sizes.reduce((product, size, axis) => (axis === open ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(shape) / known;
  const [batch, ...rest] = sizes;
  const isUsable =
    rest.every((size) => Number.isSafeInteger(size) && size > 0) && elementCount(rest) === elementCount(shape);
  if (batch !== 1 || !isUsable || (rest.length !== 1 && rest.length !== 3)) {
    throw new UnsupportedError(`[N,${shape.join(",")}] cannot become [${given.join(",")}].`);
  }
  emit(state, layer, rest.length === 1 ? { op: "flatten" } : { op: "reshape", shape: rest }, rest);
};

/** Channels from each point to the next, or equal shares. */
const slice: Convert = (state, layer) => {
  const parameters = parametersOf(layer, "slice_param");
  const axis = numberOf(parameters, "axis") ?? numberOf(parameters, "slice_dim") ?? 1;
  const { node, shape } = bottomOf(state, layer);
  if (axis !== 1 && axis !== -shape.length) throw new UnsupportedError(`slices along axis ${axis}; only channels (1).`);
  const [channels = 0, ...rest] = shape;
  const tops = textsOf(layer.fields, "top");
  const given = numbersOf(parameters, "slice_point");
  const points = given.length > 0 ? given : tops.slice(1).map((_, i) => ((i + 1) * channels) / tops.length);
  const bounds = [0, ...points, channels];
  const isRising = bounds.every((bound, i) => Number.isSafeInteger(bound) && (i === 0 || bound > (bounds[i - 1] ?? 0)));
  if (bounds.length !== tops.length + 1 || !isRising) {
    throw new UnsupportedError(
      `slice points [${points.join(",")}] of ${channels} channels for ${tops.length} outputs.`,
    );
  }
  for (const [i, top] of tops.entries()) {
    const [from = 0, to = 0] = bounds.slice(i, i + 2);
    const taken = Array.from({ length: to - from }, (_, k) => from + k);
    const part = state.add(`${layer.name}.${top}`, [node], { op: "take", channels: taken });
    state.blobs.set(top, { node: part, shape: [to - from, ...rest] });
  }
};

/** Caffe keeps sums of statistics and one factor to divide them by; a Scale layer behind it brings scale and bias. */
const batchNorm: Convert = (state, layer) => {
  const { weights } = state;
  const channels = lengthOf(state, `${layer.name}.mean`);
  for (const [part, wanted] of [
    ["variance", channels],
    ["scaleFactor", 1],
  ] as const) {
    const length = lengthOf(state, `${layer.name}.${part}`);
    if (length === wanted) continue;
    throw new FormatError(`${state.what}: tensor "${layer.name}.${part}" must have ${wanted} elements, got ${length}.`);
  }
  const scaled = (part: string) => async (): Promise<Float32Array> => {
    const [factor = 0] = await weights.read(`${layer.name}.scaleFactor`);
    const values = await weights.read(`${layer.name}.${part}`);
    return values.map((value) => (factor === 0 ? 0 : value / factor)); // batch_norm_layer.cpp: a factor of 0 means no statistics
  };
  const vector = (name: string, part: string): string =>
    state.addTensor({ name: `${layer.name}.${name}`, shape: [channels], compute: scaled(part) });
  const node = {
    op: "batchNorm",
    epsilon: numberOf(parametersOf(layer, "batch_norm_param"), "eps") ?? 1e-5,
    mean: vector("runningMean", "mean"),
    variance: vector("runningVariance", "variance"),
  } as const;
  emit(state, layer, node, bottomOf(state, layer).shape);
};

function checkPerChannel(state: State, layer: CaffeLayer, field: string): void {
  const parameters = parametersOf(layer, field);
  const isPerChannel = (numberOf(parameters, "axis") ?? 1) === 1 && (numberOf(parameters, "num_axes") ?? 1) === 1;
  if (!isPerChannel || bottoms(state, layer).length !== 1) {
    throw new UnsupportedError("only one constant per channel.");
  }
}

const scale: Convert = (state, layer) => {
  checkPerChannel(state, layer, "scale_param");
  const { node: from, shape } = bottomOf(state, layer);
  const channels = lengthOf(state, `${layer.name}.scale`);
  const hasBias = isTrue(parametersOf(layer, "scale_param"), "bias_term", false);
  const parts = { scale: `${layer.name}.scale`, ...(hasBias ? { bias: `${layer.name}.bias` } : {}) };
  const at = state.nodes.findIndex(({ name }) => name === from);
  const before = state.nodes[at];
  // Both are one layer of ours, unless somebody reads what lies between them.
  const [bottom = ""] = textsOf(layer.fields, "bottom");
  const isInPlace = textsOf(layer.fields, "top")[0] === bottom;
  const isReadBetween = state.nodes.some(({ inputs }) => inputs.includes(before?.name ?? ""));
  const isFree = !isReadBetween && (isInPlace || state.reads.get(bottom) === 1);
  if (isFree && before?.op === "batchNorm" && before.scale === undefined && before.bias === undefined) {
    state.nodes[at] = { ...before, ...parts };
    setTop(state, layer, { node: before.name, shape });
    return;
  }
  emit(state, layer, affineStage(state, layer.name, channels, parts), shape);
};

const bias: Convert = (state, layer) => {
  checkPerChannel(state, layer, "bias_param");
  const channels = lengthOf(state, `${layer.name}.bias`);
  const stage = affineStage(state, layer.name, channels, { bias: `${layer.name}.bias` });
  emit(state, layer, stage, bottomOf(state, layer).shape);
};

/** A slope per channel, or one for all. */
const prelu: Convert = (state, layer) => {
  const { shape } = bottomOf(state, layer);
  const [channels = 0] = shape;
  const own = `${layer.name}.slope`;
  const length = lengthOf(state, own);
  if (length !== channels && length !== 1) {
    throw new FormatError(`${state.what}: tensor "${own}" must have ${channels} elements, got ${length}.`);
  }
  const compute = async (): Promise<Float32Array> => {
    const values = await state.weights.read(own);
    return length === channels ? values : new Float32Array(channels).fill(values[0] ?? 0);
  };
  const slope =
    length === channels ? own : state.addTensor({ name: `${layer.name}.slopes`, shape: [channels], compute });
  emit(state, layer, { op: "prelu", slope }, shape);
};

/** The class itself: relevance starts from its scores. */
const argMax: Convert = (state, layer) => {
  state.notes.push(
    `layer "${layer.name}" (ArgMax) is left out: the network's scores are explained, not their largest place.`,
  );
  passOn(state, layer);
};

/** Every Caffe layer that can be part of a network here. */
export const converters: Readonly<Record<string, Convert>> = {
  ...elementwiseConverters,
  ...windowConverters,
  ArgMax: argMax,
  BatchNorm: batchNorm,
  Bias: bias,
  Concat: concat,
  Dropout: passOn,
  Flatten: flatten,
  PReLU: prelu,
  Reshape: reshape,
  Scale: scale,
  ShuffleChannel: shuffleChannel,
  Slice: slice,
  Split: passOn,
};
