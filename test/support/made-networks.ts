import { readFileSync } from "node:fs";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, type ImportedNetwork } from "../../weights-loader/index.ts";
import { assertClose } from "./close.ts";
import { fixturePath } from "./fixtures.ts";
import { testKernels } from "./kernels.ts";

/** Inputs and probabilities, base64 of float32, of the networks that test/fixtures/make-weights.py made. */
export const madeNetworks: Readonly<Record<string, { input: string; output: string }>> = JSON.parse(
  readFileSync(fixturePath("networks.json"), "utf8"),
);

function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** Asserts that an imported network gives the probabilities of its producer. */
export async function assertRunsAs(file: string, { definition, weights }: ImportedNetwork): Promise<void> {
  const { input, output } = madeNetworks[file]!;
  const network = new Network(testKernels(), definition);
  await bindWeights(network, weights);
  const logits = network.forward(tensor(definition.inputShape, floats(input)));
  // Some dozens of float32 roundings on either side, of numbers up to 10.
  assertClose(softmax(logits.data), floats(output), 1e-5, file);
}
