import { readdirSync } from "node:fs";
import * as assert from "uvu/assert";
import { assertClose } from "../support/close.ts";
import { readOnnxNodeTest, unpackOnnxNodeTests } from "../support/onnx-node.ts";
import { onnxCases } from "../support/onnx-node-cases.ts";
import { suite } from "../support/suite.ts";
import { evaluate } from "./graph.ts";

const folder = unpackOnnxNodeTests();

suite("oracles against ONNX's node tests", (test) => {
  test("every folder is in the table, and every row is a folder", () => {
    assert.equal(Object.keys(onnxCases).sort(), readdirSync(folder).sort());
  });
  test("the folders that are not run are these ten", () => {
    const notRun = Object.entries(onnxCases).filter(([, onnxCase]) => typeof onnxCase === "string");
    assert.equal(
      notRun.map(([name]) => name),
      [
        "test_add_bcast",
        "test_add_int16",
        "test_add_uint32",
        "test_batchnorm_epsilon_training_mode",
        "test_batchnorm_example_training_mode",
        "test_clip_default_int8_inbounds",
        "test_concat_3d_axis_2",
        "test_concat_3d_axis_negative_2",
        "test_reshape_zero_and_negative_dim",
        "test_reshape_zero_dim",
      ],
    );
  });
  for (const [name, onnxCase] of Object.entries(onnxCases)) {
    if (typeof onnxCase === "string") continue;
    test(name, () => {
      for (const { definition, parameters, input, expected } of onnxCase(readOnnxNodeTest(folder + name))) {
        const actual = evaluate(definition, parameters, input).get(definition.output)!;
        const magnitude = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
        // The expected outputs are float32 results of numpy: a few roundings away from ours.
        assertClose(actual.data, expected, 2 ** -21 * Math.max(magnitude, 1), name);
      }
    });
  }
});
