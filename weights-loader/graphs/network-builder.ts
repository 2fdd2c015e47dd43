import { UnsupportedError } from "../../engine/basics/errors.ts";
import { formatShape } from "../../engine/basics/tensor.ts";
import type { NodeDefinition, Pads, Stage } from "../../engine/graph/definition.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import {
  type ComputedTensor,
  type StoredTensor,
  type WeightFile,
  type WeightFileLabel,
  withComputed,
} from "../tensors/weight-file.ts";

// What every format's graph is built with: names, wiring, tensors, padding. The formats' own rooms know only what their layers mean.

/** A tensor of the imported network: as the file stores it, or worked out. */
export type ImportedTensor = StoredTensor | ComputedTensor;

/** A network that grows node by node. */
export interface NetworkBuilder {
  readonly nodes: NodeDefinition[];
  /** Tensors by the name under which the network finds them. */
  readonly tensors: Map<string, ImportedTensor>;
  /** A node name that is still free, close to the wish; it is taken from now on. */
  freeName(wish: string): string;
  /** Adds a node under a free name close to the wish. @returns that name */
  add(wish: string, inputs: readonly string[], stage: Stage): string;
  /** Registers a tensor. @returns the name under which the network will find it: that of an equal place, where there is one */
  addTensor(tensor: ImportedTensor): string;
  /** Registers a vector of constants. @returns as `addTensor` */
  addVector(name: string, values: Float32Array): string;
  /**
   * Zero padding that no convolution takes over, written out as a depthwise 1x1 convolution with weights of one: it pads and changes
   * nothing. @returns the name of the padded node
   */
  addPadding(node: string, channels: number, pads: Pads): string;
}

/** A builder without nodes. */
export function networkBuilder(): NetworkBuilder {
  const nodes: NodeDefinition[] = [];
  const names = new Set(["input"]);
  const tensors = new Map<string, ImportedTensor>();
  const freeName = (wish: string): string => {
    let name = wish;
    for (let i = 2; names.has(name); i++) name = `${wish}#${i}`;
    names.add(name);
    return name;
  };
  const add = (wish: string, inputs: readonly string[], stage: Stage): string => {
    const name = freeName(wish);
    nodes.push({ name, inputs, ...stage } as NodeDefinition); // a stage of one kind, completed
    return name;
  };
  const addTensor = (tensor: ImportedTensor): string => {
    let name = tensor.name;
    for (let i = 2; ; i++) {
      const taken = tensors.get(name);
      if (taken === undefined) break;
      if (isSamePlace(taken, tensor)) return name; // weights that two nodes share
      name = `${tensor.name}#${i}`;
    }
    tensors.set(name, { ...tensor, name });
    return name;
  };
  const addVector = (name: string, values: Float32Array): string =>
    addTensor({ name, shape: [values.length], compute: async () => values });
  const addPadding = (node: string, channels: number, pads: Pads): string => {
    const name = freeName(`${node}.pad`);
    const weight = addTensor({
      name: `${name}.weight`,
      shape: [channels, 1, 1, 1],
      compute: async () => new Float32Array(channels).fill(1),
    });
    const shape = { outChannels: channels, kernelShape: [1, 1], pads, group: channels } as const;
    nodes.push({ name, inputs: [node], op: "conv2d", ...shape, weight });
    return name;
  };
  return { nodes, tensors, freeName, add, addTensor, addVector, addPadding };
}

/** The builder's tensors as a weight file. @throws as `storedWeights` */
export function importedWeights(about: WeightFileLabel, builder: Pick<NetworkBuilder, "tensors">): WeightFile {
  const stored = Array.from(builder.tensors.values()).filter((tensor) => "source" in tensor);
  return withComputed(storedWeights(about, stored), computedOf(builder));
}

/** The builder's tensors that are worked out. */
export function computedOf({ tensors }: Pick<NetworkBuilder, "tensors">): ComputedTensor[] {
  return Array.from(tensors.values()).filter((tensor) => "compute" in tensor);
}

function isSamePlace(a: ImportedTensor, b: ImportedTensor): boolean {
  if (!("source" in a && "source" in b)) return false;
  const layout = ({ shape, strides }: StoredTensor): string => `${formatShape(shape)} ${strides?.join(",")}`;
  return a.source === b.source && a.offset === b.offset && layout(a) === layout(b);
}

/** Two paddings of the same value, one around the other, as one. */
export function joinPads(a: Pads, b: Pads): Pads {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
}

/** A layer that cannot be part of a network here, and why. */
export interface Refusal {
  readonly name: string;
  /** The format's own word for its kind. */
  readonly kind: string;
  readonly why: string;
}

/**
 * Refuses a network for the layers that cannot be converted, all of them in one message.
 * @param noun what the format calls a layer
 * @throws UnsupportedError unless there is none
 */
export function refuseUnsupported(what: string, noun: string, refusals: readonly Refusal[], total: number): void {
  if (refusals.length === 0) return;
  const lines = refusals.map(({ name, kind, why }) => `"${name}" (${kind}): ${why}`);
  throw new UnsupportedError(
    `${what}: ${refusals.length} of ${total} ${noun}s are not supported:\n  ${lines.join("\n  ")}`,
  );
}
