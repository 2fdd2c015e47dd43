import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { suite } from "../support/suite.ts";
import { type SeededNetName, seededInput, seededTensors } from "./seeded-nets.ts";

// SHA-256 of all weights in file order (its first bytes, as published) and of the input that PyTorch was given.
const hashes: Record<SeededNetName, readonly [weights: string, input: string]> = {
  alexnet: ["5d2bceed", "b9641596aaf5bdb4e7d483ab9bd8c2a0f92dec3564e1c46880f44f42b54f2e44"],
  bvlc_alexnet: ["13c9da75", "85b2b29ed043920aa62041e4c0e0982ab414012a2e8a0290c5971b11e1f37ac9"],
  vgg16: ["bc728428", "b9641596aaf5bdb4e7d483ab9bd8c2a0f92dec3564e1c46880f44f42b54f2e44"],
};

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

suite("seeded nets", (test) => {
  for (const [name, [weights, input]] of Object.entries(hashes) as [SeededNetName, [string, string]][]) {
    test(`${name}: weights and input have the published hashes`, () => {
      const hash = createHash("sha256");
      const block = new Float32Array(2 ** 20);
      for (const tensor of seededTensors(name)) {
        for (let begin = 0; begin < tensor.length; begin += block.length) {
          const part = block.subarray(0, Math.min(block.length, tensor.length - begin));
          tensor.fill(part, begin);
          hash.update(bytesOf(part));
        }
      }
      assert.is(hash.digest("hex").slice(0, 8), weights);
      assert.is(
        createHash("sha256")
          .update(bytesOf(seededInput(name)))
          .digest("hex"),
        input,
      );
    });
  }
});
