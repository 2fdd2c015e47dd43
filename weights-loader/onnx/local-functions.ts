import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from "./model.ts";

// Operators that a file defines itself (model-local functions): every call is replaced by the nodes that it stands for.

/** Nodes after that and calls on the way at most; the largest networks have some thousands. Functions that call others twice double with each. */
const maximumNodes = 50_000;

/** Calls inside calls at most; a function may not call itself (ONNX, FunctionProto). */
const maximumDepth = 32;

const keyOf = (domain: string, name: string): string => `${domain === "ai.onnx" ? "" : domain}:${name}`;

/** A node under other names of values, with other attributes. */
function renamed(
  node: OnnxNode,
  value: (name: string) => string,
  attribute: (each: OnnxAttribute) => OnnxAttribute | undefined,
): OnnxNode {
  const attributes = new Map<string, OnnxAttribute>();
  for (const [name, each] of node.attributes) {
    const own = attribute(each);
    if (own !== undefined) attributes.set(name, own);
  }
  return { ...node, inputs: node.inputs.map(value), outputs: node.outputs.map(value), attributes };
}

/** The nodes that a call stands for. @param call the number of this call, which keeps its values apart from those of others */
function bodyOf(node: OnnxNode, { inputs, outputs, defaults, nodes }: OnnxFunction, call: number): OnnxNode[] {
  const names = new Map<string, string>();
  for (const [i, name] of outputs.entries()) names.set(name, node.outputs[i] || `${node.name}/${call}/${name}`);
  // What a call leaves out is "" inside, too.
  for (const name of inputs) names.set(name, "");
  for (const [i, own] of node.inputs.entries()) {
    const name = inputs[i];
    if (name !== undefined) names.set(name, own);
  }
  const value = (name: string): string => (name === "" ? "" : (names.get(name) ?? `${node.name}/${call}/${name}`));
  const attribute = (each: OnnxAttribute): OnnxAttribute | undefined => {
    const own = each.from === undefined ? each : (node.attributes.get(each.from) ?? defaults.get(each.from));
    return own?.g === undefined || each.from !== undefined ? own : { ...own, g: graph(own.g) };
  };
  const graph = (each: OnnxGraph): OnnxGraph => ({
    nodes: each.nodes.map((inner) => renamed(inner, value, attribute)),
    initializers: new Map(
      Array.from(each.initializers, ([name, tensor]) => [value(name), { ...tensor, name: value(name) }]),
    ),
    inputs: each.inputs.map((input) => ({ ...input, name: value(input.name) })),
    outputs: each.outputs.map((output) => ({ ...output, name: value(output.name) })),
  });
  const body = nodes.map((inner) => ({ ...renamed(inner, value, attribute), name: `${node.name}/${inner.name}` }));
  // An input that is given back as it is.
  for (const [i, output] of node.outputs.entries()) {
    const name = outputs[i];
    if (name === undefined || output === "" || !inputs.includes(name)) continue;
    body.push({
      name: `${node.name}/${name}`,
      op: "Identity",
      domain: "",
      inputs: [value(name)],
      outputs: [output],
      attributes: new Map(),
    });
  }
  return body;
}

/**
 * A model whose graph calls none of its own functions.
 * @throws FormatError for functions that call themselves or stand for too many nodes; UnsupportedError for functions of another operator set
 * @param what the file, for messages
 */
export function withoutFunctions(model: OnnxModel, what: string): OnnxModel {
  const functions = new Map(model.functions.map((each) => [keyOf(each.domain, each.name), each]));
  if (functions.size === 0) return model;
  let count = 0;
  const expanded = (nodes: readonly OnnxNode[], depth: number): OnnxNode[] =>
    nodes.flatMap((node): OnnxNode[] => {
      const own = functions.get(keyOf(node.domain, node.op));
      if (++count > maximumNodes)
        throw new FormatError(`${what}: its functions stand for more than ${maximumNodes} nodes.`);
      if (own === undefined) {
        return [
          renamed(
            node,
            (name) => name,
            (each) =>
              each.g === undefined ? each : { ...each, g: { ...each.g, nodes: expanded(each.g.nodes, depth) } },
          ),
        ];
      }
      if (depth >= maximumDepth)
        throw new FormatError(`${what}: function "${own.name}" calls others, more than ${maximumDepth} deep.`);
      if (own.opset !== 0 && own.opset !== model.opset) {
        throw new UnsupportedError(
          `${what}: function "${own.name}" is of opset ${own.opset}, the graph of ${model.opset}; both must be of one.`,
        );
      }
      return expanded(bodyOf(node, own, count), depth + 1);
    });
  return { ...model, nodes: expanded(model.nodes, 0), functions: [] };
}
