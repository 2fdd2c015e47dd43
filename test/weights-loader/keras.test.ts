import * as assert from "uvu/assert";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network, tensor } from "../../engine/index.ts";
import { Chain } from "../../engine/models/chain.ts";
import { bindKeras, bindWeights, bytesSource, importKerasFile, openWeights } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { assertReadsAs, fixtureBytes, rejection } from "../support/fixtures.ts";
import { floats, kerasFixture, kerasOutputs, kerasTensors } from "../support/keras.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";
import { unitRoundoff } from "../support/tolerance.ts";

/** [H,W,C] as [C,H,W]. */
function channelsFirst(photo: Float32Array, [channels = 0, height = 0, width = 0]: readonly number[]): Float32Array {
  const area = height * width;
  return Float32Array.from(photo, (_, i) => photo[(i % area) * channels + Math.floor(i / area)] ?? 0);
}

/** The network with its weights, against Keras' own output for one photo. */
async function assertGivesKerasOutput(
  file: string,
  { definition, weights }: { definition: NetworkDefinition; weights: Parameters<typeof bindWeights>[1] },
): Promise<void> {
  const network = new Network(testKernels(), definition);
  await bindWeights(network, weights);
  const { input, output } = kerasOutputs[file] ?? { input: "", output: "" };
  const logits = network.forward(tensor(definition.inputShape, channelsFirst(floats(input), definition.inputShape)));
  // The longest sum of a layer has 108 products: its bound, on either side. Measured over all files: 4e-7 of the largest.
  const expected = floats(output);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  assertClose(logits.data, expected, 2 * 108 * unitRoundoff * largest, file);
}

/** The small network of make-keras.py's `chain`, as a known network: its own names, channels first. */
function chainNetwork(): NetworkDefinition {
  const chain = new Chain()
    .convolution("conv1_1", "features.0", 4, 3, { pad: 1 })
    .convolution("conv1_2", "features.2", 6, 3, { pad: 1 })
    .maxPool("pool", 2, 2)
    .add("flatten", { op: "flatten" })
    .dense("fc1", "classifier.0", 7)
    .dense("fc2", "classifier.3", 5, false);
  const preprocessing = plainPreprocessing;
  return { name: "chain", inputShape: [3, 8, 6], nodes: chain.nodes, output: "fc2", preprocessing };
}

suite("Keras", (test) => {
  for (const [file, tensors] of Object.entries(kerasTensors)) {
    test(`reads what Keras wrote: ${file}`, async () => {
      const { source, options } = kerasFixture(file);
      const weights = await openWeights(source, options);
      const isNetwork = file.endsWith(".keras") || (file in kerasOutputs && !file.includes("weights"));
      assert.is(weights.format, isNetwork ? "keras" : "keras-weights");
      await assertReadsAs(weights, tensors);
    });
  }

  test("an archive says which Keras wrote it: hard_sigmoid is another function in Keras 2", async () => {
    const { source, options } = kerasFixture("keras3-functional.keras");
    assert.match((await openWeights(source, options)).metadata["kerasVersion"] ?? "", /^3\./);
  });

  for (const file of Object.keys(kerasOutputs).filter((name) => !name.includes("weights"))) {
    test(`${file} gives Keras' own output`, async () => {
      const { source, options } = kerasFixture(file);
      const imported = await importKerasFile(source, { ...options, preprocessing: plainPreprocessing });
      await assertGivesKerasOutput(file, imported);
    });
  }

  for (const file of ["keras2-chain-weights.h5", "keras3-chain.weights.h5", "keras3-chain.h5"]) {
    test(`${file} binds to a known network and gives Keras' own output`, async () => {
      const { source, options } = kerasFixture(file);
      const definition = chainNetwork();
      const weights = bindKeras(definition, await openWeights(source, options));
      assert.equal(Array.from(weights.tensors.keys()).sort(), [
        "classifier.0.bias",
        "classifier.0.weight",
        "classifier.3.bias",
        "classifier.3.weight",
        "features.0.bias",
        "features.0.weight",
        "features.2.bias",
        "features.2.weight",
      ]);
      await assertGivesKerasOutput(file, { definition, weights });
      // Row by row as well as in panels.
      const whole = await weights.read("classifier.0.weight");
      for (const row of [6, 0, 3]) {
        assert.equal(await weights.readRows("classifier.0.weight", row, 1), whole.slice(row * 72, (row + 1) * 72));
      }
    });
  }

  test("weights of another network keep their names, so that the report names them", async () => {
    const { source, options } = kerasFixture("keras2-functional-weights.h5");
    const weights = bindKeras(chainNetwork(), await openWeights(source, options));
    const network = new Network(testKernels(), chainNetwork());
    const message = await rejection(bindWeights(network, weights));
    assert.match(message, /^ShapeError: .* do not fit the network: 0 missing, 11 unexpected, 3 misshapen\./);
    assert.match(message, /"features\.2\.weight" must be \[6,4,3,3\], got \[4,4,1,3\]/);
    assert.match(message, /"norm\/gamma" \[4\]/);
  });

  test("a file of weights alone is no network", async () => {
    const { source, options } = kerasFixture("keras3-chain.weights.h5");
    assert.is(
      await rejection(importKerasFile(source, { ...options, preprocessing: plainPreprocessing })),
      `UnsupportedError: weights "keras3-chain.weights.h5": a Keras file of weights alone does not describe its network.`,
    );
  });

  for (const file of ["keras3-functional.h5", "keras3-functional.keras", "hdf5-user-block.h5"]) {
    test(`without a reader of HDF5, ${file} is told apart and refused`, async () => {
      const source = bytesSource(fixtureBytes(`keras/${file}`));
      assert.is(
        await rejection(openWeights(source, { name: "x" })),
        `UnsupportedError: weights "x": it is an HDF5 file, and nothing here can read HDF5.`,
      );
    });
  }
});
