import type { Pads, Pair } from "../../engine/graph/definition.ts";
import { type Fill, fillValues } from "./values.ts";

/** A convolution to check or to time: shapes, how the values are drawn, and why it is here. */
export interface Conv2dCase {
  readonly name: string;
  readonly reason: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly group: number;
  readonly hasBias: boolean;
  readonly fill: Fill;
}

type Row = Pick<Conv2dCase, "name" | "reason"> & Partial<Conv2dCase>;

// A small layer that every row changes in one respect.
const base: Omit<Conv2dCase, "name" | "reason"> = {
  channels: 4,
  height: 7,
  width: 9,
  outChannels: 8,
  kernelShape: [3, 3],
  strides: [1, 1],
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  group: 1,
  hasBias: true,
  fill: "uniform",
};

const channelTails: Row[] = [1, 2, 3, 5, 7, 8, 9, 16].map((channels) => ({
  name: `${channels} input channels`,
  reason: "lane tails of the reduction",
  channels,
}));

const narrowGradients: Row[] = [
  { name: "three channels, stride 2", channels: 3, kernelShape: [5, 5] as const, strides: [2, 2] as const },
  { name: "two channels, dilated", channels: 2, dilations: [2, 3] as const, width: 12 },
  { name: "two groups of three channels", channels: 6, group: 2 },
  { name: "one channel, one output pixel a row", channels: 1, width: 3, pads: [1, 0, 1, 0] as const },
  { name: "three channels, sums too long for it", channels: 3, outChannels: 256, height: 4, width: 4 },
].map((row) => ({ ...row, reason: "gradient with few channels" }));

const outChannelTails: Row[] = [1, 2, 3, 4, 5, 7, 9, 15, 16, 17].map((outChannels) => ({
  name: `${outChannels} output channels`,
  reason: "tails of the 8-channel tile",
  outChannels,
}));

const widthTails: Row[] = [1, 2, 3, 4, 5, 7, 8, 11].map((width) => ({
  name: `width ${width}`,
  reason: "tails of the 4-pixel tile",
  width,
}));

const strideByKernel: Row[] = [1, 2, 3, 4].flatMap((stride) =>
  [1, 2, 3, 5].map(
    (kernel): Row => ({
      name: `kernel ${kernel} stride ${stride}`,
      reason:
        kernel < stride
          ? "inputs between windows are read by none: their gradient is 0"
          : kernel === stride
            ? "windows touch and do not overlap"
            : "windows overlap by kernel - stride",
      height: 11,
      width: 12,
      kernelShape: [kernel, kernel],
      strides: [stride, stride],
      pads: [0, 0, 0, 0],
    }),
  ),
);

