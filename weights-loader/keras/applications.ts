import { vggCaffePreprocessing } from "../../engine/models/preprocessing.ts";
import { metadataKeys } from "../graphs/network-metadata.ts";
import type { WeightFile } from "../tensors/weight-file.ts";

/** Layers of keras.applications.VGG16 that have weights. */
const vgg16Layers = [
  ...[2, 2, 3, 3, 3].flatMap((count, block) =>
    Array.from({ length: count }, (_, i) => `block${block + 1}_conv${i + 1}`),
  ),
  "fc1",
  "fc2",
  "predictions",
];

/**
 * A Keras file with the preprocessing of its weights, where its layers say which those are: keras.applications.VGG16 with its 1000
 * classes has Oxford's weights, which expect BGR photos less the mean colour. Other files do not say it.
 * Source: keras/src/applications/vgg16.py, whose preprocess_input is that of mode "caffe".
 */
export function withOriginalPreprocessing(file: WeightFile): WeightFile {
  if (file.format !== "keras" && file.format !== "keras-weights") return file;
  const names = vgg16Layers.flatMap((layer) => [`${layer}/kernel`, `${layer}/bias`]);
  const isVgg16 = file.tensors.size === names.length && names.every((name) => file.tensors.has(name));
  if (!isVgg16 || file.tensors.get("predictions/bias")?.shape[0] !== 1000) return file;
  const preprocessing = JSON.stringify(vggCaffePreprocessing);
  return { ...file, metadata: { ...file.metadata, [metadataKeys.preprocessing]: preprocessing } };
}
