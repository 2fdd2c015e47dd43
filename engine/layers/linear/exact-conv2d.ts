import * as kernel from "../../../kernels-as/kernel-calls.js";
import { type FeatureMap, pixelsAt } from "../../memory/feature-map.ts";
import { unmodified } from "../../rules/rules.ts";
import type { ExactOutputs, Patches } from "../layer-kind.ts";
import { type ConvolutionSetup, type ConvolutionWeights, isDepthwise, packLength, padded } from "./conv2d-weights.ts";
import { depthwiseFirst, depthwiseLanes } from "./depthwise-pack.ts";

// Of the sum of |w| times the largest |x|: four units in the last place. Measured: float32 chose 18 winners behind SqueezeNet's first layer
// wrongly on 24 photos; all but one, whose output is 0 in float32, lie within it.
const rounding = 2 ** -22;

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest) largest = size;
  }
  return largest;
}

/** Where the weights of an output channel begin in the direct pack, `lanes` elements from one to the next, and their number. */
interface PackedChannels {
  readonly lanes: number;
  readonly weights: number;
  /** Element of the pack. */
  first(channel: number): number;
  /** Element of the bias as the kernels read it. */
  bias(channel: number): number;
  /** First input channel of its group. */
  input(channel: number): number;
}

function packedChannels(setup: ConvolutionSetup): PackedChannels {
  const { window, inPerGroup, outPerGroup } = setup;
  const [kh, kw] = window.kernelShape;
  const weights = kh * kw * inPerGroup;
  const groupOf = (channel: number): number => Math.floor(channel / outPerGroup);
  const input = (channel: number): number => groupOf(channel) * inPerGroup;
  if (isDepthwise(setup)) {
    const first = (channel: number): number => depthwiseFirst(channel, weights);
    return { lanes: depthwiseLanes, weights, first, bias: (channel) => channel, input };
  }
  const lanes = padded(1);
  return {
    lanes,
    weights,
    first(channel) {
      const g = groupOf(channel);
      const o = channel - g * outPerGroup;
      return g * packLength(setup) + (o - (o % lanes)) * weights + (o % lanes);
    },
    bias: (channel) => groupOf(channel) * padded(outPerGroup) + (channel % outPerGroup),
    input,
  };
}

/** What the outputs read. @param address of what the first tap of output (0,0) reads */
function patchesOf({ window }: ConvolutionSetup, x: FeatureMap, address: number): Patches {
  const { kernelShape, strides, dilations } = window;
  return {
    address,
    rowStride: strides[0] * x.rowStride,
    pixelStride: strides[1] * x.pixelStride,
    rows: kernelShape[0],
    stride: dilations[0] * x.rowStride,
    // Pixels between the taps too: patches that differ only there are told apart in double.
    length: (kernelShape[1] - 1) * dilations[1] * x.pixelStride + x.channels,
  };
}

/**
 * Single outputs of a convolution, summed in double.
 * @param firstTap address of what the first tap of output (0,0) reads
 */
export function exactConvolution(
  setup: ConvolutionSetup,
  weights: ConvolutionWeights,
  x: FeatureMap,
  firstTap: number,
  { low, high }: { readonly low: number; readonly high: number },
): ExactOutputs {
  const { window, group, inPerGroup, outPerGroup } = setup;
  const { arena, call } = setup.construction.kernels;
  const channels = group * outPerGroup;
  const tolerances = arena.allocate(4 * padded(channels));
  const packed = packedChannels(setup);
  const { lanes } = packed;
  const patches = patchesOf(setup, x, firstTap);
  let [pack, bias] = [0, 0];
  return {
    low,
    high,
    patches,
    ready() {
      pack = weights.forward(unmodified);
      bias = weights.kernelBias(weights.bias(unmodified));
      const largest = largestOf(arena.f32(x.address, (x.height - 1) * x.rowStride + x.width * x.pixelStride));
      const own = arena.f32(tolerances, channels);
      for (let channel = 0; channel < channels; channel++) {
        const values = arena.f32(pack + 4 * packed.first(channel), (packed.weights - 1) * lanes + 1);
        let sum = 0;
        for (let k = 0; k < values.length; k += lanes) sum += Math.abs(values[k]!);
        own[channel] = rounding * sum * largest;
      }
      return tolerances;
    },
    value(oy, ox, channel) {
      const place = oy * patches.rowStride + ox * patches.pixelStride + packed.input(channel);
      return kernel.conv2dSum64(call, {
        x: pixelsAt(x, patches.address + 4 * place),
        w: pack + 4 * packed.first(channel),
        wStep: lanes,
        bias: bias === 0 ? 0 : bias + 4 * packed.bias(channel),
        inC: inPerGroup,
        window,
      });
    },
  };
}
