import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { chooseRules } from "../../engine/rules/choose-rules.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { lrnRules, maxPoolRules } from "../../engine/rules/rules.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { conv2dCases, conv2dData } from "../cases/conv2d.ts";
import { denseCases, denseData } from "../cases/dense.ts";
import { networkCases } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { averagePool2dCases, maxPool2dCases, pool2dData } from "../cases/pool2d.ts";
import { randomGraph } from "../cases/random-graph.ts";
import { fillValues } from "../cases/values.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { guardedKernels } from "../support/guarded.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

const composites = ["li2019", "epsilonGammaBox", "epsilonAlpha2Beta1Flat", "gradient"].map(compositeByName);

/** False where the rule zBox serves a layer that does not read pixels of 3 channels, which alone have a box of their own. */
function hasBoxes({ graph }: Network, composite: Composite): boolean {
  try {
    chooseRules(graph, composite, graph.logits);
    return true;
  } catch (error) {
    assert.match((error as Error).message, /^rule "zBox": /);
    return false;
  }
}

/** Runs a network in guarded memory, forward and back, and compares with unguarded memory bit for bit. */
function checkGuarded(
  definition: NetworkDefinition,
  parameters: ReadonlyMap<string, Float32Array>,
  input: Float32Array,
  what: string,
): void {
  const { kernels, check } = guardedKernels();
  const guarded = new Network(kernels, definition);
  for (const { name } of guarded.parameters) guarded.setRows(name, 0, parameters.get(name)!);
  const logits = guarded.forward(tensor(definition.inputShape, input)).data;
  check(`${what}, forward`);
  const plain = boundNetwork(definition, parameters);
  assert.equal(logits, forward(plain, input), `${what}: logits differ from unguarded memory`);
  const start = logits.map((_, k) => 1 + (k % 3));
  for (const [k, composite] of composites.entries()) {
    const varied = { ...composite, maxPool: maxPoolRules[k]!, lrn: lrnRules[k]! };
    if (!hasBoxes(guarded, varied)) continue;
    const { relevance } = guarded.relevancePlan(varied).run(start);
    check(`${what}, ${composite.name}`);
    assert.equal(relevance.data, plain.relevancePlan(varied).run(start).relevance.data, `${what}, ${composite.name}`);
  }
}

/** A layer whose image is flattened, so that relevance can start at each of its elements. */
function flattened(definition: NetworkDefinition): NetworkDefinition {
  const flatten: NodeDefinition = { name: "flatten", inputs: [definition.output], op: "flatten" };
  return { ...definition, nodes: [...definition.nodes, flatten], output: "flatten" };
}

suite("canaries", (test) => {
  test("a write outside a block is seen", () => {
    const { kernels, check } = guardedKernels();
    const address = kernels.arena.allocate(64);
    kernels.call.fill(address, 1, 0, 16);
    check("inside");
    kernels.call.fill(address, 1, 0, 17);
    assert.throws(() => check("outside"), /canary 1 .* is damaged at element 0/);
  });

  test("a write outside reserved memory is seen, also when that has been given back", () => {
    const { kernels, check } = guardedKernels();
    const mark = kernels.arena.mark();
    const address = kernels.arena.reserve(64);
    kernels.call.fill(address, 1, 0, 16);
    check("inside");
    kernels.call.fill(address, 1, 0, 17);
    kernels.arena.release(mark);
    assert.throws(() => check("outside"), /canary 1 .* is damaged at element 0/);
  });

  test("a write outside what a scope has taken is seen, also when that has been given back", () => {
    const { kernels, check } = guardedKernels();
    const scope = kernels.arena.scope();
    const address = scope.allocate(64);
    kernels.call.fill(address, 1, 0, 16);
    check("inside");
    kernels.call.fill(address, 1, 0, 17);
    scope.giveBack();
    assert.throws(() => check("outside"), /canary 1 .* is damaged at element 0/);
  });

  test("the Salient Relevance step, both modes and features", () => {
    const shape = [3, 40, 33];
    const maps = [
      tensor(shape, fillValues(3 * 40 * 33, "uniform", 6)),
      tensor(
        shape,
        fillValues(3 * 40 * 33, "uniform", 7).map((v, i) => (i % 33 < 12 ? v : 0)),
      ),
      tensor(shape, new Float32Array(3 * 40 * 33)),
    ];
    for (const feature of ["lab", "gray"] as const) {
      for (const mode of ["exact", "fast"] as const) {
        for (const [k, map] of maps.entries()) {
          const { kernels, check } = guardedKernels();
          const options = { feature, mode, workSize: 36 };
          const guarded = salientRelevance(kernels, map, options).map.data;
          check(`${feature}, ${mode}, map ${k}`);
          assert.equal(
            guarded,
            salientRelevance(testKernels(), map, options).map.data,
            `${feature}, ${mode}, map ${k}`,
          );
        }
      }
    }
  });

  test("conv2d, every case", () => {
    for (const [seed, c] of conv2dCases.entries()) {
      const { x, weight, bias } = conv2dData(c, seed);
      if (c.fill === "denormal" || c.fill === "huge" || c.fill === "zeros") continue;
      const { outChannels, kernelShape, strides, pads, dilations, group } = c;
      const parameters = new Map([["weight", weight]]);
      if (bias !== undefined) parameters.set("bias", bias);
      const node = {
        op: "conv2d",
        outChannels,
        kernelShape,
        strides,
        pads,
        dilations,
        group,
        weight: "weight",
      } as const;
      const whole = bias === undefined ? node : { ...node, bias: "bias" };
      checkGuarded(flattened(singleNode([c.channels, c.height, c.width], whole)), parameters, x, c.name);
    }
  });

  test("dense, every case", () => {
    for (const [seed, c] of denseCases.entries()) {
      if (c.fill === "denormal" || c.fill === "huge" || c.inFeatures > 10000) continue;
      const { x, weight } = denseData(c, seed);
      const node = { op: "dense", outFeatures: c.outFeatures, weight: "weight" } as const;
      checkGuarded(singleNode([c.inFeatures, 1, 1], node), new Map([["weight", weight]]), x, c.name);
    }
  });

  test("pooling, every case", () => {
    for (const [seed, c] of [...maxPool2dCases, ...averagePool2dCases].entries()) {
      if (c.fill === "denormal" || c.fill === "huge") continue;
      const isMax = seed < maxPool2dCases.length;
      const { kernelShape, strides, pads, dilations, ceilMode, countIncludePad } = c;
      const window = { kernelShape, strides, pads, ceilMode };
      const definition = singleNode(
        [c.channels, c.height, c.width],
        isMax ? { op: "maxPool2d", ...window, dilations } : { op: "averagePool2d", ...window, countIncludePad },
      );
      checkGuarded(flattened(definition), new Map(), pool2dData(c, seed), c.name);
    }
  });

  test("whole networks, also random ones", () => {
    const definitions = networkCases.map(({ definition }) => definition);
    for (let seed = 0; seed < 20; seed++) definitions.push(randomGraph(seed));
    for (const definition of definitions) {
      const parameters = seededNetworkParameters(definition, 7);
      checkGuarded(definition, parameters, seededNetworkInput(definition, 7), definition.name);
    }
  });
});
