import { didYouMean } from "../basics/errors.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import { imagenetLabels } from "../labels/imagenet.ts";
import { alexnet, alexnetBvlc, caffenet } from "./alexnet.ts";
import { alexnetMini, vggMini } from "./mini.ts";
import { squeezenet1_0, squeezenet1_1, squeezenet1_1Caffe } from "./squeezenet.ts";
import { vgg16, vgg16Caffe, vggFace } from "./vgg16.ts";

const imagenet = (make: () => NetworkDefinition) => (): NetworkDefinition => ({ ...make(), labels: imagenetLabels });

const models: ReadonlyMap<string, () => NetworkDefinition> = new Map([
  ["alexnet-mini", alexnetMini],
  ["vgg-mini", vggMini],
  ["alexnet", imagenet(alexnet)],
  ["alexnet-bvlc", imagenet(alexnetBvlc)],
  ["caffenet", imagenet(caffenet)],
  ["vgg16", imagenet(vgg16)],
  ["vgg16-caffe", imagenet(vgg16Caffe)],
  ["vgg-face", vggFace],
  ["squeezenet1_0", imagenet(squeezenet1_0)],
  ["squeezenet1_1", imagenet(squeezenet1_1)],
  ["squeezenet1_1-caffe", imagenet(squeezenet1_1Caffe)],
]);

/** Names of the networks that come as data with the package. */
export function modelNames(): readonly string[] {
  return [...models.keys()];
}

/**
 * The definition of a known network, with the preprocessing of its weights and its class names.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function modelByName(name: string): NetworkDefinition {
  const make = models.get(name);
  if (make === undefined) {
    throw new RangeError(
      `model "${name}": unknown.${didYouMean(name, models.keys())} Known are ${[...models.keys()].join(", ")}.`,
    );
  }
  return make();
}
