import type { Pads, Pair } from "../../engine/graph/definition.ts";
import { type Fill, fillValues } from "./values.ts";

/** A pooling to check or to time. Average pooling ignores dilations, max pooling ignores countIncludePad. */
export interface Pool2dCase {
  readonly name: string;
  readonly reason: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly fill: Fill;
}

type Row = Pick<Pool2dCase, "name" | "reason"> & Partial<Pool2dCase>;

const base: Omit<Pool2dCase, "name" | "reason"> = {
  channels: 5,
  height: 13,
  width: 13,
  kernelShape: [3, 3],
  strides: [2, 2],
  pads: [0, 0, 0, 0],
  dilations: [1, 1],
  ceilMode: false,
  countIncludePad: false,
  fill: "uniform",
};

const imageSizes: Row[] = [13, 14, 27, 55].flatMap((size) =>
  [false, true].map(
    (ceilMode): Row => ({
      name: `3x3 stride 2 on ${size}${ceilMode ? ", ceil" : ""}`,
      reason: "AlexNet (floor) and SqueezeNet 1.0, GoogLeNet, CaffeNet (ceil); windows overlap",
      height: size,
      width: size,
      channels: size > 20 ? 2 : 5,
      ceilMode,
    }),
  ),
);

const channelTails: Row[] = [1, 3, 4, 7, 8, 16].map((channels) => ({
  name: `${channels} channels`,
  reason: "lane tails",
  channels,
  height: 6,
  width: 7,
}));

const shared: Row[] = [
  ...imageSizes,
  ...channelTails,
  { name: "2x2 stride 2", reason: "VGG", kernelShape: [2, 2], height: 8, width: 10 },
  {
    name: "2x2 stride 2, odd image",
    reason: "last row and column in no window",
    kernelShape: [2, 2],
    height: 7,
    width: 9,
  },
  {
    name: "2x2 stride 2, odd image, ceil",
    reason: "last windows are cut",
    kernelShape: [2, 2],
    height: 7,
    width: 9,
    ceilMode: true,
  },
  {
    name: "3x3 stride 1 pad 1",
    reason: "Inception's pooling branch",
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    height: 6,
    width: 5,
  },
  { name: "3x3 stride 2 pad 1", reason: "ResNet", pads: [1, 1, 1, 1], height: 8, width: 9 },
  {
    name: "3x3 stride 2 pad 1, ceil",
    reason: "pads and ceil together",
    pads: [1, 1, 1, 1],
    height: 8,
    width: 9,
    ceilMode: true,
  },
  { name: "pads 0 0 1 1", reason: "SAME of an even image", pads: [0, 0, 1, 1], height: 8, width: 8 },
  { name: "pads 1 0 0 1, ceil", reason: "no two sides alike", pads: [1, 0, 0, 1], height: 9, width: 8, ceilMode: true },
  {
    name: "kernel 2 stride 3",
    reason: "stride over kernel: inputs in no window",
    kernelShape: [2, 2],
    strides: [3, 3],
    height: 9,
    width: 10,
  },
  {
    name: "kernel 2 stride 3, ceil",
    reason: "PyTorch drops the window that would start beyond the image",
    kernelShape: [2, 2],
    strides: [3, 3],
    height: 9,
    width: 10,
    ceilMode: true,
  },
  {
    name: "kernel 1 stride 2, ceil",
    reason: "the dropped window again, with the smallest kernel",
    kernelShape: [1, 1],
    height: 5,
    width: 4,
    ceilMode: true,
  },
  {
    name: "2x3 stride 1x2",
    reason: "height and width must not be swapped",
    kernelShape: [2, 3],
    strides: [1, 2],
    height: 6,
    width: 9,
  },
  {
    name: "kernel as large as the image",
    reason: "global pooling by another name",
    kernelShape: [6, 4],
    strides: [1, 1],
    height: 6,
    width: 4,
  },
  { name: "1x1 image", reason: "one pixel", kernelShape: [1, 1], strides: [1, 1], height: 1, width: 1 },
  {
    name: "1x1 image, padded",
    reason: "one pixel in every window",
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    height: 1,
    width: 1,
  },
  { name: "rectified", reason: "windows of zeros: ties", fill: "rectified" },
  { name: "integers", reason: "ties everywhere", fill: "integers", pads: [1, 1, 1, 1] },
  { name: "zeros", reason: "all tied, sums 0", fill: "zeros", height: 7, width: 7 },
  { name: "denormals", reason: "no flush to zero is relied on", fill: "denormal", height: 7, width: 7 },
  { name: "huge values", reason: "sums of 9 values of 1e15", fill: "huge", height: 7, width: 7 },
];

const dilated: Row[] = [
  { name: "dilation 2", reason: "dilated windows", dilations: [2, 2], height: 9, width: 8 },
  {
    name: "dilation 2 pad 1, ceil",
    reason: "dilation, pads and ceil together",
    dilations: [2, 2],
    pads: [1, 1, 1, 1],
    height: 10,
    width: 9,
    ceilMode: true,
  },
  { name: "dilation 3x1 stride 1", reason: "uneven dilation", dilations: [3, 1], strides: [1, 1], kernelShape: [2, 3] },
];

/** Max poolings. */
export const maxPool2dCases: readonly Pool2dCase[] = [...shared, ...dilated].map((row) => ({ ...base, ...row }));

/** Average poolings: every padded or cut row with and without counting the pads. */
export const averagePool2dCases: readonly Pool2dCase[] = shared.flatMap((row) => {
  const each = { ...base, ...row };
  const counted = { ...each, name: `${each.name}, count pads`, countIncludePad: true };
  return each.ceilMode || each.pads.some((pad) => pad > 0) ? [each, counted] : [each];
});

/** Image sizes of global pooling. */
export const globalPool2dCases: readonly Pool2dCase[] = (
  [
    { name: "6x6", reason: "AlexNet's last image", height: 6, width: 6 },
    { name: "13x13", reason: "SqueezeNet's last image", channels: 9 },
    { name: "1x1", reason: "nothing to do", height: 1, width: 1 },
    { name: "1x7", reason: "one row", height: 1, width: 7 },
    { name: "ties", reason: "first of equals", fill: "integers", height: 5, width: 5 },
  ] satisfies Row[]
).map((row) => ({ ...base, ...row }));

/** Seeded input [C,H,W] of a case. */
export function pool2dData(c: Pool2dCase, seed: number): Float32Array {
  return fillValues(c.channels * c.height * c.width, c.fill, seed);
}
