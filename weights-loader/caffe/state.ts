import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { formatShape, isHoldable, type Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair, Stage } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { type CaffeLayer, messagesOf, numberOf, numbersOf, textsOf } from "./model.ts";
import type { Message } from "./prototxt.ts";

// What Caffe's layers read and write: the vocabulary of the converters.

/** Which node made a blob, and its shape without the batch. */
export interface Blob {
  readonly node: string;
  readonly shape: Shape;
}

/** What converting layers adds to. */
export interface State extends NetworkBuilder {
  readonly what: string;
  /** Layers that work in place replace their entry. */
  readonly blobs: Map<string, Blob>;
  readonly weights: WeightFile;
  /** How many layers read a blob of this name. */
  readonly reads: ReadonlyMap<string, number>;
  readonly notes: string[];
}

/** Turns a layer into nodes. @throws UnsupportedError saying why not */
export type Convert = (state: State, layer: CaffeLayer) => void;

/** The first message of a field: a layer's parameters. */
export function parametersOf({ fields }: CaffeLayer, field: string): Message | undefined {
  return messagesOf(fields, field)[0];
}

/** What a layer reads. */
export function bottoms(state: State, { fields, name }: CaffeLayer): Blob[] {
  return textsOf(fields, "bottom").map((blob) => {
    const found = state.blobs.get(blob);
    if (found !== undefined) return found;
    throw new FormatError(`${state.what}: layer "${name}" reads "${blob}", which nothing before it writes.`);
  });
}

/** The first blob that a layer reads. */
export function bottomOf(state: State, layer: CaffeLayer): Blob {
  const [blob] = textsOf(layer.fields, "bottom");
  const found = blob === undefined ? undefined : state.blobs.get(blob);
  if (found !== undefined) return found;
  const read = blob === undefined ? "nothing" : `"${blob}", which nothing before it writes`;
  throw new FormatError(`${state.what}: layer "${layer.name}" reads ${read}.`);
}

/** Says what a layer's first output is. */
export function setTop(state: State, layer: CaffeLayer, blob: Blob): void {
  if (!isHoldable(blob.shape))
    throw new UnsupportedError(`its output ${formatShape(blob.shape)} is larger than any that is held.`);
  for (const top of textsOf(layer.fields, "top").slice(0, 1)) state.blobs.set(top, blob);
}

/** Adds a layer's node, which reads its first blob unless told otherwise. */
export function emit(state: State, layer: CaffeLayer, stage: Stage, shape: Shape, inputs?: readonly string[]): void {
  const from = inputs ?? [bottomOf(state, layer).node];
  setTop(state, layer, { node: state.add(layer.name || layer.type, from, stage), shape });
}

/** `name_h` and `name_w`, or `name` once or twice. */
export function pairOf(message: Message | undefined, name: string, otherwise: number | undefined): Pair {
  const stem = name.replace("_size", "");
  const both = numbersOf(message, name);
  const height = numberOf(message, `${stem}_h`) ?? both[0] ?? otherwise;
  const width = numberOf(message, `${stem}_w`) ?? both[1] ?? both[0] ?? otherwise;
  const least = name === "pad" ? 0 : 1;
  const isSize = (size: number | undefined): size is number => Number.isSafeInteger(size) && (size ?? -1) >= least;
  if (!isSize(height) || !isSize(width)) throw new UnsupportedError(`${name} is missing or wrong.`);
  return [height, width];
}

/** The same pads on both sides. */
export function padsOf(message: Message | undefined): Pads {
  const [height, width] = pairOf(message, "pad", 0);
  return [height, width, height, width];
}

/** A field of truth: text files write it in words. */
export function isTrue(message: Message | undefined, field: string, otherwise: boolean): boolean {
  return (numberOf(message, field, ["false", "true"]) ?? (otherwise ? 1 : 0)) !== 0;
}

/** The elements of a tensor of one axis. @throws FormatError when it is missing or has more axes */
export function lengthOf(state: State, tensor: string): number {
  const shape = state.weights.tensors.get(tensor)?.shape;
  if (shape?.length !== 1) throw new FormatError(`${state.what}: tensor "${tensor}" is missing or no vector.`);
  return shape[0] ?? 0;
}

/** y = scale x + shift per channel: a batch norm whose statistics do nothing. */
export function affineStage(
  state: State,
  name: string,
  channels: number,
  parts: { readonly scale?: string; readonly bias?: string },
): Stage {
  return {
    op: "batchNorm",
    epsilon: 0,
    mean: state.addVector(`${name}.zeros`, new Float32Array(channels)),
    variance: state.addVector(`${name}.ones`, new Float32Array(channels).fill(1)),
    ...parts,
  };
}

/** Adds y = scale x + shift with two numbers. @returns the node, or the input where nothing happens */
export function addScaled(state: State, name: string, from: Blob, scale: number, shift = 0): string {
  if (scale === 1 && shift === 0) return from.node;
  const [channels = 0] = from.shape;
  const parts = {
    scale: state.addVector(`${name}.scales`, new Float32Array(channels).fill(scale)),
    bias: state.addVector(`${name}.shifts`, new Float32Array(channels).fill(shift)),
  };
  return state.add(name, [from.node], affineStage(state, name, channels, parts));
}
