/** The networks that come as data with the package, by name; apart from their definitions, for a page that only offers them. */
export const knownModels = [
  "alexnet-mini",
  "vgg-mini",
  "alexnet",
  "alexnet-bvlc",
  "caffenet",
  "vgg11",
  "vgg13",
  "vgg16",
  "vgg19",
  "vgg11_bn",
  "vgg13_bn",
  "vgg16_bn",
  "vgg19_bn",
  "resnet18",
  "resnet34",
  "resnet50",
  "vgg16-caffe",
  "vgg-face",
  "squeezenet1_0",
  "squeezenet1_1",
  "squeezenet1_1-caffe",
] as const;

/** Names of the networks that come as data with the package. */
export function modelNames(): readonly string[] {
  return knownModels;
}