const rows: Row[] = [
  { name: "base", reason: "the plain 3x3" },
  ...channelTails,
  ...narrowGradients,
  ...outChannelTails,
  ...widthTails,
  ...strideByKernel,
  { name: "uneven strides", reason: "height and width must not be swapped", strides: [1, 3] },
  {
    name: "oblong kernel 1x5",
    reason: "height and width must not be swapped",
    kernelShape: [1, 5],
    pads: [0, 2, 0, 2],
  },
  {
    name: "oblong kernel 5x1",
    reason: "height and width must not be swapped",
    kernelShape: [5, 1],
    pads: [2, 0, 2, 0],
  },
  { name: "even kernel 2x4", reason: "no middle", kernelShape: [2, 4], pads: [0, 1, 1, 2] },
  { name: "pads 0 1 2 3", reason: "all four sides differ", pads: [0, 1, 2, 3] },
  { name: "pads only at the end", reason: "TensorFlow's SAME with stride 2", pads: [0, 0, 1, 1], strides: [2, 2] },
  { name: "pads beyond the kernel", reason: "border outputs see only zeros, that is the bias", pads: [4, 3, 4, 5] },
  {
    name: "stride leaves a rest",
    reason: "last rows and columns are read by no window",
    height: 8,
    width: 10,
    strides: [3, 3],
    pads: [0, 0, 0, 0],
  },
  { name: "dilation 2", reason: "a trous", dilations: [2, 2], pads: [2, 2, 2, 2] },
  { name: "dilation 3x1", reason: "uneven dilation", dilations: [3, 1], pads: [3, 1, 3, 1] },
  {
    name: "dilation 2 stride 2",
    reason: "dilated taps and strided windows together",
    dilations: [2, 2],
    strides: [2, 2],
    pads: [2, 1, 1, 2],
    height: 10,
    width: 11,
  },
  {
    name: "dilation 2 stride 3 uneven",
    reason: "gradient meets inexact divisions",
    dilations: [2, 1],
    strides: [3, 2],
    pads: [1, 0, 2, 1],
    height: 12,
    width: 9,
  },
  { name: "2 groups", reason: "BVLC AlexNet", channels: 6, outChannels: 10, group: 2 },
  { name: "3 groups of 1 output", reason: "group tails", channels: 6, outChannels: 3, group: 3 },
  { name: "groups of 16 outputs", reason: "full tiles per group", channels: 8, outChannels: 32, group: 2 },
  {
    name: "groups with stride and dilation",
    reason: "all index terms at once",
    channels: 6,
    outChannels: 4,
    group: 2,
    strides: [2, 1],
    dilations: [1, 2],
    pads: [0, 2, 1, 1],
  },
  { name: "depthwise", reason: "one channel per group", channels: 5, outChannels: 5, group: 5 },
  {
    name: "depthwise 8 channels stride 2",
    reason: "MobileNet",
    channels: 8,
    outChannels: 8,
    group: 8,
    strides: [2, 2],
    pads: [0, 0, 1, 1],
    height: 8,
    width: 8,
  },
  { name: "depthwise multiplier 2", reason: "two outputs per channel", channels: 5, outChannels: 10, group: 5 },
  {
    name: "depthwise multiplier 3",
    reason: "odd multiplier",
    channels: 3,
    outChannels: 9,
    group: 3,
    kernelShape: [5, 5],
    pads: [2, 2, 2, 2],
  },
  {
    name: "1x1 kernel",
    reason: "a matrix product",
    kernelShape: [1, 1],
    pads: [0, 0, 0, 0],
    channels: 17,
    outChannels: 13,
  },
  { name: "1x1 kernel padded", reason: "the border is the bias", kernelShape: [1, 1], pads: [1, 0, 0, 2] },
  {
    name: "1x1 kernel stride 2",
    reason: "ResNet's shortcut",
    kernelShape: [1, 1],
    pads: [0, 0, 0, 0],
    strides: [2, 2],
    height: 8,
    width: 8,
  },
  { name: "1x1 image", reason: "everything but the middle tap is padding", height: 1, width: 1 },
  {
    name: "1x1 image 1x1 kernel",
    reason: "a single pixel",
    height: 1,
    width: 1,
    kernelShape: [1, 1],
    pads: [0, 0, 0, 0],
  },
  {
    name: "kernel as large as the image",
    reason: "a dense layer in disguise",
    kernelShape: [7, 9],
    pads: [0, 0, 0, 0],
  },
  { name: "one channel in and out", reason: "nothing fills a lane", channels: 1, outChannels: 1 },
  {
    name: "11x11 stride 4",
    reason: "AlexNet's first layer",
    channels: 3,
    height: 23,
    width: 27,
    outChannels: 9,
    kernelShape: [11, 11],
    strides: [4, 4],
    pads: [2, 2, 2, 2],
  },
  {
    name: "7x7 stride 2",
    reason: "ResNet's and SqueezeNet's first layer",
    channels: 3,
    height: 17,
    width: 18,
    kernelShape: [7, 7],
    strides: [2, 2],
    pads: [3, 3, 3, 3],
  },
  { name: "no bias", reason: "accumulators start at 0", hasBias: false },
  {
    name: "no bias, groups",
    reason: "accumulators start at 0",
    hasBias: false,
    channels: 6,
    outChannels: 10,
    group: 2,
  },
  { name: "rectified input", reason: "what most layers see: half zeros", fill: "rectified" },
  { name: "zeros", reason: "nothing in, the bias out", fill: "zeros" },
  { name: "denormals", reason: "no flush to zero is relied on", fill: "denormal" },
  { name: "huge values", reason: "no overflow before the result has it", fill: "huge" },
  { name: "integers", reason: "exact in float32: the result must be too", fill: "integers" },
];

/** The convolutions that every implementation of conv2d is checked with. */
export const conv2dCases: readonly Conv2dCase[] = rows.map((row) => ({ ...base, ...row }));

/** Seeded input [C,H,W], weights OIHW and bias [M] of a case. Denormal and huge rows keep their weights near 1. */
export function conv2dData(
  c: Conv2dCase,
  seed: number,
): { x: Float32Array; weight: Float32Array; bias: Float32Array | undefined } {
  const weightCount = (c.outChannels * c.channels * c.kernelShape[0] * c.kernelShape[1]) / c.group;
  const weightFill = c.fill === "integers" ? "integers" : c.fill === "huge" ? "huge" : "uniform";
  return {
    x: fillValues(c.channels * c.height * c.width, c.fill, seed),
    weight: fillValues(weightCount, weightFill, seed + 1),
    bias: c.hasBias ? fillValues(c.outChannels, weightFill, seed + 2) : undefined,
  };
}
