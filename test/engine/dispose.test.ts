import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import { Network, type NetworkOptions } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { networkCases, plainPreprocessing } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { testKernels } from "../support/kernels.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

function build(kernels: Kernels, definition: NetworkDefinition, options: NetworkOptions = {}): Network {
  const network = new Network(kernels, definition, options);
  const parameters = seededNetworkParameters(definition, 7);
  for (const { name } of network.parameters) network.setRows(name, 0, parameters.get(name) ?? new Float32Array(0));
  return network;
}

const composites = ["epsilonPlus", "li2019", "gradient"].map(compositeByName);

/** Everything that a network computes for one input. */
function explain(network: Network): Float32Array[] {
  const { definition } = network;
  const logits = network.forward(tensor(definition.inputShape, seededNetworkInput(definition, 7)));
  const maps = composites.map((composite) => network.relevancePlan(composite).run(logits.data).relevance.data);
  return [logits.data, network.probabilities(logits).data, ...maps];
}

/** Two convolutions by Winograd's algorithm. */
const winograd: NetworkDefinition = {
  name: "winograd",
  inputShape: [16, 32, 32],
  nodes: [
    {
      name: "a",
      inputs: ["input"],
      op: "conv2d",
      outChannels: 32,
      kernelShape: [3, 3],
      pads: [1, 1, 1, 1],
      weight: "a.w",
    },
    { name: "a-relu", inputs: ["a"], op: "relu" },
    {
      name: "b",
      inputs: ["a-relu"],
      op: "conv2d",
      outChannels: 16,
      kernelShape: [3, 3],
      pads: [1, 1, 1, 1],
      weight: "b.w",
    },
    { name: "pool", inputs: ["b"], op: "globalAveragePool2d" },
    { name: "flatten", inputs: ["pool"], op: "flatten" },
  ],
  output: "flatten",
  preprocessing: plainPreprocessing,
};

suite("dispose and kept weights", (test) => {
  test("a hundred networks in one memory need the memory of one, also beside others and with maps between", () => {
    const kernels = testKernels();
    const { arena } = kernels;
    const other = build(kernels, winograd);
    const expected = explain(other);
    const used = arena.usedBytes;
    let bytes = 0;
    for (let round = 0; round < 100; round++) {
      const network = build(kernels, winograd);
      const [, , ...maps] = explain(network);
      if (round % 25 === 0)
        salientRelevance(kernels, tensor([1, 32, 32], (maps[0] ?? new Float32Array(0)).slice(0, 1024)));
      if (round === 1) bytes = arena.memory.buffer.byteLength;
      network.dispose();
      assert.is(arena.usedBytes, used, `round ${round}`);
    }
    assert.is(arena.memory.buffer.byteLength, bytes);
    assert.equal(explain(other), expected);
  });

  test("in memory that others have used every network computes what it computes in fresh memory", () => {
    const kernels = testKernels();
    const kept: [Network, Float32Array[]][] = [];
    networkCases.forEach(({ definition }, index) => {
      const fresh = explain(build(testKernels(), definition));
      const network = build(kernels, definition);
      assert.equal(explain(network), fresh, definition.name);
      if (index % 3 === 0) kept.push([network, fresh]);
      else network.dispose();
    });
    for (const [network, fresh] of kept) assert.equal(explain(network), fresh, network.definition.name);
  });

  test("a disposed network refuses", () => {
    const network = build(testKernels(), winograd);
    const logits = network.forward(tensor(winograd.inputShape, seededNetworkInput(winograd, 7)));
    const plan = network.relevancePlan(compositeByName("epsilonPlus"));
    network.dispose();
    network.dispose();
    const message = 'network "winograd": it was disposed, its memory serves others now. Make a new network.';
    const calls: readonly (() => unknown)[] = [
      () => network.forward(tensor(winograd.inputShape, seededNetworkInput(winograd, 7))),
      () => network.relevancePlan(compositeByName("epsilonPlus")),
      () => plan.run(logits.data),
      () => network.probabilities(logits),
      () => network.setRows("a.w", 0, new Float32Array(144)),
    ];
    for (const call of calls)
      assert.throws(call, (error: unknown) => error instanceof RangeError && error.message === message);
  });

  test("kept weights stay below their limit, with the same bytes", () => {
    const grownBy = (keptWeightBytes: number): { grown: number; maps: Float32Array[] } => {
      const network = build(testKernels(), winograd, { keptWeightBytes });
      let maps = explain(network);
      const { usedBytes } = network.kernels.arena;
      for (let k = 0; k < 5; k++) maps = explain(network);
      return { grown: network.kernels.arena.usedBytes - usedBytes, maps };
    };
    const all = grownBy(Number.POSITIVE_INFINITY);
    // F(4x4,3x3) has 36 points of 16 x 32 weights.
    const one = 4 * 36 * 16 * 32;
    assert.ok(all.grown >= 4 * one, `${all.grown}`);
    for (const [limit, grown] of [
      [0, 0],
      [one - 1, 0],
      [2.5 * one, 2 * one],
    ] as const) {
      const some = grownBy(limit);
      assert.is(some.grown, grown);
      assert.equal(some.maps, all.maps);
    }
    assert.throws(
      () => new Network(testKernels(), winograd, { keptWeightBytes: -1 }),
      (error: unknown) =>
        error instanceof RangeError &&
        error.message === "network: keptWeightBytes must be a number of at least 0, got -1.",
    );
  });

  test("a hundred networks with memories of their own, made and dropped, leave the process as it was", () => {
    const urlOf = (file: string): string => JSON.stringify(new URL(`../../${file}`, import.meta.url).href);
    const script = `
      import { readFileSync } from "node:fs";
      const { instantiateKernels, Network } = await import(${urlOf("engine/index.js")});
      const { modelByName } = await import(${urlOf("engine/models/index.js")});
      const module = new WebAssembly.Module(readFileSync("${root}build/kernels-as/kernels.wasm"));
      let before = 0;
      for (let round = 0; round < 100; round++) {
        const network = new Network(instantiateKernels(module), modelByName("vgg-mini"));
        if (round % 5 === 0) { globalThis.gc(); await new Promise((done) => setTimeout(done, 1)); }
        if (round === 20) before = process.memoryUsage().rss;
      }
      globalThis.gc();
      await new Promise((done) => setTimeout(done, 20));
      console.log(process.memoryUsage().rss - before);`;
    const run = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], { encoding: "utf8" });
    assert.is(run.status, 0, run.stderr);
    // One network of them is 25 MB.
    assert.ok(Number(run.stdout) < 150e6, `${run.stdout} bytes more`);
  });
});
