import { compositeByName } from "../engine/composites.ts";
import { instantiateKernels } from "../engine/kernels.ts";
import { Network } from "../engine/network.ts";
import { epsilon, zPlus } from "../engine/rules.ts";
import { elementCount, tensor } from "../engine/tensor.ts";
import { fillValues } from "../test/cases/values.ts";
import { type Effort, measure } from "./measure.ts";
import type { Result } from "./result.ts";
import { readShapes, type ShapeLayer } from "./shapes.ts";

/** One layer as a network, in its own kernel memory, with seeded parameters. */
function build(module: WebAssembly.Module, { definition }: ShapeLayer, algorithm: "auto" | "direct"): Network {
  const network = new Network(instantiateKernels(module), definition, { algorithm });
  network.parameters.forEach(({ name, shape }, seed) => {
    const values = fillValues(elementCount(shape), "uniform", seed);
    network.setRows(name, 0, values);
  });
  return network;
}

/** Largest difference, relative to the largest value. */
function offBy(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}

/** Forward and relevance passes of every layer of a shape file, checked against the direct algorithm. */
export function benchLayers(module: WebAssembly.Module, file: string, effort: Effort): Result[] {
  const results: Result[] = [];
  for (const layer of readShapes(file)) {
    const network = build(module, layer, "auto");
    const { inputShape } = layer.definition;
    const input = tensor(inputShape, fillValues(elementCount(inputShape), "rectified", 7));
    const output = network.forward(input).data;
    const direct = build(module, layer, "direct");
    const off = offBy(output, direct.forward(input).data);
    // Each algorithm is proven in test/kernels-as; here a wrong shape or plan would show.
    if (!(off < 1e-5))
      throw new Error(`${file} ${layer.name}: auto and direct differ by ${off} of the largest output.`);
    const common = {
      group: `layers of ${file}`,
      by: "srmap",
      threads: 1,
      check: `direct mode ${off.toExponential(1)}`,
    };
    const built = network.layers[0];
    if (built === undefined) continue;
    results.push({
      ...common,
      name: `${layer.name} forward`,
      flop: layer.flop,
      timing: measure(effort, () => built.runtime.forward()),
    });
    if (layer.flop === 0) continue;
    for (const [name, rule, passes] of [
      ["lrp0", epsilon(0), 1],
      ["zPlus", zPlus(), 2],
    ] as const) {
      const composite = { ...compositeByName("li2019"), name, assignments: [{ match: {}, rule }] };
      const plan = network.relevancePlan(composite);
      results.push({
        ...common,
        name: `${layer.name} ${name}`,
        flop: passes * layer.flop,
        timing: measure(effort, () => void plan.run(output)),
      });
    }
  }
  return results;
}
