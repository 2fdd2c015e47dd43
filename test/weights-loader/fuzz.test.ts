import { isFloat } from "../../weights-loader/dtype.ts";
import { bytesSource, openWeights } from "../../weights-loader/index.ts";
import { fixtureBytes } from "../support/fixtures.ts";
import { fuzz } from "../support/fuzz.ts";
import { suite } from "../support/suite.ts";

const files = [
  "small-f32.safetensors",
  "small-bf16.safetensors",
  "torch-zip-f32.pth",
  "torch-checkpoint.pth",
  "torch-legacy-f32.pth",
  "torch-tar-f32.pth",
];

/** Opens a file and reads all of it. */
async function openAndRead(bytes: Uint8Array): Promise<void> {
  const weights = await openWeights(bytesSource(bytes));
  for (const { name, dtype } of weights.tensors.values()) if (isFloat(dtype)) await weights.read(name);
}

suite("damaged weight files", (test) => {
  for (const file of files) {
    test(`600 damaged copies of ${file} are read or refused`, () => fuzz(fixtureBytes(file), 600, openAndRead));
  }
});
