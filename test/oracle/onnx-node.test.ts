import { readdirSync } from "node:fs";
import * as assert from "uvu/assert";
import { assertClose } from "../support/close.ts";
import { readOnnxNodeTest } from "../support/onnx-node.ts";
import { onnxCases } from "../support/onnx-node-cases.ts";
import { sharedData } from "../support/paths.ts";
import { suite } from "../support/suite.ts";
import { evaluate } from "./graph.ts";

const folder = `${sharedData}onnx-node/`;

suite("oracles against ONNX's node tests", (test) => {
  test.needs(folder, "every folder is in the table, and every row is a folder", () => {
    assert.equal(Object.keys(onnxCases).sort(), readdirSync(folder).sort());
  });
  for (const [name, onnxCase] of Object.entries(onnxCases)) {
    if (typeof onnxCase === "string") continue;
    test.needs(folder, name, () => {
      for (const { definition, parameters, input, expected } of onnxCase(readOnnxNodeTest(folder + name))) {
        const actual = evaluate(definition, parameters, input).get(definition.output)!;
        const magnitude = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
        // The expected outputs are float32 results of numpy: a few roundings away from ours.
        assertClose(actual.data, expected, 2 ** -21 * Math.max(magnitude, 1), name);
      }
    });
  }
});
