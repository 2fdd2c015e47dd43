import { readFileSync } from "node:fs";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { modelByName } from "../../engine/models/index.ts";
import { torchvisionPreprocessing } from "../../engine/models/preprocessing.ts";
import { Network } from "../../engine/network/network.ts";
import { preprocess } from "../../engine/picture/preprocess.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { bindWeights, bytesSource, openWeights } from "../../weights-loader/index.ts";
import { testKernels } from "./kernels.ts";
import { root, sharedData } from "./paths.ts";

/** The real weights that lie outside the project. */
export const squeezenetWeights: string = `${sharedData}squeezenet1_0.safetensors`;
/** 250 photos of 224x224 with their classes. */
export const validationPhotos: string = `${sharedData}ilsvrc2012-val/`;

/**
 * SqueezeNet 1.0 with real weights; photos are taken as they are, 224x224.
 * @param headPad padding of the last convolution: 0 in torchvision, 1 in the authors' prototxt
 */
export async function realSqueezenet(headPad: 0 | 1 = 0): Promise<Network> {
  const model = modelByName("squeezenet1_0");
  const preprocessing = { ...torchvisionPreprocessing, resize: "none" as const };
  const pads = [headPad, headPad, headPad, headPad] as const;
  const nodes = model.nodes.map((node) => (node.name === "conv10" ? { ...node, pads } : node));
  const network = new Network(testKernels(), { ...model, nodes, preprocessing });
  await bindWeights(network, await openWeights(bytesSource(readFileSync(squeezenetWeights))));
  return network;
}

/** A photo file as the network's input. */
export function photoTensor(network: Network, path: string): Tensor {
  const { preprocessing, inputShape } = network.definition;
  return preprocess(decodeImage(readFileSync(path)), preprocessing, inputShape).tensor;
}

/** Photos of the repository whose maps are stored in test/golden/squeezenet. */
export const goldenPhotos: readonly string[] = ["cat.jpg", "coffee.jpg"].map((name) => `${root}examples/${name}`);
