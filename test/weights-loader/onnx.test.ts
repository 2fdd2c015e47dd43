import * as assert from "uvu/assert";
import { bytesSource, type ImportedNetwork, importOnnx, openWeights } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { fixtureBytes, rejection } from "../support/fixtures.ts";
import { assertRunsAs, madeNetworks } from "../support/made-networks.ts";
import { suite } from "../support/suite.ts";

function open(file: string): Promise<ImportedNetwork> {
  const external = async (location: string) => bytesSource(fixtureBytes(location));
  return importOnnx(bytesSource(fixtureBytes(file)), { name: file, preprocessing: plainPreprocessing, external });
}

const refusals: readonly [string, string][] = [
  ["bad-cycle.onnx", `FormatError: weights "bad-cycle.onnx": node "two" depends on itself.`],
  [
    "bad-external.onnx",
    `FormatError: weights "bad-external.onnx": tensor "w1": its external data "../../etc/passwd" would lie outside the model's folder.`,
  ],
  [
    "bad-ops.onnx",
    `UnsupportedError: weights "bad-ops.onnx": 3 of 7 nodes are not supported:
  "sum" (Einsum): the equation "nchw->nc"; data and one constant are supported.
  "bigger" (Resize): resizing of the batch or of channels.
  "mean" (AveragePool): dilated average pooling.`,
  ],
];

suite("ONNX", (test) => {
  for (const file of Object.keys(madeNetworks).filter((name) => name.endsWith(".onnx"))) {
    test(`${file} gives the probabilities of its producer`, async () => assertRunsAs(file, await open(file)));
  }

  test("what does nothing is left out, padding and constants are folded", async () => {
    const { definition } = await open("onnx-made.onnx");
    const ops = definition.nodes.map((node) => `${node.name}: ${node.op}`);
    assert.equal(ops, [
      "Conv_1: conv2d",
      "Relu_3: relu",
      "MaxPool_5: maxPool2d",
      "Conv_6: conv2d",
      "Mul_7: batchNorm",
      "Mul_7.pad: take",
      "LRN_9: lrn",
      "Conv_10: conv2d",
      "AveragePool_12: averagePool2d",
      "Reshape_18: flatten",
      "Gemm_19: dense",
      "Clip_20: clip",
      "MatMul_21: dense",
      "Softmax_23: softmax",
    ]);
    const [first] = definition.nodes;
    assert.equal(first?.op === "conv2d" && [first.pads, first.bias], [[1, 0, 2, 1], "Add_2.bias"]);
    assert.is(definition.output, "Softmax_23");
  });

  test("as a weight file it lists the initializers under their own names", async () => {
    const weights = await openWeights(bytesSource(fixtureBytes("onnx-torch.onnx")), { name: "net.onnx" });
    assert.is(weights.format, "onnx");
    assert.equal(weights.tensors.get("conv1.weight")?.shape, [4, 3, 3, 3]);
    assert.is((await weights.read("fc.bias")).length, 5);
  });

  test("external data without anything to open it is refused", async () => {
    const bytes = fixtureBytes("onnx-external.onnx");
    assert.is(
      await rejection(openWeights(bytesSource(bytes), { name: "net.onnx" })),
      `UnsupportedError: weights "net.onnx": tensor "w1" lies in the file "onnx-external.bin" beside the model, and nothing here can open it.`,
    );
  });

  for (const [file, message] of refusals) {
    test(`refuses ${file}`, async () => assert.is(await rejection(open(file)), message));
  }
});
