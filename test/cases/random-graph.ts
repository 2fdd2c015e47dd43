import type { NetworkDefinition, NodeDefinition, Pair } from "../../engine/graph/definition.ts";
import { outputShape } from "../oracle/graph.ts";
import { count } from "../oracle/tensor64.ts";
import { type BareNode, plainPreprocessing } from "./networks.ts";
import { fillValues } from "./values.ts";

/** Every activation with every kind of parameter: what keeps 0 and what moves it, above and below 0. */
const activations: readonly BareNode[] = [
  { op: "relu" },
  { op: "leakyRelu", slope: 0.125 },
  { op: "leakyRelu", slope: 1.5 },
  { op: "leakyRelu", slope: -0.5 },
  { op: "clip", low: 0, high: 6 },
  { op: "clip", low: -1, high: 1 },
  { op: "clip", low: 0.25, high: 6 },
  { op: "clip", low: -2, high: -0.25 },
  { op: "clip", low: -6, high: 0 },
  { op: "clip", low: 0.5, high: 0.25 }, // high wins
];

/**
 * A random network: a dozen layers of all kinds with branches that meet in concat and add, then a dense head.
 * @param seed the same seed gives the same network
 * @param withBias false leaves out biases (and batch norm, which is one)
 */
export function randomGraph(seed: number, withBias = true): NetworkDefinition {
  const draws = fillValues(4096, "uniform", seed + 31_000);
  let drawn = 0;
  const integer = (low: number, high: number): number =>
    low + Math.floor(((draws[drawn++ % draws.length]! + 1) / 2) * (high - low + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[integer(0, items.length - 1)]!;

  const inputShape = [integer(1, 3), integer(7, 12), integer(7, 12)];
  const nodes: NodeDefinition[] = [];
  const shapes = new Map<string, readonly number[]>([["input", inputShape]]);
  const add = (inputs: readonly string[], bare: BareNode): string => {
    const node = { name: `n${nodes.length}_${bare.op}`, inputs, ...bare } as NodeDefinition; // spreading loses which kind
    shapes.set(
      node.name,
      outputShape(
        node,
        inputs.map((name) => shapes.get(name)!),
      ),
    );
    nodes.push(node);
    return node.name;
  };
  const named = (role: string): string => `p${nodes.length}.${role}`;
  const bias = (): { bias?: string } => (withBias && integer(0, 3) > 0 ? { bias: named("bias") } : {});
  const sizeOf = (name: string): string => shapes.get(name)!.slice(1).join("x");

  const convolution = (from: string): string => {
    const [channels = 1, height = 1, width = 1] = shapes.get(from)!;
    const groups = [1, 1, 1, 2, 3, channels].filter((g) => channels % g === 0);
    const group = pick(groups);
    const side = (size: number): number => Math.min(size, pick([1, 2, 3, 3, 3, 5]));
    const kernelShape: Pair = [side(height), side(width)];
    const wide = height > 6 && width > 6;
    return add([from], {
      op: "conv2d",
      outChannels: group * integer(1, Math.max(1, Math.floor(10 / group))),
      kernelShape,
      strides: wide ? [integer(1, 2), integer(1, 2)] : [1, 1],
      pads: [integer(0, 1), integer(0, 2), integer(0, 1), integer(0, 1)],
      dilations: wide && kernelShape.every((k) => k <= 3) ? [integer(1, 2), 1] : [1, 1],
      group,
      weight: named("weight"),
      ...bias(),
    });
  };
  const pool = (from: string): string => {
    const [, height = 1, width = 1] = shapes.get(from)!;
    const kernelShape: Pair = [Math.min(height, integer(2, 3)), Math.min(width, integer(2, 3))];
    const strides: Pair = height > 5 && width > 5 ? [2, integer(1, 2)] : [1, 1];
    // A pad as large as the kernel would make windows that see no input.
    const pads = [kernelShape[0] > 1 ? integer(0, 1) : 0, 0, 0, kernelShape[1] > 1 ? integer(0, 1) : 0] as const;
    const window = {
      kernelShape,
      strides,
      pads,
      ceilMode: integer(0, 1) === 1,
    };
    return integer(0, 1) === 0
      ? add([from], { op: "maxPool2d", ...window })
      : add([from], { op: "averagePool2d", ...window, countIncludePad: integer(0, 1) === 1 });
  };
  const batchNorm = (from: string): string =>
    add([from], {
      op: "batchNorm",
      epsilon: 1e-3,
      scale: named("scale"),
      bias: named("bias"),
      mean: named("mean"),
      variance: named("variance"),
    });
  // A ReLU more often than not, since that is what most rules are for.
  const activation = (from: string): string => add([from], integer(0, 2) > 0 ? { op: "relu" } : pick(activations));

  const ends = ["input"];
  for (let step = 0; step < 12; step++) {
    const from = pick(ends.slice(-3));
    const kind = integer(0, 14);
    if (kind < 5)
      ends.push(activation(withBias && integer(0, 2) === 0 ? batchNorm(convolution(from)) : convolution(from)));
    else if (kind < 7) ends.push(pool(from));
    else if (kind === 7) {
      const region = integer(0, 1) === 0 ? ("acrossChannels" as const) : ("withinChannel" as const);
      ends.push(add([from], { op: "lrn", size: 3, alpha: 0.5, beta: 0.75, bias: 1, region }));
    } else if (kind > 11) {
      // Behind any layer, also behind another activation.
      ends.push(add([from], pick(activations)));
    } else if (kind === 8) ends.push(add([from], { op: pick(["dropout", "identity"] as const) }));
    else {
      // A branch: what has the same image size is joined, what has the same shape may be added.
      const other = pick(ends);
      const same = ends.filter((name) => sizeOf(name) === sizeOf(from));
      const equal = same.filter((name) => String(shapes.get(name)) === String(shapes.get(from)));
      if (kind === 9 && equal.length > 1) ends.push(add([from, pick(equal)], { op: "add" }));
      else if (same.length > 1) ends.push(add([from, pick(same)], { op: "concat" }));
      else ends.push(activation(convolution(other)));
    }
  }
  let last = ends.at(-1)!;
  if (integer(0, 1) === 0) last = add([last], { op: pick(["globalAveragePool2d", "globalMaxPool2d"] as const) });
  const flat = add([last], { op: "flatten" });
  const head = add([flat], { op: "dense", outFeatures: integer(2, 6), weight: named("weight"), ...bias() });
  if (count(shapes.get(head)!) < 2) throw new RangeError("a random graph needs at least two classes");
  return { name: `random ${seed}`, inputShape, nodes, output: head, preprocessing: plainPreprocessing };
}
