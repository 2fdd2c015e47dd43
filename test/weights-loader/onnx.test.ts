import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, type ImportedNetwork, importOnnx, openWeights } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

function open(file: string): Promise<ImportedNetwork> {
  const external = async (location: string) => bytesSource(fixtureBytes(location));
  return importOnnx(bytesSource(fixtureBytes(file)), { name: file, preprocessing: plainPreprocessing, external });
}

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

const networks = JSON.parse(readFileSync(fixturePath("networks.json"), "utf8")) as Record<
  string,
  { input: string; output: string }
>;
const floats = (base64: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

const refusals: readonly [string, string][] = [
  ["bad-cycle.onnx", `FormatError: weights "bad-cycle.onnx": node "two" depends on itself.`],
  [
    "bad-external.onnx",
    `FormatError: weights "bad-external.onnx": tensor "w1": its external data "../../etc/passwd" would lie outside the model's folder.`,
  ],
  [
    "bad-ops.onnx",
    `UnsupportedError: weights "bad-ops.onnx": 4 of 7 nodes are not supported:
  "gate" (Sigmoid): no such layer.
  "sum" (Einsum): no such layer.
  "bigger" (Resize): no such layer.
  "mean" (AveragePool): dilated average pooling.`,
  ],
];

suite("ONNX", (test) => {
  for (const [file, { input, output }] of Object.entries(networks)) {
    test(`${file} gives the probabilities of its producer`, async () => {
      const { definition, weights } = await open(file);
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const logits = network.forward(tensor(definition.inputShape, floats(input)));
      // Some dozens of float32 roundings on either side, of numbers around 1.
      assertClose(softmax(logits.data), floats(output), 1e-5, file);
    });
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
      "Mul_7.pad: conv2d",
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
