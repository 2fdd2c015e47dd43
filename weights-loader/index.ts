export { type BindOptions, bindWeights, type FitReport, fitReport, fits, type KnownNetwork } from "./bind.ts";
export { type CaffeImportOptions, importCaffe } from "./caffe-import.ts";
export type { Dtype } from "./dtype.ts";
export { type ImportedNetwork, importOnnx, type OnnxImportOptions } from "./onnx-import.ts";
export type { ExternalData } from "./onnx-tensor.ts";
export { type OpenOptions, openWeights } from "./open.ts";
export { type RegisteredWeights, registeredModels, registeredWeights } from "./registry.ts";
export { type BlobLike, type ByteSource, blobSource, bytesSource } from "./source.ts";
export type { TensorInfo, WeightFile } from "./weight-file.ts";
