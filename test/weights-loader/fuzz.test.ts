import { FormatError } from "../../engine/basics/errors.ts";
import { bytesSource, importCaffe, importOnnx, importTfjs, openWeights } from "../../weights-loader/index.ts";
import { isFloat } from "../../weights-loader/tensors/dtype.ts";
import { plainPreprocessing } from "../cases/networks.ts";
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
  "onnx-torch.onnx",
  "caffe-v1.caffemodel",
  "numpy-stored.npz",
  "numpy-deflated.npz",
  "numpy-one.npy",
];

/** Opens a file and reads all of it. */
async function openAndRead(bytes: Uint8Array): Promise<void> {
  const weights = await openWeights(bytesSource(bytes));
  for (const { name, dtype } of weights.tensors.values()) if (isFloat(dtype)) await weights.read(name);
}

/** Imports a graph and reads all of its weights. */
async function importAndRead(bytes: Uint8Array): Promise<void> {
  const { weights } = await importOnnx(bytesSource(bytes), { preprocessing: plainPreprocessing });
  for (const name of weights.tensors.keys()) await weights.read(name);
}

/** Imports a Caffe network and reads all of its weights. */
async function importCaffeAndRead(bytes: Uint8Array, prototxt?: string): Promise<void> {
  const text = prototxt === undefined ? {} : { prototxt };
  const { weights } = await importCaffe(bytesSource(bytes), { preprocessing: plainPreprocessing, ...text });
  for (const name of weights.tensors.keys()) await weights.read(name);
}

/** Imports a TensorFlow.js model and reads all of its weights. */
async function importTfjsAndRead(bytes: Uint8Array): Promise<void> {
  const external = async (path: string) => {
    if (!path.startsWith("tfjs-")) throw new FormatError(`no shard "${path}"`);
    return bytesSource(fixtureBytes("tfjs/tfjs-functional-1.bin"));
  };
  const { weights } = await importTfjs(bytesSource(bytes), { preprocessing: plainPreprocessing, external });
  for (const name of weights.tensors.keys()) await weights.read(name);
}

suite("damaged weight files", (test) => {
  test("400 damaged copies of a TensorFlow.js model are imported or refused", () =>
    fuzz(fixtureBytes("tfjs/tfjs-functional.json"), 400, importTfjsAndRead));
  for (const file of files) {
    test(`400 damaged copies of ${file} are read or refused`, () => fuzz(fixtureBytes(file), 400, openAndRead));
  }
  test("400 damaged copies of a Caffe network are imported or refused", () =>
    fuzz(fixtureBytes("caffe-v2.caffemodel"), 400, (bytes) => importCaffeAndRead(bytes)));
  test("400 damaged copies of a prototxt are imported or refused", () =>
    fuzz(fixtureBytes("caffe-v2.prototxt"), 400, (bytes) =>
      importCaffeAndRead(fixtureBytes("caffe-v2.caffemodel"), new TextDecoder().decode(bytes)),
    ));
  for (const file of ["onnx-torch.onnx", "onnx-made.onnx"]) {
    test(`400 damaged copies of the graph ${file} are imported or refused`, () =>
      fuzz(fixtureBytes(file), 400, importAndRead));
  }
});
