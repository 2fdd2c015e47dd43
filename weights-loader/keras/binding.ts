import { elementCount } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { type ComputedTensor, type TensorInfo, type WeightFile, withComputed } from "../tensors/weight-file.ts";
import { kernelRows, placesOf } from "./state.ts";

/**
 * Keras' weights under the names, and in the axis order, of a known network's tensors. Convolutions and dense layers are matched in
 * order, each kind for itself: files of Keras 3 do not say which comes first. What has no partner keeps its name, so that the report
 * of what does not fit names it.
 */
export function bindKeras(definition: NetworkDefinition, file: WeightFile): WeightFile {
  const free = new Map<string, TensorInfo>(file.tensors);
  const computed: ComputedTensor[] = [];
  const kernels = (rank: number): TensorInfo[] =>
    Array.from(file.tensors.values()).filter(({ name, shape }) => name.endsWith("/kernel") && shape.length === rank);
  const next = { conv2d: kernels(4).values(), dense: kernels(2).values() };
  for (const node of definition.nodes) {
    if (node.op !== "conv2d" && node.op !== "dense") continue;
    const kernel = next[node.op].next().value;
    if (kernel === undefined) continue;
    const { shape } = kernel;
    const out = shape.at(-1) ?? 0;
    const inputs = elementCount(shape.slice(0, -1));
    // A dense layer behind an image: Keras flattens it as H,W,C, this engine as C,H,W.
    const flattened = node.op === "dense" ? flattenedChannels(definition, node) : undefined;
    const channels = node.op === "conv2d" ? (shape[2] ?? 0) : (flattened ?? inputs);
    const isWhole = channels > 0 && inputs % channels === 0;
    const places = placesOf([isWhole ? [channels, inputs / channels, 1] : [inputs]]);
    free.delete(kernel.name);
    computed.push({
      name: node.weight,
      shape: node.op === "conv2d" ? [out, shape[2] ?? 0, shape[0] ?? 0, shape[1] ?? 0] : [out, inputs],
      compute: (first, count) => kernelRows(file, kernel.name, places, out, first, count),
    });
    const bias = free.get(kernel.name.replace(/kernel$/, "bias"));
    if (node.bias === undefined || bias === undefined) continue;
    free.delete(bias.name);
    computed.push({ name: node.bias, shape: bias.shape, compute: () => file.read(bias.name) });
  }
  return withComputed({ ...file, tensors: free }, computed);
}

/** Channels of the image that a dense layer reads flattened, or undefined where it reads no image. */
function flattenedChannels({ nodes, inputShape }: NetworkDefinition, dense: NodeDefinition): number | undefined {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const channelsOf = (name: string): number => {
    const node = byName.get(name);
    if (node === undefined) return inputShape[0] ?? 0;
    if (node.op === "conv2d") return node.outChannels;
    if (node.op === "concat") return node.inputs.reduce((sum, input) => sum + channelsOf(input), 0);
    return channelsOf(node.inputs[0] ?? "");
  };
  let at: NodeDefinition | undefined = dense;
  do {
    at = byName.get(at.inputs[0] ?? "");
    if (at?.op === "flatten") return channelsOf(at.inputs[0] ?? "");
  } while (at !== undefined && at.op !== "dense" && at.op !== "conv2d");
  return undefined;
}
