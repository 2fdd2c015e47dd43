import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { floatsOf } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface Old {
  readonly name: string;
  /** base64 */
  readonly model: string;
  /** [1,C,H,W] */
  readonly shape: readonly number[];
  readonly input: string;
  /** Null where the file must be refused. */
  readonly output: string | null;
}

const cases: readonly Old[] = JSON.parse(readFileSync(`${root}test/golden/onnx-old.json`, "utf8"));

// Made by test/reference/make-onnx-old.py; outputs are onnxruntime's.
suite("ONNX files of old operator sets", (test) => {
  for (const { name, model, shape, input, output } of cases) {
    test(name, async () => {
      const source = bytesSource(new Uint8Array(Buffer.from(model, "base64")));
      if (output === null) {
        assert.is(
          await importOnnx(source, { name: "old" }).then(String, String),
          'UnsupportedError: weights "old": 1 of 3 nodes are not supported:\n  "n1" (BatchNormalization): training mode.',
        );
        return;
      }
      const { definition, weights } = await importOnnx(source, { name: "old" });
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const expected = floatsOf(output);
      const { data } = network.forward(tensor(shape.slice(1), floatsOf(input)));
      // Sums of 27 products, then of at most 4.
      assertClose(data, expected, 1e-5 * Math.max(...expected.map(Math.abs)), "output");
    });
  }
});
