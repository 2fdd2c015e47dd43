import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import type { NodeDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { type ComputedTensor, type StoredTensor, storedWeights, withComputed } from "../tensors/weight-file.ts";
import { converters } from "./converters.ts";
import { type OnnxModel, type OnnxNode, readOnnx } from "./model.ts";
import type { ImportedTensor, OnnxImport, OnnxValueState } from "./state.ts";

/** How to import an ONNX file. */
export interface OnnxImportOptions {
  /** How messages call the file, and the network's name; default "unnamed". */
  readonly name?: string;
  /** What the weights expect of photos: ONNX files do not say. */
  readonly preprocessing: Preprocessing;
  /** Opens external data beside the model; without it such models are refused. */
  readonly external?: ExternalData;
  /** [C,H,W], where the file leaves sizes open. */
  readonly inputShape?: Shape;
  /** Which output counts, where the graph has several. */
  readonly output?: string;
}

/**
 * Reads an ONNX file as a network: graph, shapes and weights. The batch is one photo; constant parts are folded, what does
 * nothing at inference is left out, a softmax at the end stays the network's last node (relevance starts before it).
 * @throws UnsupportedError that lists every node which cannot be converted; FormatError for damaged or cyclic graphs
 */
export async function importOnnx(source: ByteSource, options: OnnxImportOptions): Promise<ImportedNetwork> {
  const name = options.name ?? "unnamed";
  const what = `weights "${name}"`;
  const model = await readOnnx(source, name, options.external);
  const output = chooseOutput(model, what, options.output);
  const order = sortedNodes(model, output, what);
  const tensors = new Map<string, ImportedTensor>();
  const state = newImport(model, order, what, tensors);
  const inputShape = addInput(model, order, state, options.inputShape);

  const unsupported = new Map<OnnxNode, string>();
  for (const node of order) {
    // A value that could not be made is not reported again by every node behind it.
    const isBehind = node.inputs.some((input) => input !== "" && !state.values.has(input));
    try {
      if (isBehind) {
        if (converterOf(node) === undefined) unsupported.set(node, "no such layer.");
      } else {
        const convert = converterOf(node);
        if (convert === undefined) throw new UnsupportedError("no such layer.");
        const unused = node.outputs.slice(1).filter((value) => value !== "" && state.uses(value) > 0);
        if (unused.length > 0) throw new UnsupportedError(`its output "${unused.join(", ")}" is used.`);
        await convert(state, node);
      }
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported.set(node, error.message);
    }
  }
  if (unsupported.size > 0) {
    const lines = model.nodes
      .filter((node) => unsupported.has(node))
      .map((node) => `"${node.name}" (${node.op}): ${unsupported.get(node)}`);
    throw new UnsupportedError(
      `${what}: ${unsupported.size} of ${order.length} nodes are not supported:\n  ${lines.join("\n  ")}`,
    );
  }
  const last = state.values.get(output);
  if (last?.kind !== "data")
    throw new UnsupportedError(`${what}: the output "${output}" does not depend on the input.`);
  if (last.node === "input") state.nodes.push({ name: state.freeName("identity"), inputs: ["input"], op: "identity" });
  const outputNode = last.node === "input" ? (state.nodes.at(-1)?.name ?? "") : state.dataNode(last);
  const stored = Array.from(tensors.values()).filter((tensor): tensor is StoredTensor => "source" in tensor);
  const computed = Array.from(tensors.values()).filter((tensor): tensor is ComputedTensor => "compute" in tensor);
  const weights = storedWeights({ name, format: "onnx", metadata: model.metadata }, stored);
  const { preprocessing } = options;
  return {
    definition: { name, inputShape, nodes: state.nodes, output: outputNode, preprocessing },
    weights: withComputed(weights, computed),
  };
}

function converterOf({ op, domain }: OnnxNode): (typeof converters)[string] | undefined {
  const isStandard = domain === "" || domain === "ai.onnx";
  return isStandard && Object.hasOwn(converters, op) ? converters[op] : undefined;
}

function chooseOutput(model: OnnxModel, what: string, wish?: string): string {
  const names = model.outputs.map((value) => value.name);
  if (wish !== undefined) {
    if (!names.includes(wish))
      throw new RangeError(`${what}: there is no output "${wish}"; there are ${names.join(", ")}.`);
    return wish;
  }
  const [only, second] = names;
  if (only === undefined) throw new FormatError(`${what}: the graph has no output.`);
  if (second !== undefined) {
    throw new UnsupportedError(
      `${what}: the graph has several outputs: ${names.join(", ")}. Name the one that counts.`,
    );
  }
  return only;
}

/**
 * The nodes that the output depends on, each behind its inputs. Files should be sorted already; here it costs little.
 * @throws FormatError for cycles, for values that two nodes write and for values that nobody does
 */
function sortedNodes(model: OnnxModel, output: string, what: string): OnnxNode[] {
  const writers = new Map<string, OnnxNode>();
  for (const node of model.nodes) {
    for (const value of node.outputs) {
      if (value === "") continue;
      if (writers.has(value)) throw new FormatError(`${what}: value "${value}" is written twice.`);
      writers.set(value, node);
    }
  }
  const given = new Set([...model.inputs.map((value) => value.name), ...model.initializers.keys()]);
  const order: OnnxNode[] = [];
  const states = new Map<OnnxNode, "open" | "done">();
  const stack: { node: OnnxNode; next: number }[] = [];
  const enter = (value: string, reader: string): void => {
    const node = writers.get(value);
    if (node === undefined) {
      if (value === "" || given.has(value)) return;
      throw new FormatError(`${what}: ${reader} reads "${value}", which nothing writes.`);
    }
    const state = states.get(node);
    if (state === "open") throw new FormatError(`${what}: node "${node.name}" depends on itself.`);
    if (state === undefined) {
      states.set(node, "open");
      stack.push({ node, next: 0 });
    }
  };
  enter(output, "the output");
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const input = top.node.inputs[top.next++];
    if (input === undefined) {
      states.set(top.node, "done");
      order.push(top.node);
      stack.pop();
    } else {
      enter(input, `node "${top.node.name}"`);
    }
  }
  return order;
}

