import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { withoutFunctions } from "../../weights-loader/onnx/local-functions.ts";
import type { OnnxFunction, OnnxNode } from "../../weights-loader/onnx/model.ts";
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

  test("functions that call others twice, down to one without nodes, end in time", () => {
    const call = (k: number): OnnxNode => ({
      name: "",
      op: `f${k}`,
      domain: "own",
      inputs: [],
      outputs: [],
      attributes: new Map(),
    });
    const functions = Array.from({ length: 31 }, (_, k): OnnxFunction => {
      const nodes = k === 0 ? [] : [call(k - 1), call(k - 1)];
      return { name: `f${k}`, domain: "own", opset: 0, inputs: [], outputs: [], defaults: new Map(), nodes };
    });
    const graph = { nodes: [call(30)], initializers: new Map(), inputs: [], outputs: [], metadata: {} };
    assert.throws(
      () => withoutFunctions({ ...graph, opset: 17, functions }, 'weights "own"'),
      (error: unknown) =>
        String(error) === 'FormatError: weights "own": its functions stand for more than 50000 nodes.',
    );
  });
});
