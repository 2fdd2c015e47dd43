import { FormatError, refuseUnknownOptions, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { dependencyOrder } from "../../engine/graph/order.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import type { InputShapeOptions } from "../graphs/input-shape.ts";
import { importedWeights, networkBuilder, refuseUnsupported } from "../graphs/network-builder.ts";
import { usesBatchAxis, withBatchAsAxis } from "./batch-axis.ts";
import { branch, readsOf } from "./branches.ts";
import { converters, strangers } from "./converters.ts";
import { settled } from "./data.ts";
import { beforeEnding, chooseOutput, endingValues } from "./ends.ts";
import { fold, isFoldable } from "./fold.ts";
import { addInput } from "./input.ts";
import { withoutFunctions } from "./local-functions.ts";
import { type OnnxModel, type OnnxNode, readOnnx } from "./model.ts";
import type { OnnxData, OnnxImport, OnnxValueState } from "./state.ts";
import { noteTypes } from "./types.ts";

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

/** The names of these options. */
export const onnxOptionNames = Object.keys({
  name: true,
  preprocessing: true,
  external: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
} satisfies Record<keyof OnnxImportOptions, true>) as readonly (keyof OnnxImportOptions)[];

/**
 * Reads an ONNX file as a network: graph, shapes and weights. The batch is one photo; constant parts are folded, what does
 * nothing at inference is left out, a softmax at the end stays the network's last node (relevance starts before it).
 * @throws UnsupportedError that lists every node which cannot be converted; FormatError for damaged or cyclic graphs
 */
export async function importOnnx(source: ByteSource, options: OnnxImportOptions): Promise<ImportedNetwork> {
  refuseUnknownOptions("importOnnx", options, onnxOptionNames);
  const name = options.name ?? "unnamed";
  const model = await readOnnx(source, name, options.external);
  return importOnnxModel(withoutFunctions(model, `weights "${name}"`), options, "onnx");
}

/** A graph of ONNX operators as a network, as `importOnnx`. @param format what the weights say they were read from */
export async function importOnnxModel(
  model: OnnxModel,
  options: OnnxImportOptions,
  format: "onnx" | "tfjs",
): Promise<ImportedNetwork> {
  const name = options.name ?? "unnamed";
  const what = `weights "${name}"`;
  const chosen = chooseOutput(model, what, options.output);
  const { name: output, note } = beforeEnding(model, chosen.name);
  const order = sortedNodes(model, output, what);
  const state = newImport(model, order, what, output);
  for (const each of [chosen.note, note]) if (each !== undefined) state.notes.add(each);
  const { inputShape, takesChannelsLast } = addInput(model, order, state, readsOf, options);

  const unsupported = new Map<OnnxNode, string>();
  for (const node of order) {
    // A value that could not be made is not reported again by every node behind it.
    const isBehind = node.inputs.some((input) => input !== "" && !state.values.has(input));
    try {
      if (isBehind) {
        if (converterOf(node) === undefined && !isFoldable(node)) unsupported.set(node, whyNot(node));
      } else await convertNode(state, node);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported.set(node, error.message);
    }
  }
  // What only a branch reads that is not taken may stay unknown.
  const isMade = state.values.has(output);
  const refusals = (isMade ? [] : model.nodes).flatMap((node) => {
    const why = unsupported.get(node);
    return why === undefined ? [] : [{ name: node.name, kind: node.op, why }];
  });
  refuseAttention(what, refusals.length > 0 ? order : []);
  refuseUnsupported(what, "node", refusals, order.length);
  const last = state.values.get(output);
  if (last?.kind !== "data")
    throw new UnsupportedError(`${what}: the output "${output}" does not depend on the input.`);
  refuseMixed(what, output, last);
  noteTypes(state, model, order);
  const end = settled(state, last);
  const outputNode = end.node === "input" ? state.add("identity", ["input"], { op: "identity" }) : end.node;
  const lastNode = joinBiases(state, outputNode);
  keepLive(state, lastNode);
  const weights = importedWeights({ name, format, metadata: model.metadata }, state);
  const { preprocessing } = options;
  return {
    definition: {
      name,
      inputShape,
      nodes: state.nodes,
      output: lastNode,
      ...(takesChannelsLast ? { takesChannelsLast } : {}),
      ...(preprocessing === undefined ? {} : { preprocessing }),
    },
    weights,
    ...(state.notes.size === 0 ? {} : { notes: [...state.notes] }),
  };
}

/** Turns a node into layers, or works it out. @throws UnsupportedError saying why not */
async function convertNode(state: OnnxImport, node: OnnxNode): Promise<void> {
  const isIf = node.op === "If" && isStandard(node);
  if (!isIf && (await isFolded(state, node))) return;
  const convert = isIf ? branch(convertNode) : converterOf(node);
  if (convert === undefined) throw new UnsupportedError(whyNot(node));
  if (!isIf && (await usesBatchAxis(state, node)))
    await withBatchAsAxis(state, node, (op) => (Object.hasOwn(converters, op) ? converters[op] : undefined));
  else await convert(state, node);
  const missing = node.outputs.filter((value) => value !== "" && state.uses(value) > 0 && !state.values.has(value));
  if (missing.length > 0) throw new UnsupportedError(`its output "${missing.join(", ")}" is used.`);
}

const isStandard = ({ domain }: OnnxNode): boolean => domain === "" || domain === "ai.onnx";

/** Why there is no layer for an operator. */
function whyNot({ op }: OnnxNode): string {
  return Object.hasOwn(strangers, op) ? (strangers[op] ?? "") : "no such layer.";
}

function converterOf(node: OnnxNode): (typeof converters)[string] | undefined {
  return isStandard(node) && Object.hasOwn(converters, node.op) ? converters[node.op] : undefined;
}

/** Works the node out where all its inputs are constant. */
async function isFolded(state: OnnxImport, node: OnnxNode): Promise<boolean> {
  return isStandard(node) && (await fold(state, node));
}

/**
 * Says what a network is that cannot be explained because it is a transformer, or has attention inside: a softmax whose output is
 * multiplied by a feature map.
 * @throws UnsupportedError
 */
function refuseAttention(what: string, nodes: readonly OnnxNode[]): void {
  const softmaxes = new Set(nodes.filter(({ op }) => op === "Softmax").flatMap(({ outputs }) => outputs));
  const isAlias = ({ op }: OnnxNode): boolean =>
    ["Cast", "Dropout", "Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze"].includes(op);
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

/** A vector may have lost its batch of one photo. @throws UnsupportedError for what has several axes without one */
function refuseMixed(what: string, output: string, { isBare, shape }: OnnxData): void {
  if (isBare === true && shape.length > 1)
    throw new UnsupportedError(`${what}: the output "${output}" mixes the photos of a batch.`);
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
    (node) => readsOf(node).flatMap((input) => writerOf(input, `node "${node.name}"`)),
    ([node]) => new FormatError(`${what}: node "${node?.name}" depends on itself.`),
  );
}

function newImport(model: OnnxModel, order: readonly OnnxNode[], what: string, output: string): OnnxImport {
  const uses = new Map<string, number>();
  for (const node of order) for (const input of readsOf(node)) uses.set(input, (uses.get(input) ?? 0) + 1);
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
    masks: new Map(),
    ending: endingValues(order, output),
    notes: new Set(),
    uses: (value) => uses.get(value) ?? 0,
  };
}
