import { tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels } from "../../engine/memory/kernels.ts";
import { Network } from "../../engine/network/network.ts";
import { fillValues } from "../../test/cases/values.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { convolution64 } from "../nets/float64.ts";
import { bareConvolution, type ConvSize, convOutput } from "../nets/shapes.ts";
import { arithmetic } from "./convolution.ts";
import { streaming } from "./roof.ts";

// kernel, stride, height and width of the input, channels; of MobileNetV3-large, EfficientNet-B0 and ConvNeXt-tiny, and the widest of MobileNetV1.
const sizes: readonly (readonly [kernel: number, stride: number, side: number, channels: number])[] = [
  [3, 1, 112, 16],
  [3, 1, 112, 32],
  [3, 1, 56, 72],
  [3, 1, 56, 144],
  [3, 1, 14, 184],
  [3, 1, 14, 480],
  [3, 1, 14, 512],
  [3, 1, 7, 1024],
  [3, 1, 7, 1152],
  [3, 2, 112, 64],
  [3, 2, 112, 96],
  [3, 2, 28, 240],
  [3, 2, 14, 512],
  [5, 1, 28, 120],
  [5, 1, 28, 240],
  [5, 1, 14, 480],
  [5, 1, 14, 672],
  [5, 1, 7, 960],
  [5, 1, 7, 1152],
  [5, 2, 56, 72],
  [5, 2, 56, 144],
  [5, 2, 14, 672],
  [7, 1, 56, 96],
  [7, 1, 28, 192],
  [7, 1, 14, 384],
  [7, 1, 7, 768],
];

/**
 * The depthwise convolutions of networks that people use, beside both roofs: multiplying and adding, and reading and writing what the layer must. The pass to
 * the input is the same kernel with turned weights, of stride 1.
 */
export function benchDepthwise(module: WebAssembly.Module, effort: Effort): Result[] {
  const streamMs = streaming(effort);
  return sizes.slice(0, effort.once ? 1 : undefined).map(([kernel, stride, side, channels]): Result => {
    const pad = kernel >> 1;
    const size: ConvSize = {
      channels,
      height: side,
      width: side,
      outChannels: channels,
      kernel,
      stride,
      pad,
      group: channels,
    };
    const name = `${kernel}x${kernel} stride ${stride}, ${side}x${side}x${channels}`;
    const weights = fillValues(channels * kernel ** 2, "uniform", 41);
    const image = fillValues(channels * side * side, "uniform", 42);
    const network = new Network(instantiateKernels(module), bareConvolution(size), { algorithm: "direct" });
    network.setRows("w", 0, weights);
    const output = network.forward(tensor([channels, side, side], image)).data;
    const exact = convolution64(size, weights, image, 30);
    const sampled = exact.places.map((place) => output[place]!);
    const [built] = network.layers;
    if (built === undefined) throw new Error("depthwise: a network without layers.");
    const [inBytes, outBytes] = [4 * channels * (side + 2 * pad) ** 2, 4 * channels * convOutput(size, side) ** 2];
    return {
      group: "depthwise convolutions",
      name,
      by: "srmap",
      threads: 1,
      flop: arithmetic(size, 0),
      check: checked(name, sampled, exact.values, "float64", 1e-5),
      timing: measure(effort, () => built.runtime.forward(), 0.3),
      streamMs: streamMs(inBytes, outBytes),
    };
  });
}
