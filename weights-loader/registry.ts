import { didYouMean } from "../engine/basics/errors.ts";

/** An official weight file of one of the package's networks: where it lies and how to know it. */
export interface RegisteredWeights {
  /** Name of the network, as `modelByName` of the engine knows it. */
  readonly model: string;
  readonly file: string;
  readonly url: string;
  /** Size in bytes, where it is published. */
  readonly byteLength?: number;
  /** SHA-256 in hexadecimal; its first digits alone where the publisher gives no more (PyTorch puts eight into the name). */
  readonly sha256: string;
}

const pytorch = "https://download.pytorch.org/models/";

/** A file of which PyTorch publishes the first digits of its checksum alone, in its name. */
function ofPytorch(model: string, sha256: string): RegisteredWeights {
  const file = `${model}-${sha256}.pth`;
  return { model, file, url: `${pytorch}${file}`, sha256 };
}

/** The files themselves are their publishers'; sizes and checksums as published (see each URL). */
const registry: readonly RegisteredWeights[] = [
  {
    model: "alexnet",
    file: "alexnet-owt-7be5be79.pth",
    url: `${pytorch}alexnet-owt-7be5be79.pth`,
    byteLength: 244_408_911,
    sha256: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
  },
  {
    model: "vgg16",
    file: "vgg16-397923af.pth",
    url: `${pytorch}vgg16-397923af.pth`,
    byteLength: 553_433_881,
    sha256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
  },
  ofPytorch("vgg11", "8a719046"),
  ofPytorch("vgg13", "19584684"),
  ofPytorch("vgg19", "dcbb9e9d"),
  ofPytorch("vgg11_bn", "6002323d"),
  ofPytorch("vgg13_bn", "abd245e5"),
  ofPytorch("vgg16_bn", "6c64b313"),
  ofPytorch("vgg19_bn", "c79401a0"),
  ofPytorch("resnet18", "f37072fd"),
  ofPytorch("resnet34", "b627a593"),
  ofPytorch("resnet50", "0676ba61"),
  ofPytorch("squeezenet1_0", "b66bff10"),
  ofPytorch("squeezenet1_1", "b8a52dc0"),
  {
    model: "alexnet-bvlc",
    file: "bvlc_alexnet.caffemodel",
    url: "http://dl.caffe.berkeleyvision.org/bvlc_alexnet.caffemodel",
    byteLength: 243_862_414,
    sha256: "4bff209a9837298157915ef50a4831a59636a6ca1a6b8ebacd990c3a5f3053e0",
  },
  {
    model: "vgg16-caffe",
    file: "VGG_ILSVRC_16_layers.caffemodel",
    url: "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/VGG_ILSVRC_16_layers.caffemodel",
    byteLength: 553_432_081,
    sha256: "a6196bc498e45ea4cb2637114ae8db9410cf1556fd60a55ae93272371beba197",
  },
];

/** Networks whose official weights can be fetched. */
export function registeredModels(): readonly string[] {
  return registry.map(({ model }) => model);
}

/**
 * The official weights of a network.
 * @throws RangeError for a network without registered weights, with the nearest name
 */
export function registeredWeights(model: string): RegisteredWeights {
  const found = registry.find((entry) => entry.model === model);
  if (found === undefined) {
    const names = registeredModels();
    throw new RangeError(
      `model "${model}": no official weights are registered.${didYouMean(model, names)} Registered are ${names.join(", ")}.`,
    );
  }
  return found;
}
