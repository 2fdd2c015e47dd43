import type { NetworkDefinition, Preprocessing } from "../graph/definition.ts";
import { Chain } from "./chain.ts";
import { torchvisionPreprocessing, vggCaffePreprocessing, vggFacePreprocessing } from "./preprocessing.ts";

// Configuration D of Simonyan and Zisserman 2015: output channels of each block's 3x3 convolutions.
const blocks = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/** How a file calls the tensors of convolution `index` (from 0) of block `block`, and of dense layer `index`. */
interface TensorNames {
  convolution(block: number, index: number, position: number): string;
  dense(index: number): string;
}

function vgg(name: string, classes: number, preprocessing: Preprocessing, names: TensorNames): NetworkDefinition {
  const chain = new Chain();
  let position = 0; // in torchvision's `features`, which counts convolutions, ReLUs and pools
  blocks.forEach((channels, block) => {
    channels.forEach((outChannels, index) => {
      chain.convolution(`conv${block + 1}_${index + 1}`, names.convolution(block, index, position), outChannels, 3, {
        pad: 1,
      });
      position += 2;
    });
    chain.maxPool(`pool${block + 1}`, 2, 2);
    position += 1;
  });
  chain
    .add("flatten", { op: "flatten" })
    .dense("fc6", names.dense(0), 4096)
    .dense("fc7", names.dense(1), 4096)
    .dense("fc8", names.dense(2), classes, false)
    .add("prob", { op: "softmax" });
  return { name, inputShape: [3, 224, 224], nodes: chain.nodes, output: "prob", preprocessing };
}

const torchvisionNames: TensorNames = {
  convolution: (_block, _index, position) => `features.${position}`,
  dense: (index) => `classifier.${3 * index}`,
};

const caffeNames: TensorNames = {
  convolution: (block, index) => `conv${block + 1}_${index + 1}`,
  dense: (index) => `fc${index + 6}`,
};

/** torchvision's VGG-16. Weights: vgg16-*.pth. */
export function vgg16(): NetworkDefinition {
  return vgg("vgg16", 1000, torchvisionPreprocessing, torchvisionNames);
}

/** Oxford's VGG-16, VGG_ILSVRC_16_layers.caffemodel. Tensors are named as its Caffe layers. */
export function vgg16Caffe(): NetworkDefinition {
  return vgg("vgg16-caffe", 1000, vggCaffePreprocessing, caffeNames);
}

/** VGG-Face, Parkhi et al. 2015: VGG-16 for 2622 identities. Tensors are named as its Caffe layers. */
export function vggFace(): NetworkDefinition {
  return vgg("vgg-face", 2622, vggFacePreprocessing, caffeNames);
}
