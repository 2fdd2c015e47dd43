import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, type Shape } from "../../engine/basics/tensor.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { dependencyOrder } from "../../engine/graph/order.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { chosenInputShape, type InputShapeOptions, inputSizeAdvice } from "../graphs/input-shape.ts";
import { importedWeights, networkBuilder, refuseUnsupported } from "../graphs/network-builder.ts";
import { halfPrecisionNote, quantisedNote } from "../graphs/precision-notes.ts";
import { converters, endings } from "./converters.ts";
import { settled } from "./data.ts";
import { fold, isFoldable } from "./fold.ts";
import { type OnnxModel, type OnnxNode, readOnnx } from "./model.ts";
import { engineShape } from "./node.ts";
import type { OnnxImport, OnnxValueState } from "./state.ts";

/** How to import an ONNX file. */
export interface OnnxImportOptions extends InputShapeOptions {
  /** How messages call the file, and the network's name; default "unnamed". */
  readonly name?: string;
  /** What the weights expect of photos: ONNX files do not say. */
  readonly preprocessing?: Preprocessing;
  /** Opens external data beside the model; without it such models are refused. */
  readonly external?: ExternalData;
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
  const output = beforeEnding(model, chooseOutput(model, what, options.output));
  const order = sortedNodes(model, output, what);
  const state = newImport(model, order, what);
  const inputShape = addInput(model, order, state, options);

  const unsupported = new Map<OnnxNode, string>();
  for (const node of order) {
    // A value that could not be made is not reported again by every node behind it.
    const isBehind = node.inputs.some((input) => input !== "" && !state.values.has(input));
    const convert = converterOf(node);
    try {
      if (isBehind) {
        if (convert === undefined && !isFoldable(node)) unsupported.set(node, "no such layer.");
      } else if (!(await isFolded(state, node))) {
        if (convert === undefined) throw new UnsupportedError("no such layer.");
        await convert(state, node);
        const missing = node.outputs.filter(
          (value) => value !== "" && state.uses(value) > 0 && !state.values.has(value),
        );
        if (missing.length > 0) throw new UnsupportedError(`its output "${missing.join(", ")}" is used.`);
      }
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported.set(node, error.message);
    }
  }
  const refusals = model.nodes.flatMap((node) => {
    const why = unsupported.get(node);
    return why === undefined ? [] : [{ name: node.name, kind: node.op, why }];
  });
  refuseAttention(what, refusals.length > 0 ? order : []);
  refuseUnsupported(what, "node", refusals, order.length);
  const last = state.values.get(output);
  if (last?.kind !== "data")
    throw new UnsupportedError(`${what}: the output "${output}" does not depend on the input.`);
  const end = settled(state, last);
  const outputNode = end.node === "input" ? state.add("identity", ["input"], { op: "identity" }) : end.node;
  const lastNode = joinBiases(state, outputNode);
  keepLive(state, lastNode);
  const weights = importedWeights({ name, format: "onnx", metadata: model.metadata }, state);
  const { preprocessing } = options;
  return {
    definition: {
      name,
      inputShape,
      nodes: state.nodes,
      output: lastNode,
      ...(preprocessing === undefined ? {} : { preprocessing }),
    },
    weights,
    notes: precisionNotes(model, order),
  };
}

/** What onnxruntime computes otherwise than here. */
function precisionNotes({ inputs, initializers }: OnnxModel, order: readonly OnnxNode[]): string[] {
  if (order.some(({ op }) => /^(QuantizeLinear|DynamicQuantizeLinear|QLinear\w+|ConvInteger|MatMulInteger)$/.test(op)))
    return [quantisedNote];
  const read = new Set(order.flatMap((node) => node.inputs));
  const isHalf =
    inputs.some(({ name, elementType }) => read.has(name) && elementType === 10) ||
    Array.from(initializers.values()).some(({ name, dtype }) => read.has(name) && dtype === "f16");
  return isHalf ? [halfPrecisionNote("onnxruntime computes this network, or parts of it, in float16")] : [];
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
    // Of logits beside feature maps the logits are what counts.
    const vectors = model.outputs.filter(({ shape }) => shape?.length === 2);
    const [vector, another] = vectors;
    if (vector !== undefined && another === undefined) return vector.name;
    throw new UnsupportedError(
      `${what}: the graph has several outputs: ${names.join(", ")}. Name the one that counts.`,
    );
  }
  return only;
}

/** The value before nodes that make decisions of scores, where such a node ends the graph. */
function beforeEnding(model: OnnxModel, output: string): string {
  const node = model.nodes.find(({ outputs }) => outputs.includes(output));
  const [input] = node?.inputs ?? [];
  return node !== undefined && input !== undefined && endings.includes(node.op) ? beforeEnding(model, input) : output;
}

/** Works the node out where all its inputs are constant. */
async function isFolded(state: OnnxImport, node: OnnxNode): Promise<boolean> {
  const isStandard = node.domain === "" || node.domain === "ai.onnx";
  return isStandard && (await fold(state, node));
}

/**
 * Says what a network is that cannot be explained because it is a transformer, or has attention inside: a softmax whose output is
 * multiplied by a feature map.
 * @throws UnsupportedError
 */
