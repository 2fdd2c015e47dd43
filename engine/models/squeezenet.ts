import type { NetworkDefinition } from "../graph/definition.ts";
import { Chain } from "./chain.ts";
import { torchvisionPreprocessing } from "./preprocessing.ts";

/** A fire module: 1x1 convolutions to `squeeze` channels, then 1x1 and 3x3 side by side to `expand` each. */
function fire(chain: Chain, index: number, squeeze: number, expand: number): void {
  const tensors = `features.${index}`;
  const name = `fire${index}`;
  chain.convolution(`${name}/squeeze`, `${tensors}.squeeze`, squeeze, 1, { relu: false });
  chain.add(`${name}/squeeze/relu`, { op: "relu" });
  const squeezed = chain.last;
  for (const [kernel, pad] of [
    [1, 0],
    [3, 1],
  ] as const) {
    const part = `expand${kernel}x${kernel}`;
    chain.add(
      `${name}/${part}`,
      {
        op: "conv2d",
        outChannels: expand,
        kernelShape: [kernel, kernel],
        pads: [pad, pad, pad, pad],
        weight: `${tensors}.${part}.weight`,
        bias: `${tensors}.${part}.bias`,
      },
      [squeezed],
    );
    chain.add(`${name}/${part}/relu`, { op: "relu" });
  }
  chain.add(`${name}/concat`, { op: "concat" }, [`${name}/expand1x1/relu`, `${name}/expand3x3/relu`]);
}

/** Stages in order; numbers are [squeeze, expand] of a fire module. Indices are those of torchvision's `features`. */
function squeezenet(
  name: string,
  firstChannels: number,
  firstKernel: number,
  stages: readonly ("pool" | readonly [number, number])[],
): NetworkDefinition {
  const chain = new Chain().convolution("conv1", "features.0", firstChannels, firstKernel, { stride: 2 });
  stages.forEach((stage, position) => {
    const index = position + 2; // after the first convolution and its ReLU
    if (stage === "pool") chain.maxPool(`pool${index}`, 3, 2, true);
    else fire(chain, index, ...stage);
  });
  chain
    .add("dropout", { op: "dropout" })
    .convolution("conv10", "classifier.1", 1000, 1)
    .add("logits", { op: "globalAveragePool2d" })
    .add("prob", { op: "softmax" });
  return {
    name,
    inputShape: [3, 224, 224],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: torchvisionPreprocessing,
  };
}

/** SqueezeNet 1.0 (Iandola et al. 2016), torchvision's tensor names. */
export function squeezenet1_0(): NetworkDefinition {
  return squeezenet("squeezenet1_0", 96, 7, [
    "pool",
    [16, 64],
    [16, 64],
    [32, 128],
    "pool",
    [32, 128],
    [48, 192],
    [48, 192],
    [64, 256],
    "pool",
    [64, 256],
  ]);
}

/**
 * SqueezeNet 1.1 with the weights of its authors' Caffe release, which come with the package (models/squeezenet.py): 1,000 classes. Photos
 * are squashed to 224x224, as its training squashed them, so that the maps cover the whole photo.
 */
export function squeezenet1_1Caffe(): NetworkDefinition {
  const preprocessing = { ...torchvisionPreprocessing, resize: "squash", resizeTo: 224 } as const;
  return { ...squeezenet1_1(), name: "squeezenet1_1-caffe", preprocessing };
}

/** SqueezeNet 1.1: 2.4 times less work at the same accuracy; torchvision's tensor names. */
export function squeezenet1_1(): NetworkDefinition {
  return squeezenet("squeezenet1_1", 64, 3, [
    "pool",
    [16, 64],
    [16, 64],
    "pool",
    [32, 128],
    [32, 128],
    "pool",
    [48, 192],
    [48, 192],
    [64, 256],
    [64, 256],
  ]);
}
