import { type Fill, fillValues } from "./values.ts";

/** A local response normalisation to check or to time. */
export interface LrnCase {
  readonly name: string;
  readonly reason: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly region: "acrossChannels" | "withinChannel";
  /** The input is drawn as `fill` and multiplied by this, so that the denominator is far from 1. */
  readonly scale: number;
  readonly fill: Fill;
}

type Row = Pick<LrnCase, "name" | "reason"> & Partial<LrnCase>;

const base: Omit<LrnCase, "name" | "reason"> = {
  channels: 12,
  height: 3,
  width: 4,
  size: 5,
  alpha: 1e-4,
  beta: 0.75,
  bias: 1,
  region: "acrossChannels",
  scale: 50,
  fill: "uniform",
};

const rows: Row[] = [
  { name: "AlexNet", reason: "size 5, alpha 1e-4, beta .75, bias 1" },
  { name: "bias 2", reason: "Krizhevsky et al. 2012", bias: 2 },
  { name: "strong", reason: "the sum outweighs the bias", alpha: 1, scale: 3 },
  { name: "beta .5", reason: "another exponent", beta: 0.5, alpha: 1 },
  { name: "beta 1", reason: "the exponent at which pow is a division", beta: 1, alpha: 1 },
  { name: "beta .6", reason: "no square roots make this exponent", beta: 0.6, alpha: 1 },
  { name: "size 1", reason: "no neighbours", size: 1, alpha: 1 },
  { name: "size 3", reason: "smallest neighbourhood", size: 3, alpha: 1 },
  { name: "size over channels", reason: "every sum is cut at both ends", size: 9, channels: 4, alpha: 1 },
  { name: "1 channel", reason: "only itself", channels: 1, alpha: 1 },
  { name: "7 channels", reason: "lane tail", channels: 7, alpha: 1 },
  { name: "17 channels", reason: "lane tail", channels: 17, alpha: 1 },
  { name: "1x1 image", reason: "one pixel", height: 1, width: 1, alpha: 1 },
  { name: "zeros", reason: "0 over bias^beta", fill: "zeros" },
  { name: "denormals", reason: "squares vanish", fill: "denormal", scale: 1 },
  { name: "rectified", reason: "as after a ReLU", fill: "rectified" },
  {
    name: "within channel",
    reason: "the other region",
    region: "withinChannel",
    size: 3,
    height: 6,
    width: 7,
    alpha: 1,
  },
  {
    name: "within channel, 5",
    reason: "window larger than the image's half",
    region: "withinChannel",
    height: 4,
    width: 6,
    alpha: 1,
  },
  { name: "within channel, 1 channel", reason: "lane tail", region: "withinChannel", channels: 1, size: 3, alpha: 1 },
];

/** The normalisations that every implementation of lrn is checked with. */
export const lrnCases: readonly LrnCase[] = rows.map((row) => ({ ...base, ...row }));

/** Seeded input [C,H,W] of a case. */
export function lrnData(c: LrnCase, seed: number): Float32Array {
  return fillValues(c.channels * c.height * c.width, c.fill, seed).map((x) => x * c.scale);
}
