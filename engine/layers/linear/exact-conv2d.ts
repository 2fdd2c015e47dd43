import type { FeatureMap } from "../../memory/feature-map.ts";
import { imageArgs, namedCall } from "../../memory/named.ts";
import { unmodified } from "../../rules/rules.ts";
import type { ExactOutputs, Patches } from "../layer-kind.ts";
import { type ConvolutionSetup, type ConvolutionWeights, packLength, padded } from "./conv2d-weights.ts";

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
  const { window, group, inPerGroup, outPerGroup, isDepthwise } = setup;
  const { arena, call } = setup.construction.kernels;
  const [kh, kw] = window.kernelShape;
  const [dh, dw] = window.dilations;
  const patches: Patches = {
    address: firstTap,
    rowStride: window.strides[0] * x.rowStride,
    pixelStride: window.strides[1] * x.pixelStride,
    rows: kh,
    stride: dh * x.rowStride,
    // Pixels between the taps too: patches that differ only there are told apart in double.
    length: (kw - 1) * dw * x.pixelStride + x.channels,
  };
  const channels = group * outPerGroup;
  const tolerances = arena.allocate(4 * padded(channels));
  const lanes = isDepthwise ? group : padded(1);
  /** Where the weights of an output channel begin in the pack, `lanes` elements from one to the next. */
  const firstWeight = (channel: number): number => {
    if (isDepthwise) return channel;
    const g = Math.floor(channel / outPerGroup);
    const o = channel - g * outPerGroup;
    return g * packLength(setup) + (o - (o % lanes)) * kh * kw * inPerGroup + (o % lanes);
  };
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
        const values = arena.f32(pack + 4 * firstWeight(channel), (kh * kw * inPerGroup - 1) * lanes + 1);
        let sum = 0;
        for (let k = 0; k < values.length; k += lanes) sum += Math.abs(values[k]!);
        own[channel] = rounding * sum * largest;
      }
      return tolerances;
    },
    value(oy, ox, channel) {
      const g = Math.floor(channel / outPerGroup);
      const ownBias = isDepthwise ? channel : g * padded(outPerGroup) + (channel - g * outPerGroup);
      const patch = patches.address + 4 * (oy * patches.rowStride + ox * patches.pixelStride + g * inPerGroup);
      return call.conv2dSum64(
        ...namedCall("conv2dSum64", imageArgs("x", x, patch), {
          w: pack + 4 * firstWeight(channel),
          wStep: lanes,
          bias: bias === 0 ? 0 : bias + 4 * ownBias,
          inC: inPerGroup,
          kh,
          kw,
          dilationH: dh,
          dilationW: dw,
        }),
      );
    },
  };
}
