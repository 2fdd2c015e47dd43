import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { floatsOf } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface WithFunctions {
  readonly name: string;
  /** base64 */
  readonly model: string;
  /** [1,C,H,W] */
  readonly shape: readonly number[];
  readonly input: string;
  /** base64, or the refusal. */
  readonly output: string;
}

const cases: readonly WithFunctions[] = JSON.parse(readFileSync(`${root}test/golden/onnx-functions.json`, "utf8"));

// Made by test/reference/make-onnx-functions.py; outputs are onnxruntime's.
suite("ONNX files with functions of their own", (test) => {
  for (const { name, model, shape, input, output } of cases) {
    test(name, async () => {
      const source = bytesSource(new Uint8Array(Buffer.from(model, "base64")));
      if (/^\w+Error: /.test(output)) {
        assert.is(await importOnnx(source, { name: "own" }).then(String, String), output);
        return;
      }
      const { definition, weights } = await importOnnx(source, { name: "own" });
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const expected = floatsOf(output);
      const { data } = network.forward(tensor(shape.slice(1), floatsOf(input)));
      // Sums of 27 products.
      assertClose(data, expected, 1e-5 * Math.max(...expected.map(Math.abs)), "output");
    });
  }
});
