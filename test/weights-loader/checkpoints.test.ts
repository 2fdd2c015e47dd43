import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network, tensor } from "../../engine/index.ts";
import { Chain } from "../../engine/models/chain.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { bindWeights, bytesSource, type ImportNetworkOptions, importNetwork } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

// Checkpoints as training saves them; test/fixtures/make-checkpoints.py made them and their logits.

const { logits } = JSON.parse(readFileSync(fixturePath("checkpoints.json"), "utf8")) as {
  logits: Readonly<Record<string, readonly number[]>>;
};

function small(): NetworkDefinition {
  const { nodes } = new Chain()
    .convolution("conv1", "features.0", 2, 3, { pad: 1 })
    .add("flatten", { op: "flatten" })
    .dense("fc", "classifier", 4, false);
  const preprocessing = plainPreprocessing;
  return { name: "small", inputShape: [3, 4, 4], nodes, output: "fc", preprocessing, labels: ["a", "b", "c", "d"] };
}

const known = [{ name: "small", parameters: networkParameters(small()), definition: small() }];

async function read(name: string, options: ImportNetworkOptions) {
  const file = `checkpoint-${name}.pth`;
  const { definition, weights, notes } = await importNetwork(bytesSource(fixtureBytes(file)), {
    name: file,
    ...options,
  });
  const network = new Network(testKernels(), definition);
  await bindWeights(network, weights);
  const x = Float32Array.from({ length: 48 }, (_, i) => i / 48);
  return { logits: network.forward(tensor([3, 4, 4], x)).data, notes, definition };
}

suite("checkpoints", (test) => {
  for (const [name, options, expected] of [
    ["neighbours", {}, "model"],
    ["lightning", {}, "model"],
    ["compiled-parallel", {}, "model"],
    ["averaged", {}, "model"],
    ["deep", {}, "model"],
    ["ema", { stateDict: "model" }, "model"],
    ["ema", { stateDict: "model_ema" }, "other"],
    ["two-networks", { stateDict: "teacher" }, "other"],
    ["seven-classes", {}, "seven"],
  ] as const) {
    test(`${name} ${JSON.stringify(options)}: PyTorch's logits`, async () => {
      const own = await read(name, { definition: small(), ...options });
      assertClose(own.logits, logits[expected] ?? [], 1e-6, name);
      const unnamed = await read(name, { known, ...options });
      assert.equal(unnamed.logits, own.logits, "found without its name");
      assert.match(unnamed.notes[0] ?? "", /its tensors are those of "small", which is used\.$/);
    });
  }

  test("what is left out or changed is told; other classes lose the names", async () => {
    assert.equal((await read("lightning", { definition: small() })).notes, [
      'its tensors are called by the network\'s names behind "model.". Left out without it: 1.',
    ]);
    const seven = await read("seven-classes", { definition: small() });
    assert.equal(seven.notes, ['the weights have 7 classes; network "small" with 4 is used with as many.']);
    assert.is(seven.definition.labels, undefined);
  });

  test("options that say nothing of these weights are told", async () => {
    const { notes } = await read("seven-classes", { definition: small(), prototxt: "name: 'x'", output: "fc" });
    assert.equal(notes.slice(1), [
      'option "output" was not used: this network has one output.',
      'option "prototxt" was not used: it belongs to .caffemodel files that are read without the name of a network.',
    ]);
    const made = bytesSource(fixtureBytes("onnx-made.onnx"));
    assert.match(
      await rejection(importNetwork(made, { stateDict: "model", output: "absent" })),
      /there is no output "absent"/,
    );
    const described = await importNetwork(made, { stateDict: "model" });
    assert.equal(described.notes, [
      'option "stateDict" was not used: the file describes its network, with one set of weights.',
    ]);
  });

  test("several weights are listed with the option that picks", async () => {
    assert.is(
      await rejection(read("ema", { definition: small() })),
      'FormatError: weights "checkpoint-ema.pth": several dicts of tensors to choose from: "model" (4), "model_ema" (4). Name the one that counts: --state-dict model.',
    );
    assert.is(
      await rejection(read("two-networks", { definition: small() })),
      'FormatError: weights "checkpoint-two-networks.pth": the network\'s tensors are there several times, behind "student", "teacher". Name the one that counts: --state-dict student.',
    );
  });
});
