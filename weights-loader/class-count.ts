import { sameShape } from "../engine/basics/tensor.ts";
import type { Conv2dNode, DenseNode, NetworkDefinition, NodeDefinition } from "../engine/graph/definition.ts";
import type { WeightFile } from "./tensors/weight-file.ts";

type Classifier = NodeDefinition & (DenseNode | Conv2dNode);

/** The layer whose rows are the classes: the last with weights on the way to the output. */
function classifierOf({ nodes, output }: NetworkDefinition): Classifier | undefined {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const seen = new Set<string>();
  for (let name = output; !seen.has(name); ) {
    seen.add(name);
    const node = byName.get(name);
    if (node === undefined) return undefined;
    if (node.op === "dense" || node.op === "conv2d") return node;
    name = node.inputs[0] ?? "";
  }
  return undefined;
}

/** How many classes a network tells apart, where its last layer says it. */
export function classCountOf(definition: NetworkDefinition): number | undefined {
  const classifier = classifierOf(definition);
  return classifier?.op === "dense" ? classifier.outFeatures : classifier?.outChannels;
}

/** The tensors whose rows are the classes. */
export function classifierTensors(definition: NetworkDefinition): readonly string[] {
  const classifier = classifierOf(definition);
  return [classifier?.weight, classifier?.bias].filter((name) => name !== undefined);
}

/**
 * A known network with as many classes as a file's last layer has: fine-tuned networks differ there alone. Its class names go, since
 * they are of other classes. The definition itself where nothing differs, or something else does.
 */
export function withClassCount(definition: NetworkDefinition, file: Pick<WeightFile, "tensors">): NetworkDefinition {
  const classifier = classifierOf(definition);
  const own = classCountOf(definition);
  const shape = classifier && file.tensors.get(classifier.weight)?.shape;
  const [count] = shape ?? [];
  if (classifier === undefined || shape === undefined || count === undefined || count === own || count < 1) {
    return definition;
  }
  const bias = classifier.bias === undefined ? undefined : file.tensors.get(classifier.bias)?.shape;
  if (classifier.bias !== undefined && !sameShape(bias ?? [], [count])) return definition;
  const resized: NodeDefinition =
    classifier.op === "dense" ? { ...classifier, outFeatures: count } : { ...classifier, outChannels: count };
  const { labels: _, ...rest } = definition;
  return { ...rest, nodes: definition.nodes.map((node) => (node === classifier ? resized : node)) };
}
