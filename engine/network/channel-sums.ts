import { elementCount, type Tensor, tensor } from "../basics/tensor.ts";

/** Relevance inside the network. */
export interface LayerRelevance {
  readonly layer: string;
  /** [C,H,W] or [F]. */
  readonly relevance: Tensor;
  /** Every channel with the sum of its relevance, largest first. */
  readonly channels: readonly { readonly channel: number; readonly relevance: number }[];
}

/** The sum of each channel's relevance, one number per channel. */
function channelSums({ shape, data }: Tensor): number[] {
  const [channels = 1] = shape;
  const area = elementCount(shape) / channels;
  return Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (const value of data.subarray(channel * area, (channel + 1) * area)) sum += value;
    return sum;
  });
}

/** Relevance at a layer with its channels ranked; equal ones keep their order. */
export function layerRelevance(layer: string, relevance: Tensor): LayerRelevance {
  const channels = channelSums(relevance).map((sum, channel) => ({ channel, relevance: sum }));
  return { layer, relevance, channels: channels.sort((a, b) => b.relevance - a.relevance || a.channel - b.channel) };
}

/** Relevance [C,H,W] summed over the channels: [H,W]. */
export function sumOverChannels({ shape, data }: Tensor): Tensor {
  const [channels = 1, ...rest] = shape;
  const area = elementCount(rest);
  const sums = new Float64Array(area);
  for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) sums[i]! += data[c * area + i]!;
  return tensor(rest, Float32Array.from(sums));
}
