import { mustHave } from "../basics/must-have.ts";
import type { NetworkDefinition, Preprocessing } from "../graph/definition.ts";
import { Chain } from "./chain.ts";
import { torchvisionPreprocessing, vggCaffePreprocessing, vggFacePreprocessing } from "./preprocessing.ts";

// Simonyan and Zisserman 2015, table 1: how many 3x3 convolutions each block has; 64, 128, 256, 512 and 512 channels.
const configurations = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;

type Depth = keyof typeof configurations;

const blockChannels = [64, 128, 256, 512, 512] as const;

/** How a file calls the tensors of convolution `index` (from 0) of block `block`, and of dense layer `index`. */
interface TensorNames {
  convolution(block: number, index: number, position: number): string;
  dense(index: number): string;
}

interface VggOptions {
  readonly depth: Depth;
  readonly classes: number;
  readonly preprocessing: Preprocessing;
  readonly names: TensorNames;
  /** Whether a batch norm follows each convolution. */
  readonly hasNorms?: boolean;
}

function vgg(name: string, { depth, classes, preprocessing, names, hasNorms = false }: VggOptions): NetworkDefinition {
  const chain = new Chain();
  let position = 0; // in torchvision's `features`, which counts convolutions, norms, ReLUs and pools
  configurations[depth].forEach((count, block) => {
    for (let index = 0; index < count; index++) {
      const place = `${block + 1}_${index + 1}`;
      const tensors = names.convolution(block, index, position);
      chain.convolution(`conv${place}`, tensors, mustHave(blockChannels[block], "channels"), 3, {
        pad: 1,
        relu: !hasNorms,
      });
      if (hasNorms) {
        chain.batchNorm(`norm${place}`, names.convolution(block, index, position + 1));
        chain.add(`relu${place}`, { op: "relu" });
      }
      position += hasNorms ? 3 : 2;
    }
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

/** torchvision's VGG of a depth, without or with batch norms. Weights: vgg16-*.pth, vgg16_bn-*.pth and so on. */
export function torchvisionVgg(depth: Depth, hasNorms: boolean): NetworkDefinition {
  const preprocessing = torchvisionPreprocessing;
  const name = `vgg${depth}${hasNorms ? "_bn" : ""}`;
  return vgg(name, { depth, classes: 1000, preprocessing, names: torchvisionNames, hasNorms });
}

/** torchvision's VGG-16. Weights: vgg16-*.pth. */
export function vgg16(): NetworkDefinition {
  return torchvisionVgg(16, false);
}

/** Oxford's VGG-16, VGG_ILSVRC_16_layers.caffemodel. Tensors are named as its Caffe layers. */
export function vgg16Caffe(): NetworkDefinition {
  const preprocessing = vggCaffePreprocessing;
  return vgg("vgg16-caffe", { depth: 16, classes: 1000, preprocessing, names: caffeNames });
}

/** VGG-Face, Parkhi et al. 2015: VGG-16 for 2622 identities. Tensors are named as its Caffe layers. */
export function vggFace(): NetworkDefinition {
  const preprocessing = vggFacePreprocessing;
  return vgg("vgg-face", { depth: 16, classes: 2622, preprocessing, names: caffeNames });
}
