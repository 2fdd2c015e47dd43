import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels } from "../../engine/memory/kernels.ts";
import { Network } from "../../engine/network/network.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { epsilon, gradient, type LinearRule, zPlus } from "../../engine/rules/rules.ts";
import { fillValues } from "../../test/cases/values.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { oneOfEachKind, readShapes, type ShapeLayer } from "../nets/shapes.ts";
import { arithmetic, chosenTile } from "./convolution.ts";

/** One layer as a network, in its own kernel memory, with seeded parameters. */
function build(module: WebAssembly.Module, { definition }: ShapeLayer, algorithm: "auto" | "direct"): Network {
  const network = new Network(instantiateKernels(module), definition, { algorithm });
  network.parameters.forEach(({ name, shape }, seed) => {
    const values = fillValues(elementCount(shape), "uniform", seed);
    network.setRows(name, 0, values);
  });
  return network;
}

/** The same rule for every layer with weights. */
function everywhere(name: string, rule: LinearRule, base = "li2019"): Composite {
  return { ...compositeByName(base), name, assignments: [{ match: {}, rule }] };
}

// Alone, a layer gets relevance everywhere, so all passes of lrp0 and z+ are direct: Z, which is not stored, and the gradient; for z+
// both twice, since the input of a layer alone may be negative.
const linearPasses: readonly (readonly [composite: Composite, passes: number, isDirect: boolean])[] = [
  [everywhere("transposed", gradient(), "gradient"), 1, false],
  [everywhere("lrp0, exact", epsilon(0)), 2, true],
  [everywhere("zPlus, exact", zPlus()), 4, true],
];
const poolPasses: readonly Composite[] = [{ ...compositeByName("li2019"), name: "winner" }];
const lrnPasses: readonly Composite[] = [
  { ...compositeByName("li2019"), name: "taylor", lrn: "taylor" },
  { ...compositeByName("li2019"), name: "gradient", lrn: "gradient" },
];

/** Forward and relevance passes of every layer of a shape file, checked against the direct algorithm. */
export function benchLayers(module: WebAssembly.Module, file: string, effort: Effort): Result[] {
  const results: Result[] = [];
  for (const layer of effort.once ? oneOfEachKind(readShapes(file)) : readShapes(file)) {
    const { name, op, conv, flop, definition } = layer;
    const network = build(module, layer, "auto");
    const { inputShape } = definition;
    const input = tensor(inputShape, fillValues(elementCount(inputShape), "rectified", 7));
    const output = network.forward(input).data;
    const direct = build(module, layer, "direct");
    // Each algorithm is proven in test/kernels-as; here a wrong shape or plan would show.
    const check = checked(`${file} ${name}`, output, direct.forward(input).data, "direct mode", 1e-5);
    const [built] = network.layers;
    if (built === undefined) continue;
    const common = { group: `layers of ${file}`, by: "srmap", threads: 1 };
    // Dense layers read the rows of inputs that are not 0; pools and LRN their input, and write their output.
    const bytes =
      op === "dense"
        ? 4 * output.length * input.data.filter((value) => value !== 0).length
        : 4 * (input.data.length + output.length);
    const byMemory = conv ? {} : { bytes };
    const costs = flop === 0 ? {} : { flop };
    results.push({
      ...common,
      ...costs,
      ...byMemory,
      ...(conv ? { arithmetic: arithmetic(conv, chosenTile(conv)) } : {}),
      check,
      name: `${name} forward`,
      timing: measure(effort, () => built.runtime.forward(), 0.3),
    });
    const passes =
      op === "maxPool2d" || op === "lrn"
        ? (op === "lrn" ? lrnPasses : poolPasses).map((composite) => [composite, 0, true] as const)
        : linearPasses;
    for (const [composite, count, isDirect] of passes) {
      const plan = network.relevancePlan(composite);
      const mapCheck = checked(
        `${file} ${name} ${composite.name}`,
        plan.run(output).relevance.data,
        direct.relevancePlan(composite).run(output).relevance.data,
        "direct mode",
        1e-4,
      );
      const tile = conv && !isDirect && conv.stride === 1 ? chosenTile({ ...conv, channels: conv.outChannels }) : 0;
      results.push({
        ...common,
        ...(count > 0 && conv ? { flop: count * flop, arithmetic: count * arithmetic(conv, tile) } : {}),
        check: mapCheck,
        name: `${name} ${composite.name}`,
        timing: measure(effort, () => void plan.run(output), 0.3),
      });
    }
  }
  return results;
}
