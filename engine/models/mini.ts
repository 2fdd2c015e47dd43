import { mustHave } from "../basics/must-have.ts";
import type { NetworkDefinition, Preprocessing } from "../graph/definition.ts";
import { imagenetLabels } from "../labels/imagenet.ts";
import { Chain } from "./chain.ts";
import { torchvisionPreprocessing } from "./preprocessing.ts";

/** ImageNet indices of the ten classes (Imagenette's) that the networks in the package know, in their output order. */
export const imagenetteIndices: readonly number[] = [0, 217, 482, 491, 497, 566, 569, 571, 574, 701];

const labels: readonly string[] = imagenetteIndices.map((index) => mustHave(imagenetLabels[index], "label"));

// Photos are squashed to 224x224: the networks were trained on squashed photos, and the maps then cover the whole photo. The model
// cards have what torchvision's resizing and cropping does to the accuracy instead.
const squashed: Preprocessing = { ...torchvisionPreprocessing, resize: "squash", resizeTo: 224 };

const lrn = { op: "lrn", size: 5, alpha: 1e-4, beta: 0.75, bias: 1 } as const;

/**
 * A small AlexNet in the shape of Krizhevsky et al. 2012: 11x11/4 first layer, LRN, groups of 2, overlapping pools, three dense
 * layers. Trained by models/train.py on ten classes; its weights come with the package.
 */
export function alexnetMini(): NetworkDefinition {
  const chain = new Chain()
    .convolution("conv1", "features.0", 64, 11, { stride: 4, pad: 2 })
    .add("norm1", lrn)
    .maxPool("pool1", 3, 2)
    .convolution("conv2", "features.3", 192, 5, { pad: 2, group: 2 })
    .add("norm2", lrn)
    .maxPool("pool2", 3, 2)
    .convolution("conv3", "features.6", 256, 3, { pad: 1 })
    .convolution("conv4", "features.8", 256, 3, { pad: 1, group: 2 })
    .convolution("conv5", "features.10", 160, 3, { pad: 1, group: 2 })
    .maxPool("pool5", 3, 2)
    .add("flatten", { op: "flatten" })
    .dense("fc6", "classifier.1", 128)
    .dense("fc7", "classifier.4", 128)
    .dense("fc8", "classifier.6", 10, false)
    .add("prob", { op: "softmax" });
  return {
    name: "alexnet-mini",
    inputShape: [3, 224, 224],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: squashed,
    labels,
  };
}

// With ReLUs in the head a photo could leave no unit active, and the answer came from biases alone.
const leaky = { op: "leakyRelu", slope: 0.01 } as const;

// Output channels of each block's 3x3 convolutions.
const blocks = [[16], [32, 32], [64, 64], [128, 128, 128], [192, 192, 192]] as const;

/**
 * A small VGG in the shape of Simonyan and Zisserman 2015: stacks of 3x3 convolutions, 2x2 pools, three dense layers with leaky
 * units between them. Trained by models/train.py on ten classes; its weights come with the package.
 */
export function vggMini(): NetworkDefinition {
  const chain = new Chain();
  let position = 0; // as torchvision counts in `features`: convolutions, ReLUs and pools
  blocks.forEach((channels, block) => {
    channels.forEach((outChannels, index) => {
      chain.convolution(`conv${block + 1}_${index + 1}`, `features.${position}`, outChannels, 3, { pad: 1 });
      position += 2;
    });
    chain.maxPool(`pool${block + 1}`, 2, 2);
    position += 1;
  });
  chain
    .add("flatten", { op: "flatten" })
    .dense("fc6", "classifier.0", 64, false)
    .add("relu6", leaky)
    .add("drop6", { op: "dropout" })
    .dense("fc7", "classifier.3", 64, false)
    .add("relu7", leaky)
    .add("drop7", { op: "dropout" })
    .dense("fc8", "classifier.6", 10, false)
    .add("prob", { op: "softmax" });
  return {
    name: "vgg-mini",
    inputShape: [3, 224, 224],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: squashed,
    labels,
  };
}
