import { refuseUnknownOptions } from "../engine/basics/errors.ts";
import type { ByteSource } from "./bytes/source.ts";
import { type OpenOptions, openFormat } from "./formats.ts";
import type { WeightFile } from "./tensors/weight-file.ts";

/**
 * Opens a weight file, its format told from its bytes (never from its name): safetensors, PyTorch (zip, legacy,
 * tar), ONNX, Caffe, NumPy, TensorFlow.js, Keras. Only headers are read.
 * @throws FormatError when the bytes are of no known format, or contradict themselves
 */
export async function openWeights(source: ByteSource, options: OpenOptions = {}): Promise<WeightFile> {
  refuseUnknownOptions("openWeights", options, ["name", "external", "hdf5", "stateDict"]);
  return (await openFormat(source, options)).file;
}
