import { didYouMean, ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, isHoldable } from "../basics/tensor.ts";
import { type CompiledGraph, describe, type Layer, type NodeFate, type Value } from "../graph/compiled-graph.ts";
import type { NetworkDefinition, NodeDefinition } from "../graph/definition.ts";
import { dependencyOrder } from "../graph/order.ts";
import { layerKind, outputShape } from "../layers/index.ts";
import { valueBounds } from "./value-bounds.ts";

/** Nodes in an order in which every node follows its inputs. */
function sortNodes(definition: NetworkDefinition): NodeDefinition[] {
  const byName = new Map<string, NodeDefinition>();
  for (const node of definition.nodes) {
    if (node.name === "input" || byName.has(node.name)) {
      throw new ShapeError(`${describe(node)}: the name is already taken. Give every node a name of its own.`);
    }
    byName.set(node.name, node);
  }
  const names = [...byName.keys(), "input"];
  for (const node of definition.nodes) {
    for (const input of node.inputs) {
      if (input !== "input" && !byName.has(input)) {
        throw new ShapeError(
          `${describe(node)}: reads "${input}", which no node is called.${didYouMean(input, names)}`,
        );
      }
    }
  }
  return dependencyOrder(
    definition.nodes,
    (node) => node.inputs.map((input) => byName.get(input)).filter((source) => source !== undefined),
    (path) => {
      const cycle = [...path, ...path.slice(0, 1)].map(({ name }) => name).join(" -> ");
      return new ShapeError(`network "${definition.name}": ${cycle} is a cycle. Only feed-forward graphs can be run.`);
    },
  );
}

/** Names of the nodes on which the output depends. */
function reachable(definition: NetworkDefinition): Set<string> {
  const byName = new Map(definition.nodes.map((node) => [node.name, node]));
  if (!byName.has(definition.output)) {
    throw new ShapeError(
      `network "${definition.name}": the output "${definition.output}" is not a node.${didYouMean(definition.output, byName.keys())}`,
    );
  }
  const seen = new Set<string>();
  const open = [definition.output];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = byName.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    open.push(...node.inputs);
  }
  return seen;
}

/**
 * Checks a definition, infers every shape, and resolves what is not a layer of its own at run time: dropout and identity
 * disappear, batch norm is folded into the layer before it, ReLU and clip are applied by the layer before them.
 * Nodes on which the output does not depend are left out.
 * @throws ShapeError naming the node: duplicate or unknown names, cycles, wrong number of inputs, shapes that do not fit.
 */
export function compileGraph(definition: NetworkDefinition): CompiledGraph {
  const { inputShape } = definition;
  if (
    inputShape.length !== 3 ||
    !inputShape.every((n) => Number.isSafeInteger(n) && n > 0) ||
    !isHoldable(inputShape)
  ) {
    throw new ShapeError(
      `network "${definition.name}": inputShape must be [C,H,W] with positive sizes, got ${formatShape(inputShape)}.`,
    );
  }
  const sorted = sortNodes(definition);
  const wanted = reachable(definition);
  const values: Value[] = [{ id: 0, name: "input", shape: inputShape, consumers: [] }];
  const layers: Layer[] = [];
  const fates = new Map<string, NodeFate>([["input", { value: 0, kind: "own", by: "input" }]]);
  const readers = new Map<string, number>();
  for (const node of sorted) {
    if (wanted.has(node.name)) for (const input of node.inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  const valueNamed = (name: string): Value => {
    const value = values[fates.get(name)?.value ?? -1];
    if (value === undefined) throw new ShapeError(`network "${definition.name}": "${name}" has no value.`);
    return value;
  };
  const producers: (Layer | undefined)[] = [undefined];

  for (const node of sorted) {
    if (!wanted.has(node.name)) continue;
    const inputs = node.inputs.map(valueNamed);
    const shape = outputShape(
      node,
      inputs.map((value) => value.shape),
    );
    if (!isHoldable(shape)) {
      throw new ShapeError(
        `${node.op} "${node.name}": its output ${formatShape(shape)} is larger than any that is held (2^28 elements, 2^22 of an axis). Correct the network definition.`,
      );
    }
    const first = inputs[0];
    const source = first === undefined ? undefined : producers[first.id];
    const soleReader = first !== undefined && readers.get(node.inputs[0] ?? "") === 1;
    const kind = layerKind(node);
    if (kind === undefined) {
      // Readers of the alias count as readers of its source.
      const before = node.inputs[0] ?? "";
      readers.set(before, (readers.get(before) ?? 1) - 1 + (readers.get(node.name) ?? 0));
      readers.set(node.name, readers.get(before) ?? 0);
      fates.set(node.name, { value: first?.id ?? 0, kind: "alias", by: node.inputs[0] ?? "input" });
      continue;
    }
    const absorbed = kind.absorbedAs(node as never); // the kind of this node
    const absorbs = source && absorbed && layerKind(source.node)?.absorbs.includes(absorbed.what);
    if (source !== undefined && absorbs && soleReader && source.activation === undefined) {
      if (absorbed.what === "batchNorm" && source.batchNorm === undefined) {
        source.batchNorm = absorbed.node;
        fates.set(node.name, { value: source.output, kind: "own", by: source.name });
        fates.set(source.name, { value: undefined, kind: "folded", by: node.name });
        continue;
      }
      if (absorbed.what === "clamp") {
        source.activation = { name: node.name, low: absorbed.low, high: absorbed.high };
        fates.set(node.name, { value: source.output, kind: "own", by: source.name });
        fates.set(source.name, { value: undefined, kind: "fused", by: node.name });
        if (source.batchNorm) fates.set(source.batchNorm.name, { value: undefined, kind: "fused", by: node.name });
        continue;
      }
    }
    const value: Value = { id: values.length, name: node.name, shape, consumers: [] };
    values.push(value);
    const layer: Layer = {
      index: layers.length,
      name: node.name,
      node,
      weights: kind.weights,
      inputs: inputs.map((input) => input.id),
      output: value.id,
      activation: undefined,
      batchNorm: undefined,
    };
    for (const input of inputs) input.consumers.push(layer.index);
    layers.push(layer);
    producers[value.id] = layer;
    fates.set(node.name, { value: value.id, kind: "own", by: node.name });
  }

  const output = valueNamed(definition.output);
  const last = producers[output.id];
  const probabilities = last && layerKind(last.node)?.endsInProbabilities(last.node as never);
  const logits = last && probabilities ? mustHave(last.inputs[0], "input") : output.id;
  const bounds = valueBounds({ definition, values, layers });
  return { definition, values, layers, bounds, logits, probabilities: probabilities ?? "softmax", fates };
}
