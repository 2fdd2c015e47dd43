import { didYouMean, ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, isHoldable, type Shape } from "../basics/tensor.ts";
import { type CompiledGraph, describe, type Layer, type NodeFate, type Value } from "../graph/compiled-graph.ts";
import type { NetworkDefinition, NodeDefinition } from "../graph/definition.ts";
import { checkDefinitionNames } from "../graph/definition-names.ts";
import { dependencyOrder } from "../graph/order.ts";
import { layerKind, outputShape } from "../layers/index.ts";
import type { Absorbed } from "../layers/layer-kind.ts";
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

/** A graph to which nodes are added in execution order. */
interface Draft {
  readonly definition: NetworkDefinition;
  readonly values: Value[];
  readonly layers: Layer[];
  /** The layer that writes a value, by its id; none writes the input. */
  readonly producers: (Layer | undefined)[];
  readonly fates: Map<string, NodeFate>;
  /** How many nodes read a node's output, by its name. */
  readonly readers: Map<string, number>;
}

function requireInputShape({ name, inputShape }: NetworkDefinition): void {
  const isShape = inputShape.length === 3 && inputShape.every((n) => Number.isSafeInteger(n) && n > 0);
  if (!isShape || !isHoldable(inputShape)) {
    throw new ShapeError(
      `network "${name}": inputShape must be [C,H,W] with positive sizes, at most 2^28 values, 2^22 of an axis, got ${formatShape(inputShape)}.`,
    );
  }
}

/** A graph of the input alone. @param nodes those that will be added */
function emptyDraft(definition: NetworkDefinition, nodes: readonly NodeDefinition[]): Draft {
  const readers = new Map<string, number>();
  for (const input of nodes.flatMap(({ inputs }) => inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  return {
    definition,
    values: [{ id: 0, name: "input", shape: definition.inputShape, consumers: [] }],
    layers: [],
    producers: [undefined],
    fates: new Map([["input", { value: 0, kind: "own", by: "input" }]]),
    readers,
  };
}

function valueNamed({ definition, values, fates }: Draft, name: string): Value {
  const id = fates.get(name)?.value;
  const value = id === undefined ? undefined : values[id];
  if (value === undefined) throw new ShapeError(`network "${definition.name}": "${name}" has no value.`);
  return value;
}

function addNode(draft: Draft, node: NodeDefinition): void {
  const inputs = node.inputs.map((name) => valueNamed(draft, name));
  const shapes = inputs.map(({ shape }) => shape);
  const shape = outputShape(node, shapes);
  if (!isHoldable(shape)) {
    throw new ShapeError(
      `${node.op} "${node.name}": its output ${formatShape(shape)} is larger than any that is held (2^28 elements, 2^22 of an axis). Correct the network definition.`,
    );
  }
  const kind = layerKind(node);
  if (kind === undefined) {
    addAlias(draft, node);
    return;
  }
  const absorbed = kind.absorbedAs(node as never); // the kind of this node
  const isAbsorbed = absorbed !== undefined && absorb(draft, node, absorbed);
  if (!isAbsorbed) addLayer(draft, node, kind.weights, inputs, shape);
}

/** A node that changes nothing: its readers count as readers of its source. */
function addAlias({ fates, readers }: Draft, { name, inputs }: NodeDefinition): void {
  const source = mustHave(inputs[0], "input");
  const count = mustHave(readers.get(source), "readers") - 1 + (readers.get(name) ?? 0);
  readers.set(source, count);
  readers.set(name, count);
  fates.set(name, { value: mustHave(fates.get(source), "source").value, kind: "alias", by: source });
}

/** Lets the layer before a node, if nobody else reads it, do the node's work too. @returns whether it does */
function absorb(draft: Draft, { name, inputs }: NodeDefinition, absorbed: Absorbed): boolean {
  const input = mustHave(inputs[0], "input");
  const source = draft.producers[valueNamed(draft, input).id];
  if (source === undefined || draft.readers.get(input) !== 1 || source.activation !== undefined) return false;
  if (!layerKind(source.node)?.absorbs.includes(absorbed.what)) return false;
  const kind = absorbed.what === "batchNorm" ? "folded" : "fused";
  if (absorbed.what === "batchNorm") {
    if (source.batchNorm !== undefined) return false;
    source.batchNorm = absorbed.node;
  } else {
    source.activation = { name, low: absorbed.low, high: absorbed.high };
    if (source.batchNorm) draft.fates.set(source.batchNorm.name, { value: undefined, kind, by: name });
  }
  draft.fates.set(name, { value: source.output, kind: "own", by: source.name });
  draft.fates.set(source.name, { value: undefined, kind, by: name });
  return true;
}

function addLayer(
  draft: Draft,
  node: NodeDefinition,
  weights: Layer["weights"],
  inputs: readonly Value[],
  shape: Shape,
): void {
  const { values, layers, producers, fates } = draft;
  const value: Value = { id: values.length, name: node.name, shape, consumers: [] };
  values.push(value);
  const layer: Layer = {
    index: layers.length,
    name: node.name,
    node,
    weights,
    inputs: inputs.map(({ id }) => id),
    output: value.id,
    activation: undefined,
    batchNorm: undefined,
  };
  for (const { consumers } of inputs) consumers.push(layer.index);
  layers.push(layer);
  producers[value.id] = layer;
  fates.set(node.name, { value: value.id, kind: "own", by: node.name });
}

/**
 * Checks a definition, infers every shape, and resolves what is not a layer of its own at run time: dropout and identity
 * disappear, batch norm is folded into the layer before it, ReLU and clip are applied by the layer before them.
 * Nodes on which the output does not depend are left out.
 * @throws ShapeError naming the node: duplicate or unknown names, cycles, wrong number of inputs, shapes that do not fit.
 */
export function compileGraph(definition: NetworkDefinition): CompiledGraph {
  checkDefinitionNames(definition);
  requireInputShape(definition);
  const sorted = sortNodes(definition);
  const wanted = reachable(definition);
  const nodes = sorted.filter(({ name }) => wanted.has(name));
  const draft = emptyDraft(definition, nodes);
  for (const node of nodes) addNode(draft, node);
  const { values, layers, producers, fates } = draft;
  const output = valueNamed(draft, definition.output);
  const last = producers[output.id];
  const probabilities = last && layerKind(last.node)?.endsInProbabilities(last.node as never);
  const logits = last && probabilities ? mustHave(last.inputs[0], "input") : output.id;
  const bounds = valueBounds({ definition, values, layers });
  return { definition, values, layers, bounds, logits, probabilities: probabilities ?? "softmax", fates };
}
