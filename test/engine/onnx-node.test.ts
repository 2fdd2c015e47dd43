import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { evaluate } from "../oracle/graph.ts";
import { assertClose } from "../support/close.ts";
import { run } from "../support/engine.ts";
import { readOnnxNodeTest, unpackOnnxNodeTests } from "../support/onnx-node.ts";
import { onnxCases } from "../support/onnx-node-cases.ts";
import { suite } from "../support/suite.ts";

const folder = unpackOnnxNodeTests();

/** A softmax at a network's end is left out of its logits; a leaky ReLU of slope 1 behind it, which is exact, keeps it in. */
function withoutFinalSoftmax(definition: NetworkDefinition): NetworkDefinition {
  if (definition.nodes.at(-1)?.op !== "softmax") return definition;
  const after: NodeDefinition = { name: "after", inputs: [definition.output], op: "leakyRelu", slope: 1 };
  return { ...definition, nodes: [...definition.nodes, after], output: "after" };
}

suite("engine against ONNX's node tests", (test) => {
  for (const [name, onnxCase] of Object.entries(onnxCases)) {
    if (typeof onnxCase === "string") continue;
    test(name, () => {
      for (const { definition, parameters, input, expected } of onnxCase(readOnnxNodeTest(folder + name))) {
        const actual = run(withoutFinalSoftmax(definition), parameters, input);
        const magnitude = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
        // Both sides are float32 with sums in different order, of 25 terms at most.
        assertClose(actual, expected, 2 ** -20 * Math.max(magnitude, 1), name);
        assertClose(
          actual,
          evaluate(definition, parameters, input).get(definition.output)!.data,
          2 ** -20 * magnitude,
          name,
        );
      }
    });
  }
});
