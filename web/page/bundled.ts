import type { WebNetwork } from "../messages.ts";

/** A network that the page offers at once. */
export interface OfferedNetwork {
  readonly title: string;
  readonly about: string;
  readonly network: WebNetwork;
}

/** Places of the kernels beside the page. */
const kernels = { kernels: "kernels.wasm", kernelsShared: "kernels-shared.wasm" };

/** The network of the first picture comes first. */
export const offeredNetworks: readonly OfferedNetwork[] = [
  {
    title: "SqueezeNet",
    about: "1,000 classes of ImageNet, 2.5 MB",
    network: { ...kernels, weights: "models/squeezenet1_1-caffe.safetensors", model: "squeezenet1_1-caffe" },
  },
  {
    title: "AlexNet mini",
    about: "10 classes, with LRN as in the paper, 3.6 MB",
    network: { ...kernels, weights: "models/alexnet-mini.safetensors", model: "alexnet-mini" },
  },
  {
    title: "VGG mini",
    about: "10 classes, plain 3×3 convolutions, 3.9 MB",
    network: { ...kernels, weights: "models/vgg-mini.safetensors", model: "vgg-mini" },
  },
];

/** Photos that come with the page. */
export const examples: readonly { readonly name: string; readonly file: string; readonly title: string }[] = [
  { name: "coffee", file: "examples/coffee.jpg", title: "A cup of coffee" },
  { name: "cat", file: "examples/cat.jpg", title: "A cat" },
];