function newImport(
  model: OnnxModel,
  order: readonly OnnxNode[],
  what: string,
  tensors: Map<string, ImportedTensor>,
): OnnxImport {
  const nodes: NodeDefinition[] = [];
  const names = new Set(["input"]);
  const uses = new Map<string, number>();
  for (const node of order) for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const values = new Map<string, OnnxValueState>();
  for (const [name, tensor] of model.initializers) values.set(name, { kind: "constant", tensor });
  const freeName = (wish: string): string => {
    let name = wish;
    for (let i = 2; names.has(name); i++) name = `${wish}#${i}`;
    names.add(name);
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
  const dataNode = (value: OnnxValueState & { kind: "data" }): string => {
    if (value.pads === undefined) return value.node;
    // Zero padding that no convolution takes over: a depthwise 1x1 convolution with weights of one pads and changes nothing.
    const [channels = 1] = value.shape;
    const name = freeName(`${value.node}.pad`);
    const weight = addTensor({
      name: `${name}.weight`,
      shape: [channels, 1, 1, 1],
      compute: async () => new Float32Array(channels).fill(1),
    });
    const shape = { outChannels: channels, kernelShape: [1, 1], pads: value.pads, group: channels } as const;
    nodes.push({ name, inputs: [value.node], op: "conv2d", ...shape, weight });
    return name;
  };
  return {
    opset: model.opset,
    what,
    nodes,
    values,
    addTensor,
    freeName,
    dataNode,
    uses: (value) => uses.get(value) ?? 0,
  };
}

function isSamePlace(a: ImportedTensor, b: ImportedTensor): boolean {
  if (!("source" in a && "source" in b)) return false;
  const layout = ({ shape, strides }: StoredTensor): string => `${formatShape(shape)} ${strides?.join(",")}`;
  return a.source === b.source && a.offset === b.offset && layout(a) === layout(b);
}

/** Registers the graph's one input. @returns its shape without the batch */
function addInput(model: OnnxModel, order: readonly OnnxNode[], state: OnnxImport, wish?: Shape): Shape {
  const read = new Set(order.flatMap((node) => node.inputs));
  const inputs = model.inputs.filter((value) => read.has(value.name));
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    const names = inputs.map((value) => value.name).join(", ");
    throw new UnsupportedError(`${state.what}: the graph must have one input, got ${inputs.length} (${names}).`);
  }
  const sizes = wish ?? input.shape?.slice(1);
  const shape = sizes?.map((size) => size ?? 0);
  const isUsable = shape !== undefined && (shape.length === 3 || shape.length === 1) && elementCount(shape) > 0;
  if (!isUsable || !Number.isSafeInteger(elementCount(shape))) {
    const got = input.shape === undefined ? "no shape" : `[${input.shape.map((size) => size ?? "?").join(",")}]`;
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be [N,C,H,W] with known C, H and W, got ${got}.`,
    );
  }
  if (input.elementType > 1) {
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be float32 (1), got element type ${input.elementType}.`,
    );
  }
  state.values.set(input.name, { kind: "data", node: "input", shape });
  return shape.length === 1 ? [...shape, 1, 1] : shape; // a network's input is [C,H,W]; dense layers take [F,1,1] as [F]
}
