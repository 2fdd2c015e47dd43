import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { dependencyOrder } from "../../engine/graph/order.ts";
import { isObject, type Json } from "../bytes/json.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { type Refusal, refuseUnsupported } from "../graphs/network-builder.ts";
import { importOnnxModel, type OnnxImportOptions } from "../onnx/import.ts";
import type { OnnxValue } from "../onnx/value.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import { refuseBatched } from "./batched.ts";
import { operators } from "./operators.ts";
import { type GraphNode, newTranslation, type Translation } from "./translation.ts";

/** Nodes at most; the largest networks have some thousands. */
const maximumNodes = 200_000;

/** True for the topology of a graph model: TensorFlow's GraphDef as JSON. */
export function isGraphTopology(topology: unknown): topology is { readonly node: readonly unknown[] } {
  return isObject(topology) && Array.isArray(topology["node"]);
}

/** Integers of protobuf's JSON are text. */
function integer(value: unknown): number | undefined {
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Texts of protobuf's JSON are base64. */
function decoded(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined;
  try {
    return atob(value);
  } catch {
    return undefined;
  }
}

/** A value's name: the first output of a node is called as the node. */
const valueName = (input: string): string => (input.endsWith(":0") ? input.slice(0, -2) : input);

function graphNode(given: unknown, what: string): GraphNode & { readonly attributes: Json } {
  const { name, op, input: inputs = [], attr } = isObject(given) ? given : {};
  if (typeof name !== "string" || typeof op !== "string" || !Array.isArray(inputs))
    throw new FormatError(`${what}: a node of the graph needs "name", "op" and "input".`);
  const attributes = isObject(attr) ? attr : {};
  const own = (key: string): Json => {
    const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    return isObject(value) ? value : {};
  };
  const list = (key: string, kind: string): readonly unknown[] => {
    const values = own(key)["list"];
    const found = isObject(values) ? values[kind] : undefined;
    return Array.isArray(found) ? found : [];
  };
  return {
    name,
    op,
    attributes,
    inputs: inputs
      .map(String)
      .filter((each) => !each.startsWith("^"))
      .map(valueName),
    number: (key, otherwise) => {
      const { i, f } = own(key);
      return typeof f === "number" ? f : (integer(i) ?? otherwise);
    },
    truth: (key) => (typeof own(key)["b"] === "boolean" ? own(key)["b"] === true : undefined),
    text: (key) => decoded(own(key)["s"]),
    ints: (key) => list(key, "i").map((value) => integer(value) ?? Number.NaN),
    texts: (key) => list(key, "s").flatMap((value) => decoded(value) ?? []),
  };
}

/** The photo, [N,H,W,C] or a signal [N,L,C] in the graph, comes with channels first, as everywhere here. */
function addInput(to: Translation, node: ReturnType<typeof graphNode>): OnnxValue {
  const shape = isObject(node.attributes["shape"]) ? node.attributes["shape"]["shape"] : undefined;
  const dims = isObject(shape) && Array.isArray(shape["dim"]) ? shape["dim"] : undefined;
  const sizes = dims?.map((dim) => {
    const size = isObject(dim) ? integer(dim["size"]) : undefined;
    return size !== undefined && size > 0 ? size : undefined;
  });
  if (sizes === undefined || sizes.length < 3 || sizes.length > 4)
    return { name: node.name, elementType: 1, shape: sizes };
  const name = `${node.name}/channels_first`;
  const behind = sizes.map((_, axis) => axis).slice(2);
  to.add("Transpose", [name], { perm: { ints: [0, ...behind, 1], floats: [] } }, node.name);
  return { name, elementType: 1, shape: [sizes[0], sizes.at(-1), ...sizes.slice(1, -1)] };
}

/** A constant of the file; bytes that stand for numbers become those. */
function addConstant(to: Translation, name: string, tensor: StoredTensor): void {
  const { quantization, isQuantized: _, ...stored } = tensor;
  if (quantization === undefined || !("scale" in quantization)) {
    to.constants.set(name, { ...stored, name });
    return;
  }
  const raw = `${name}/stored`;
  to.constants.set(raw, { ...stored, name: raw });
  const scaled = to.add("Mul", [
    to.add("Cast", [raw], { to: { i: 1, ints: [], floats: [] } }),
    to.scalar(quantization.scale),
  ]);
  to.shapes.set(name, stored.shape);
  to.add("Add", [scaled, to.scalar(quantization.offset)], {}, name);
}

/** What the graph's outputs are: those of the signature, else the nodes that nothing reads. */
function outputsOf(nodes: readonly GraphNode[], signature: unknown): string[] {
  const given = isObject(signature) && isObject(signature["outputs"]) ? Object.values(signature["outputs"]) : [];
  const named = given.flatMap((each) =>
    isObject(each) && typeof each["name"] === "string" ? [valueName(each["name"])] : [],
  );
  if (named.length > 0) return named;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return nodes.filter(({ name, op }) => !read.has(name) && op !== "NoOp" && op !== "Const").map(({ name }) => name);
}

/**
 * A graph model of TensorFlow.js as a network: its operators in terms of ONNX's, and then as an ONNX file.
 * @param tensors those of the file's manifest
 * @throws UnsupportedError that lists every node which cannot be translated; FormatError for damage
 */
export async function importGraphModel(
  model: { readonly topology: { readonly node: readonly unknown[] }; readonly signature: unknown },
  tensors: readonly StoredTensor[],
  options: OnnxImportOptions & { readonly name: string },
): Promise<ImportedNetwork> {
  const what = `weights "${options.name}"`;
  const { topology, signature } = model;
  if (topology.node.length > maximumNodes) throw new FormatError(`${what}: more than ${maximumNodes} nodes.`);
  const nodes = topology.node.map((node) => graphNode(node, what));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const outputs = outputsOf(nodes, signature);
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const to = newTranslation(what);
  const inputs: OnnxValue[] = [];
  const refusals: Refusal[] = [];
  const writer = (value: string): GraphNode & { readonly attributes: Json } => {
    const node = byName.get(value) ?? byName.get(value.replace(/:\d+$/, ""));
    if (node === undefined) throw new FormatError(`${what}: the graph reads "${value}", which nothing writes.`);
    return node;
  };
  const order = dependencyOrder(
    outputs.map(writer),
    (node) => node.inputs.map(writer),
    ([first]) => new FormatError(`${what}: node "${first?.name}" depends on itself.`),
  );
  for (const node of order) {
    to.begin(node.name);
    if (node.op === "Placeholder") inputs.push(addInput(to, node));
    else if (node.op === "Const") {
      const tensor = stored.get(node.name);
      if (tensor === undefined) throw new FormatError(`${what}: tensor "${node.name}" is missing.`);
      addConstant(to, node.name, tensor);
    } else {
      const translate = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
      try {
        if (translate === undefined) throw new UnsupportedError("no such layer.");
        refuseBatched(to, node);
        await translate(to, node);
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        refusals.push({ name: node.name, kind: node.op, why: error.message });
      }
    }
  }
  refuseUnsupported(what, "node", refusals, order.length);
  const graph = {
    nodes: to.nodes,
    initializers: to.constants,
    inputs,
    outputs: outputs.map((name) => ({ name, elementType: 1, shape: undefined })),
  };
  return importOnnxModel({ ...graph, opset: 20, functions: [], metadata: {} }, options, "tfjs");
}
