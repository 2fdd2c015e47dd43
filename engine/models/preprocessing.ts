import { didYouMean } from "../basics/errors.ts";
import type { Preprocessing } from "../graph/definition.ts";

/** torchvision's classifiers: shorter side 256, centre crop, RGB in [0,1], ImageNet mean and deviation. */
export const torchvisionPreprocessing: Preprocessing = {
  resize: "shorter",
  resizeTo: 256,
  channelOrder: "rgb",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** BVLC's Caffe reference networks: squashed to 256x256, centre crop, BGR 0..255 less the mean colour. */
export const caffeReferencePreprocessing: Preprocessing = {
  resize: "squash",
  resizeTo: 256,
  channelOrder: "bgr",
  scale: 1,
  mean: [104, 117, 123],
  std: [1, 1, 1],
};

/** Oxford's VGG in Caffe: shorter side 256, centre crop, BGR 0..255 less the mean colour (Simonyan and Zisserman 2015). */
export const vggCaffePreprocessing: Preprocessing = {
  resize: "shorter",
  resizeTo: 256,
  channelOrder: "bgr",
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** VGG-Face (Parkhi et al. 2015): as VGG in Caffe with the mean colour of its faces. */
export const vggFacePreprocessing: Preprocessing = {
  ...vggCaffePreprocessing,
  mean: [93.594, 104.7624, 129.1863],
};

/** Photos that fit already, RGB in [0,1]. */
export const plainPreprocessing: Preprocessing = {
  resize: "none",
  resizeTo: 0,
  channelOrder: "rgb",
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

const preprocessings: ReadonlyMap<string, Preprocessing> = new Map([
  ["torchvision", torchvisionPreprocessing],
  ["caffe-reference", caffeReferencePreprocessing],
  ["vgg-caffe", vggCaffePreprocessing],
  ["vgg-face", vggFacePreprocessing],
  ["plain", plainPreprocessing],
]);

/** Names of the ways to prepare photos that come with the package. */
export function preprocessingNames(): readonly string[] {
  return [...preprocessings.keys()];
}

/**
 * A way to prepare photos by name.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function preprocessingByName(name: string): Preprocessing {
  const found = preprocessings.get(name);
  if (found === undefined) {
    throw new RangeError(
      `preprocessing "${name}": unknown.${didYouMean(name, preprocessings.keys())} Known are ${[...preprocessings.keys()].join(", ")}.`,
    );
  }
  return found;
}

/** The name of a way to prepare photos, or undefined when it is none of the package's. */
export function preprocessingName(preprocessing: Preprocessing): string | undefined {
  const wanted = JSON.stringify(preprocessing);
  return [...preprocessings].find(([, value]) => JSON.stringify(value) === wanted)?.[0];
}
