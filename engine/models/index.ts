import { didYouMean } from "../basics/errors.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import { imagenetLabels } from "../labels/imagenet.ts";
import { alexnet, alexnetBvlc, caffenet } from "./alexnet.ts";
import { alexnetMini, vggMini } from "./mini.ts";
import { knownModels } from "./names.ts";
import { resnet18, resnet34, resnet50 } from "./resnet.ts";
import { squeezenet1_0, squeezenet1_1, squeezenet1_1Caffe } from "./squeezenet.ts";
import { torchvisionVgg, vgg16, vgg16Caffe, vggFace } from "./vgg.ts";

export { modelNames } from "./names.ts";

const imagenet = (make: () => NetworkDefinition) => (): NetworkDefinition => ({ ...make(), labels: imagenetLabels });

const models: Readonly<Record<(typeof knownModels)[number], () => NetworkDefinition>> = {
  "alexnet-mini": alexnetMini,
  "vgg-mini": vggMini,
  alexnet: imagenet(alexnet),
  "alexnet-bvlc": imagenet(alexnetBvlc),
  caffenet: imagenet(caffenet),
  vgg11: imagenet(() => torchvisionVgg(11, false)),
  vgg13: imagenet(() => torchvisionVgg(13, false)),
  vgg16: imagenet(vgg16),
  vgg19: imagenet(() => torchvisionVgg(19, false)),
  vgg11_bn: imagenet(() => torchvisionVgg(11, true)),
  vgg13_bn: imagenet(() => torchvisionVgg(13, true)),
  vgg16_bn: imagenet(() => torchvisionVgg(16, true)),
  vgg19_bn: imagenet(() => torchvisionVgg(19, true)),
  resnet18: imagenet(resnet18),
  resnet34: imagenet(resnet34),
  resnet50: imagenet(resnet50),
  "vgg16-caffe": imagenet(vgg16Caffe),
  "vgg-face": vggFace,
  squeezenet1_0: imagenet(squeezenet1_0),
  squeezenet1_1: imagenet(squeezenet1_1),
  "squeezenet1_1-caffe": imagenet(squeezenet1_1Caffe),
};

/**
 * The definition of a known network, with the preprocessing of its weights and its class names.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function modelByName(name: string): NetworkDefinition {
  const known = knownModels.find((other) => other === name);
  if (known === undefined) {
    throw new RangeError(
      `model "${name}": unknown.${didYouMean(name, knownModels)} Known are ${knownModels.join(", ")}.`,
    );
  }
  return models[known]();
}
