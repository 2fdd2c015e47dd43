import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { outputShape } from "../oracle/graph.ts";
import { type BareNode, plainPreprocessing } from "./networks.ts";

/** Layers of one input that keep the size of images. */
const plainLayers = (channels: number, name: string): readonly BareNode[] => [
  { op: "relu" },
  { op: "relu" },
  { op: "dropout" },
  { op: "leakyRelu", slope: -0.25 },
  { op: "clip", low: 0.125, high: 1 },
  { op: "activation", function: "tanh" },
  { op: "maxPool2d", kernelShape: [3, 3], pads: [1, 1, 1, 1] },
  { op: "normalise", channels, overPixels: false, centre: true, epsilon: 0.125 },
  { op: "lrn", size: 3, alpha: 0.125, beta: 0.75, bias: 1 },
  {
    op: "batchNorm",
    epsilon: 1e-3,
    scale: `${name}.scale`,
    bias: `${name}.bias`,
    mean: `${name}.mean`,
    variance: `${name}.variance`,
  },
];

/** Seeded source of whole numbers in [low, high]. */
interface Draws {
  integer(low: number, high: number): number;
}

/**
 * A graph as nobody draws it: values read many times and by one layer twice, weights that several convolutions share, gates on either side, sums of which one
 * input is the signal, constants for channels.
 */
export function oddGraph(random: Draws): NetworkDefinition {
  const nodes: NodeDefinition[] = [];
  const shapes = new Map<string, readonly number[]>([["input", [3, 5, 6]]]);
  const pick = <Item>(items: readonly Item[]): Item => items[random.integer(0, items.length - 1)]!;
  const isHeads = (): boolean => random.integer(0, 1) === 1;
  const add = (bare: BareNode, ...inputs: string[]): string => {
    const node = { name: `n${nodes.length}`, inputs, ...bare } as NodeDefinition; // spreading loses which kind
    const read = inputs.map((input) => shapes.get(input)!);
    shapes.set(node.name, outputShape(node, read));
    nodes.push(node);
    return node.name;
  };
  const alike = (from: string): string =>
    pick([...shapes.keys()].filter((name) => String(shapes.get(name)) === String(shapes.get(from))));

  for (let step = 0; step < 12; step++) {
    const from = pick([...shapes.keys()].slice(-4));
    const [channels = 1] = shapes.get(from)!;
    const outChannels = pick([channels, 2, 4]);
    const conv = { op: "conv2d", outChannels, kernelShape: [3, 3], pads: [1, 1, 1, 1] } as const;
    const choices: readonly (() => string)[] = [
      () => add({ ...conv, weight: `shared ${channels} ${outChannels}`, bias: `b${step}` }, from),
      () => add({ ...conv, weight: `w${step}` }, from),
      () => add(pick(plainLayers(channels, `p${step}`)), from),
      () => add(pick(plainLayers(channels, `p${step}`)), from),
      () => add(isHeads() ? { op: "add" } : { op: "add", signal: 1 }, from, alike(from), alike(from)),
      () => add(isHeads() ? { op: "multiply" } : { op: "multiply", gate: 0 }, from, alike(from)),
      () => add({ op: "extremum", of: isHeads() ? "maximum" : "minimum" }, from, alike(from)),
      () => (channels > 4 ? from : add({ op: "concat" }, from, alike(from), from)),
      () => add({ op: "take", channels: [0, -1, channels - 1, 0], fill: 0.5 }, from),
      () => {
        const gate = add({ op: "activation", function: "sigmoid" }, add({ op: "globalAveragePool2d" }, from));
        return isHeads() ? add({ op: "multiply" }, gate, from) : add({ op: "multiply" }, from, gate);
      },
    ];
    pick(choices)();
  }
  const flat = add({ op: "flatten" }, `n${nodes.length - 1}`);
  const output = add({ op: "dense", outFeatures: 3, weight: "scores.weight", bias: "scores.bias" }, flat);
  return {
    name: "odd",
    inputShape: [3, 5, 6],
    nodes: needed(nodes, output),
    output,
    preprocessing: plainPreprocessing,
  };
}

/** The nodes that the output depends on. */
function needed(nodes: readonly NodeDefinition[], output: string): NodeDefinition[] {
  const names = new Set([output]);
  for (const { name, inputs } of [...nodes].reverse())
    if (names.has(name)) for (const input of inputs) names.add(input);
  return nodes.filter(({ name }) => names.has(name));
}
