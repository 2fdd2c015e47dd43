import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { RowSource } from "../../engine/graph/parameters.ts";
import { modelByName } from "../../engine/models/index.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { networkCases, plainPreprocessing } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { parameterShapes } from "../oracle/graph.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** Rows of parameters, in one buffer for all reads, as a host's source has it. */
function rowSource(definition: NetworkDefinition, parameters: ReadonlyMap<string, Float32Array>): RowSource {
  const shapes = parameterShapes(definition);
  let buffer = new Float32Array(0);
  return {
    readRows(name, firstRow, rowCount) {
      const values = parameters.get(name);
      if (values === undefined) throw new RangeError(`the test has no parameter "${name}"`);
      const width = elementCount((shapes.get(name) ?? []).slice(1));
      if (buffer.length < rowCount * width) buffer = new Float32Array(rowCount * width);
      buffer.set(values.subarray(firstRow * width, (firstRow + rowCount) * width));
      return buffer.subarray(0, rowCount * width);
    },
  };
}

function build(
  definition: NetworkDefinition,
  parameters: ReadonlyMap<string, Float32Array>,
  isSmall: boolean,
): Network {
  const options = isSmall ? { rows: rowSource(definition, parameters) } : { algorithm: "direct" as const };
  const network = new Network(testKernels(), definition, options);
  for (const { name, isStreamed } of network.parameters) {
    const values = parameters.get(name);
    if (!isStreamed && values) network.setRows(name, 0, values);
  }
  return network;
}

/** A dense layer that is read in several blocks, the last one uneven. */
const wide: NetworkDefinition = {
  name: "wide",
  inputShape: [3, 5, 5],
  nodes: [
    { name: "flatten", inputs: ["input"], op: "flatten" },
    { name: "fc1", inputs: ["flatten"], op: "dense", outFeatures: 53, weight: "w1", bias: "b1" },
    { name: "relu1", inputs: ["fc1"], op: "relu" },
    { name: "fc2", inputs: ["relu1"], op: "dense", outFeatures: 18, weight: "w2" },
  ],
  output: "fc2",
  preprocessing: plainPreprocessing,
};

suite("low memory", (test) => {
  for (const definition of [...networkCases.map((networkCase) => networkCase.definition), wide]) {
    test(`${definition.name}: weights left outside give the bytes of the direct algorithm`, () => {
      const parameters = seededNetworkParameters(definition, 3);
      const input = tensor(definition.inputShape, seededNetworkInput(definition, 3));
      const [whole, small] = [build(definition, parameters, false), build(definition, parameters, true)];
      const logits = whole.forward(input);
      assert.equal(small.forward(input).data, logits.data, "logits");
      for (const name of ["li2019", "epsilonPlus", "epsilonAlpha2Beta1Flat", "gradient", "presetB"]) {
        const composite = compositeByName(name);
        const expected = whole.relevancePlan(composite).run(logits.data);
        const actual = small.relevancePlan(composite).run(logits.data);
        assert.equal(actual.relevance.data, expected.relevance.data, name);
        assert.equal(actual.ledger, expected.ledger, `${name}: ledger`);
      }
    });
  }

  test("VGG-16 is explained in 118 MB of kernel memory", () => {
    const definition = modelByName("vgg16");
    const shapes = parameterShapes(definition);
    const { f32 } = rng(7);
    const noise = f32(1 << 16, -1, 1);
    let buffer = new Float32Array(0);
    const rows: RowSource = {
      readRows(name, firstRow, rowCount) {
        const width = elementCount((shapes.get(name) ?? []).slice(1));
        if (buffer.length < rowCount * width) buffer = new Float32Array(rowCount * width);
        const scale = Math.sqrt(6 / width); // as He et al. draw weights: feature maps keep their size
        for (let i = 0; i < rowCount * width; i++) buffer[i] = scale * noise[(7919 * firstRow + i) % noise.length]!;
        return buffer.subarray(0, rowCount * width);
      },
    };
    const network = new Network(testKernels(), definition, { rows });
    for (const { name, shape, isStreamed } of network.parameters) {
      if (!isStreamed) network.setRows(name, 0, new Float32Array(shape[0] ?? 0));
    }
    const input = tensor(definition.inputShape, f32(elementCount(definition.inputShape), -2, 2));
    for (const mode of ["fast", "exact"] as const) explain(network, input, { salientRelevance: { mode } });
    const { byteLength } = network.kernels.arena.memory.buffer;
    assert.ok(byteLength <= 118e6, `${byteLength} bytes`);
  });

  test("a streamed parameter is listed, but cannot be bound", () => {
    const network = build(wide, seededNetworkParameters(wide, 1), true);
    assert.equal(
      network.parameters.filter(({ isStreamed }) => isStreamed).map(({ name }) => name),
      ["w1", "w2"],
    );
    assert.ok(network.isBound);
    assert.throws(
      () => network.setRows("w1", 0, new Float32Array(75)),
      /"w1" \[53,75\] expects whole rows of 75 from row 53/,
    );
  });
});
