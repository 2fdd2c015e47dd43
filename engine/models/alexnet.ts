import type { NetworkDefinition } from "../graph/definition.ts";
import { Chain } from "./chain.ts";
import { caffeReferencePreprocessing, torchvisionPreprocessing } from "./preprocessing.ts";

/**
 * torchvision's AlexNet: the single-column network of Krizhevsky 2014 ("One weird trick"), without LRN and groups.
 * Weights: alexnet-owt-*.pth.
 */
export function alexnet(): NetworkDefinition {
  const chain = new Chain()
    .convolution("conv1", "features.0", 64, 11, { stride: 4, pad: 2 })
    .maxPool("pool1", 3, 2)
    .convolution("conv2", "features.3", 192, 5, { pad: 2 })
    .maxPool("pool2", 3, 2)
    .convolution("conv3", "features.6", 384, 3, { pad: 1 })
    .convolution("conv4", "features.8", 256, 3, { pad: 1 })
    .convolution("conv5", "features.10", 256, 3, { pad: 1 })
    .maxPool("pool5", 3, 2)
    .add("flatten", { op: "flatten" })
    .dense("fc6", "classifier.1", 4096)
    .dense("fc7", "classifier.4", 4096)
    .dense("fc8", "classifier.6", 1000, false)
    .add("prob", { op: "softmax" });
  return {
    name: "alexnet",
    inputShape: [3, 224, 224],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: torchvisionPreprocessing,
  };
}

const lrn = { op: "lrn", size: 5, alpha: 1e-4, beta: 0.75, bias: 1 } as const;

/** The two-column network of Krizhevsky et al. 2012 with LRN and groups, as Caffe's reference models have it. */
function caffeAlexnet(name: string, poolsFirst: boolean): NetworkDefinition {
  const chain = new Chain();
  const normAndPool = (index: number): void => {
    if (poolsFirst) chain.maxPool(`pool${index}`, 3, 2, true).add(`norm${index}`, lrn);
    else chain.add(`norm${index}`, lrn).maxPool(`pool${index}`, 3, 2, true);
  };
  chain.convolution("conv1", "conv1", 96, 11, { stride: 4 });
  normAndPool(1);
  chain.convolution("conv2", "conv2", 256, 5, { pad: 2, group: 2 });
  normAndPool(2);
  chain
    .convolution("conv3", "conv3", 384, 3, { pad: 1 })
    .convolution("conv4", "conv4", 384, 3, { pad: 1, group: 2 })
    .convolution("conv5", "conv5", 256, 3, { pad: 1, group: 2 })
    .maxPool("pool5", 3, 2, true)
    .add("flatten", { op: "flatten" })
    .dense("fc6", "fc6", 4096)
    .dense("fc7", "fc7", 4096)
    .dense("fc8", "fc8", 1000, false)
    .add("prob", { op: "softmax" });
  return {
    name,
    inputShape: [3, 227, 227],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: caffeReferencePreprocessing,
  };
}

/** bvlc_alexnet.caffemodel: ReLU, LRN, pool; groups of 2 in conv2, conv4 and conv5. Tensors are named as its Caffe layers. */
export function alexnetBvlc(): NetworkDefinition {
  return caffeAlexnet("alexnet-bvlc", false);
}

/** bvlc_reference_caffenet.caffemodel: as alexnet-bvlc with pooling before LRN. */
export function caffenet(): NetworkDefinition {
  return caffeAlexnet("caffenet", true);
}