function refuseAttention(what: string, nodes: readonly OnnxNode[]): void {
  const softmaxes = new Set(nodes.filter(({ op }) => op === "Softmax").flatMap(({ outputs }) => outputs));
  const isAlias = ({ op }: OnnxNode): boolean => ["Cast", "Dropout", "Identity"].includes(op);
  for (const node of nodes)
    if (isAlias(node) && softmaxes.has(node.inputs[0] ?? "")) softmaxes.add(node.outputs[0] ?? "");
  const attention = nodes.find(
    ({ op, inputs }) =>
      ["Attention", "MultiHeadAttention"].includes(op) ||
      ((op === "MatMul" || op === "Einsum") && inputs.some((input) => softmaxes.has(input))),
  );
  if (attention === undefined) return;
  throw new UnsupportedError(
    `${what}: it is a transformer, or has attention inside (node "${attention.name}"); only convolutional networks are explained here. For transformers see AttnLRP (the package LXT).`,
  );
}

/** Leaves out what the output does not depend on any more: nodes that joined others, and their tensors. */
function keepLive(state: OnnxImport, output: string): void {
  const live = new Set<string>([output]);
  const used = new Set<string>();
  for (const node of [...state.nodes].reverse()) {
    if (!live.has(node.name)) continue;
    for (const input of node.inputs) live.add(input);
    for (const value of Object.values(node)) if (typeof value === "string") used.add(value);
  }
  const kept = state.nodes.filter(({ name }) => live.has(name));
  state.nodes.splice(0, state.nodes.length, ...kept);
  for (const name of state.tensors.keys()) if (!used.has(name)) state.tensors.delete(name);
}

/** A bias behind a convolution or dense layer without one becomes that layer's own, where nothing else reads the layer. @returns the output's name */
function joinBiases(state: OnnxImport, output: string): string {
  const readers = new Map<string, number>();
  const live = new Set<string>([output]);
  for (const node of [...state.nodes].reverse()) {
    if (!live.has(node.name)) continue;
    for (const input of node.inputs) {
      live.add(input);
      readers.set(input, (readers.get(input) ?? 0) + 1);
    }
  }
  const joined = new Map<string, string>();
  for (const node of state.nodes) {
    if (node.op !== "batchNorm" || node.scale !== undefined || node.bias === undefined || !state.affines.has(node.name))
      continue;
    const [before = ""] = node.inputs;
    const index = state.nodes.findIndex(({ name }) => name === before);
    const source = state.nodes[index];
    const isLinear = source !== undefined && (source.op === "conv2d" || source.op === "dense");
    if (!isLinear || source.bias !== undefined || readers.get(before) !== 1 || !live.has(node.name)) continue;
    state.nodes[index] = { ...source, bias: node.bias };
    joined.set(node.name, before);
  }
  for (const [at, node] of state.nodes.entries()) {
    if (node.inputs.some((input) => joined.has(input))) {
      state.nodes[at] = { ...node, inputs: node.inputs.map((input) => joined.get(input) ?? input) };
    }
  }
  return joined.get(output) ?? output;
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
  const writerOf = (value: string, reader: string): OnnxNode[] => {
    const node = writers.get(value);
    if (node !== undefined) return [node];
    if (value === "" || given.has(value)) return [];
    throw new FormatError(`${what}: ${reader} reads "${value}", which nothing writes.`);
  };
  return dependencyOrder(
    writerOf(output, "the output"),
    (node) => node.inputs.flatMap((input) => writerOf(input, `node "${node.name}"`)),
    ([node]) => new FormatError(`${what}: node "${node?.name}" depends on itself.`),
  );
}

function newImport(model: OnnxModel, order: readonly OnnxNode[], what: string): OnnxImport {
  const uses = new Map<string, number>();
  for (const node of order) for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const values = new Map<string, OnnxValueState>();
  for (const [name, tensor] of model.initializers) values.set(name, { kind: "constant", tensor });
  const builder = networkBuilder();
  return {
    ...builder,
    opset: model.opset,
    what,
    values,
    affines: new Map(),
    stages: new Map(),
    uses: (value) => uses.get(value) ?? 0,
  };
}

/** Registers the graph's one input. @returns its shape without the batch */
function addInput(model: OnnxModel, order: readonly OnnxNode[], state: OnnxImport, wish: InputShapeOptions): Shape {
  const read = new Set(order.flatMap((node) => node.inputs));
  const inputs = model.inputs.filter((value) => read.has(value.name));
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    const names = inputs.map((value) => value.name).join(", ");
    throw new UnsupportedError(`${state.what}: the graph must have one input, got ${inputs.length} (${names}).`);
  }
  const sizes = chosenInputShape(input.shape?.slice(1), wish);
  const shape = sizes?.map((size) => size ?? 0);
  const isUsable = shape !== undefined && shape.length >= 1 && shape.length <= 3 && elementCount(shape) > 0;
  if (!isUsable || !Number.isSafeInteger(elementCount(shape))) {
    const got = input.shape === undefined ? "no shape" : `[${input.shape.map((size) => size ?? "?").join(",")}]`;
    const isVolume = shape?.length === 4;
    const why = isVolume
      ? " Networks for video and volumes are not explained here, only for images and signals."
      : ` ${inputSizeAdvice}`;
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be [N,C,H,W] with known C, H and W, got ${got}.${why}`,
    );
  }
  if (![0, 1, 2, 10, 11, 16].includes(input.elementType)) {
    throw new UnsupportedError(
      `${state.what}: input "${input.name}" must be real numbers (1, 10, 11, 16) or bytes (2), got element type ${input.elementType}.`,
    );
  }
  const at = engineShape(shape);
  state.values.set(input.name, { kind: "data", node: "input", shape, at: shape.length === 1 ? [...shape, 1, 1] : at });
  return shape.length === 1 ? [...shape, 1, 1] : at; // a network's input is [C,H,W]
}
