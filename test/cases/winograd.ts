import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { plainPreprocessing } from "./networks.ts";

/** A convolution with stride 1 for Winograd's algorithm, and why it is here. Channels are those of the whole layer; pad is that
 * of a 3x3 filter, a 5x5 one has one more. */
export interface WinogradCase {
  readonly reason: string;
  readonly channels: number;
  readonly outChannels: number;
  readonly height: number;
  readonly width: number;
  readonly pad: number;
  readonly group: number;
  readonly hasBias: boolean;
}

const base = { channels: 16, outChannels: 16, height: 10, width: 13, pad: 1, group: 1, hasBias: true };

/** Tile and panel tails, uneven images, pads, groups. */
export const winogradCases: readonly WinogradCase[] = [
  { ...base, reason: "plain" },
  { ...base, reason: "no bias", hasBias: false },
  { ...base, reason: "outputs are whole tiles of both sizes", height: 8, width: 12 },
  { ...base, reason: "one row and column beyond whole tiles", height: 9, width: 5 },
  { ...base, reason: "three tiles: a tail of the 4-tile product", height: 4, width: 12 },
  { ...base, reason: "without padding", pad: 0, height: 7, width: 9 },
  { ...base, reason: "the gradient's padding", pad: 2, height: 6, width: 7 },
  { ...base, reason: "channels differ", channels: 24, outChannels: 40 },
  { ...base, reason: "two groups, as BVLC AlexNet", channels: 32, outChannels: 48, group: 2 },
];

const conv = (name: string, from: string, outChannels: number, pad: number, group = 1, taps = 3) =>
  ({
    name,
    inputs: [from],
    op: "conv2d",
    outChannels,
    kernelShape: [taps, taps],
    pads: [pad, pad, pad, pad],
    group,
    weight: `${name}.weight`,
    bias: `${name}.bias`,
  }) as const;

/** All tiles, groups, pads 0 to 2, a pooled and a direct layer between. */
export const winogradNetwork: NetworkDefinition = {
  name: "winograd",
  inputShape: [16, 21, 23],
  nodes: [
    conv("a", "input", 24, 1),
    { name: "a-relu", inputs: ["a"], op: "relu" },
    conv("b", "a-relu", 32, 0, 1),
    { name: "b-relu", inputs: ["b"], op: "relu" },
    { name: "pool", inputs: ["b-relu"], op: "maxPool2d", kernelShape: [2, 2], strides: [2, 2] },
    conv("c", "pool", 48, 2, 2),
    { name: "c-relu", inputs: ["c"], op: "relu" },
    conv("c5", "c-relu", 32, 2, 2, 5),
    { name: "c5-relu", inputs: ["c5"], op: "relu" },
    conv("d", "c5-relu", 5, 1),
    { name: "flat", inputs: ["d"], op: "flatten" },
    { name: "e", inputs: ["flat"], op: "dense", outFeatures: 7, weight: "e.weight", bias: "e.bias" },
  ],
  output: "e",
  preprocessing: plainPreprocessing,
};
