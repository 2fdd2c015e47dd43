import { elementCount } from "../../engine/basics/tensor.ts";
import type { OnnxGraph, OnnxNode } from "./model.ts";
import { type Convert, setOutputs, unsupported, valueAt } from "./node.ts";
import { numbersOf } from "./numbers.ts";
import type { OnnxImport } from "./state.ts";

// If nodes whose condition is known: one branch stands in their place.

/** What a graph reads of the graph around it. */
function captured(graph: OnnxGraph): string[] {
  const own = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const { outputs } of graph.nodes) for (const name of outputs) own.add(name);
  const reads = [...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)];
  return reads.filter((name) => name !== "" && !own.has(name));
}

/** Everything that a node reads, in its branches too. */
export function readsOf({ inputs, attributes }: OnnxNode): string[] {
  const branches = [...attributes.values()].flatMap(({ g }) => (g === undefined ? [] : captured(g)));
  return branches.length === 0 ? [...inputs] : [...inputs, ...branches];
}

/** An If node; `convert` turns a node of the branch into what it is. */
export function branch(convert: (state: OnnxImport, node: OnnxNode) => Promise<void>): Convert {
  return async (state, node) => {
    const condition = valueAt(state, node, 0);
    if (condition === undefined || condition.kind === "data")
      throw unsupported("its condition depends on the photo: which layers there are must be known beforehand.");
    const numbers = numbersOf(condition);
    if (elementCount(numbers.shape) !== 1) throw unsupported("its condition must be one value.");
    const name = ((await numbers.load())[0] ?? 0) !== 0 ? "then_branch" : "else_branch";
    const graph = node.attributes.get(name)?.g;
    if (graph === undefined) throw unsupported(`it has no ${name}.`);
    for (const [key, tensor] of graph.initializers) state.values.set(key, { kind: "constant", tensor });
    for (const inner of graph.nodes) {
      try {
        await convert(state, inner);
      } catch (error) {
        if (error instanceof Error && error.name === "UnsupportedError")
          throw unsupported(`"${inner.name}" (${inner.op}) in its ${name}: ${error.message}`);
        throw error;
      }
    }
    const values = graph.outputs.map((output) => {
      const value = state.values.get(output.name);
      if (value === undefined) throw unsupported(`nothing writes "${output.name}" in its ${name}.`);
      return value;
    });
    setOutputs(state, node, values);
  };
}
