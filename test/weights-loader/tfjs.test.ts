import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importTfjs, openWeights } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { assertReadsAs, fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

type Expected = Parameters<typeof assertReadsAs>[1];

const expected: Record<string, Expected> = JSON.parse(readFileSync(fixturePath("tfjs/expected.json"), "utf8"));
const networks: Record<string, { input: string; output: string }> = JSON.parse(
  readFileSync(fixturePath("tfjs/networks.json"), "utf8"),
);
const external = async (location: string) => bytesSource(fixtureBytes(`tfjs/${location}`));
const floats = (base64: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

/** A model.json with changes. */
function changed(file: string, change: (json: Record<string, never>) => void): Uint8Array {
  const json = JSON.parse(Buffer.from(fixtureBytes(`tfjs/${file}`)).toString("utf8"));
  change(json);
  return new TextEncoder().encode(JSON.stringify(json));
}

suite("TensorFlow.js", (test) => {
  for (const [file, tensors] of Object.entries(expected)) {
    test(`reads the tensors of ${file}, also across shards`, async () => {
      const weights = await openWeights(bytesSource(fixtureBytes(`tfjs/${file}`)), { name: file, external });
      assert.is(weights.format, "tfjs");
      await assertReadsAs(weights, tensors);
    });
  }

  for (const [file, { input, output }] of Object.entries(networks)) {
    test(`${file} gives TensorFlow.js's own probabilities`, async () => {
      const source = bytesSource(fixtureBytes(`tfjs/${file}`));
      const { definition, weights } = await importTfjs(source, {
        name: file,
        preprocessing: plainPreprocessing,
        external,
      });
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const logits = network.forward(tensor(definition.inputShape, floats(input))).data;
      const exponentials = Array.from(logits, Math.exp);
      const sum = exponentials.reduce((a, b) => a + b, 0);
      // Some dozens of float32 roundings on either side, of numbers around 1.
      assertClose(
        exponentials.map((value) => value / sum),
        floats(output),
        1e-5,
        file,
      );
    });
  }

  test("layers that do not exist here are all listed", async () => {
    const bytes = changed("tfjs-functional.json", (json) => {
      const { layers } = (json as unknown as { modelTopology: { config: { layers: { class_name: string }[] } } })
        .modelTopology.config;
      layers[1]!.class_name = "ConvLSTM2D";
      layers[4]!.class_name = "MultiHeadAttention";
    });
    assert.is(
      await rejection(importTfjs(bytesSource(bytes), { name: "net", preprocessing: plainPreprocessing, external })),
      `UnsupportedError: weights "net": 2 of 10 layers are not supported:
  "a" (ConvLSTM2D): no such layer.
  "d" (MultiHeadAttention): no such layer.`,
    );
  });

  for (const policy of ["mixed_float16", { class_name: "DTypePolicy", config: { name: "mixed_float16" } }]) {
    test(`a network of Keras in half precision is told: ${JSON.stringify(policy)}`, async () => {
      const bytes = changed("tfjs-functional.json", (json) => {
        const { layers } = (json as unknown as { modelTopology: { config: { layers: { config: object }[] } } })
          .modelTopology.config;
        for (const layer of layers) layer.config = { ...layer.config, dtype: policy };
      });
      const { notes } = await importTfjs(bytesSource(bytes), { preprocessing: plainPreprocessing, external });
      assert.equal(notes, [
        "Keras computes this network in mixed_float16; here it is computed in float32, so that the last digits differ.",
      ]);
    });
  }

  test("weights that are stored in less than float32 are told", async () => {
    const load = (bytes: Uint8Array) => importTfjs(bytesSource(bytes), { preprocessing: plainPreprocessing, external });
    assert.equal((await load(fixtureBytes("tfjs/tfjs-functional.json"))).notes, []);
    assert.equal((await load(fixtureBytes("tfjs/tfjs-quantized.json"))).notes, [
      "5 of its 13 tensors are stored as uint8: what is computed, in float32, is the network with these rounded weights, not the one before.",
    ]);
    const half = changed("tfjs-functional.json", (json) => {
      const [group] = (json as unknown as { weightsManifest: { paths: string[]; weights: object[] }[] })
        .weightsManifest;
      group!.weights = group!.weights.map((entry) => ({ ...entry, quantization: { dtype: "float16" } }));
    });
    const shard = async () => bytesSource(new Uint8Array(318)); // half of the 636 bytes of the functional network
    const { notes } = await importTfjs(bytesSource(half), { preprocessing: plainPreprocessing, external: shard });
    assert.match(notes?.[0] ?? "", /^(\d+) of its \1 tensors are stored as float16: /);
  });

  test("a byte order mark before the model is passed over", async () => {
    const bytes = fixtureBytes("tfjs/tfjs-functional.json");
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes]);
    const load = (source: Uint8Array) => importTfjs(bytesSource(source), { name: "x", external });
    assert.equal((await load(marked)).definition, (await load(bytes)).definition);
    assert.is((await openWeights(bytesSource(marked), { external })).format, "tfjs");
  });

  test("shards outside the folder, missing, or of another size are refused", async () => {
    const open = (bytes: Uint8Array, options = {}) =>
      rejection(openWeights(bytesSource(bytes), { name: "net", ...options }));
    const paths = (path: string) =>
      changed("tfjs-functional.json", (json) => {
        (json as unknown as { weightsManifest: { paths: string[] }[] }).weightsManifest[0]!.paths = [path];
      });
    assert.is(
      await open(paths("../secret.bin"), { external }),
      `FormatError: weights "net": the shard "../secret.bin" would lie outside the model's folder.`,
    );
    assert.is(
      await open(paths("x.bin")),
      `UnsupportedError: weights "net": the weights lie in "x.bin" beside the model, and nothing here can open it.`,
    );
    assert.is(
      await open(paths("tfjs-sequential-3.bin"), { external }),
      `FormatError: weights "net": the shards tfjs-sequential-3.bin have 372 bytes, their tensors take 636.`,
    );
  });
});
