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

/** sqrt(sum (actual - expected)^2 / sum expected^2). */
function relativeL2(actual: Float32Array, expected: Float32Array): number {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(error / norm);
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
    const off = relativeL2(output, direct.forward(input).data);
    // Each algorithm is proven in test/kernels-as; here a wrong shape or plan would show.
    if (!(off < 1e-5)) throw new Error(`${file} ${layer.name}: auto and direct differ by ${off} (relative L2).`);
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
    // Alone, a layer gets relevance everywhere, so both passes are direct: Z, which is not stored, and the gradient.
    for (const [name, rule, passes] of [
      ["lrp0, exact", epsilon(0), 2],
      ["zPlus, exact", zPlus(), 2],
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
