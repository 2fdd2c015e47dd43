import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { difference } from "../support/close.ts";
import { readNpyFloats } from "../support/npy.ts";
import { sharedReference } from "../support/paths.ts";
import { suite } from "../support/suite.ts";
import { type SeededNetName, seededInput, seededTensors } from "./seeded-nets.ts";

const folder = `${sharedReference}seeded-nets/`;

// SHA-256 (first bytes) of all weights in file order and of the input, as ../shared/reference/README.md gives them.
const hashes: Record<SeededNetName, readonly [weights: string, input: string]> = {
  alexnet: ["5d2bceed", "b9641596"],
  bvlc_alexnet: ["13c9da75", "85b2b29e"],
  vgg16: ["bc728428", "b9641596"],
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
          .digest("hex")
          .slice(0, 8),
        input,
      );
    });

    test.needs(folder, `${name}: the input is the stored one, bit for bit`, () => {
      const stored = readNpyFloats(`${folder}${name}_input.npy`);
      assert.is(difference(seededInput(name), stored).largest, 0);
    });
  }
});
