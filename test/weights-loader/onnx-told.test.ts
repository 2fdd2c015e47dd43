import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { floatsOf } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface Told {
  readonly name: string;
  /** base64 */
  readonly model: string;
  /** The file's own, without the batch. */
  readonly shape: readonly number[];
  /** Channels first. */
  readonly inputShape: readonly number[];
  readonly input: string;
  readonly logits: string;
  readonly tolerance: number;
  readonly notes: readonly string[];
}

const cases: readonly Told[] = JSON.parse(readFileSync(`${root}test/golden/onnx-told.json`, "utf8"));

// Made by test/reference/make-onnx-told.py; logits are onnxruntime's.
suite("ONNX files of which something must be said", (test) => {
  for (const told of cases) {
    test(told.name, async () => {
      const source = bytesSource(new Uint8Array(Buffer.from(told.model, "base64")));
      const { definition, weights, notes = [] } = await importOnnx(source, { name: "told" });
      assert.equal(notes, told.notes);
      assert.equal(definition.inputShape, told.inputShape);
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const expected = floatsOf(told.logits);
      const largest = Math.max(...expected.map(Math.abs));
      const { data } = network.forward(tensor(told.shape, floatsOf(told.input)));
      assertClose(data, expected, told.tolerance * largest, "logits");
    });
  }
});
