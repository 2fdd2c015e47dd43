import type { WebNetwork } from "../messages.ts";
import { fileAddress, hasFile } from "./brought.ts";

/** A network that the page offers at once. */
export interface OfferedNetwork {
  readonly title: string;
  readonly about: string;
  readonly network: WebNetwork;
}

/** Where the page has its kernels. */
export const pageKernels: Pick<WebNetwork, "kernels" | "kernelsShared"> = {
  kernels: fileAddress("kernels.wasm"),
  kernelsShared: fileAddress("kernels-shared.wasm"),
};

const bundled: readonly { readonly title: string; readonly about: string; readonly model: string }[] = [
  {
    title: "SqueezeNet",
    about: "1,000 classes of ImageNet, 2.5 MB",
    model: "squeezenet1_1-caffe",
  },
  {
    title: "AlexNet mini",
    about: "10 classes, with LRN as in the paper, 3.6 MB",
    model: "alexnet-mini",
  },
  {
    title: "VGG mini",
    about: "10 classes, plain 3×3 convolutions, 3.9 MB",
    model: "vgg-mini",
  },
];

/** The network of the first picture comes first. */
export const offeredNetworks: readonly OfferedNetwork[] = bundled
  .filter(({ model }) => hasFile(`models/${model}.safetensors`))
  .map(({ title, about, model }) => ({
    title,
    about,
    network: { ...pageKernels, weights: fileAddress(`models/${model}.safetensors`), model },
  }));

/** Photos that come with the page. */
export const examples: readonly { readonly name: string; readonly file: string; readonly title: string }[] = [
  { name: "coffee", file: fileAddress("examples/coffee.jpg"), title: "A cup of coffee" },
  { name: "cat", file: fileAddress("examples/cat.jpg"), title: "A cat" },
];
