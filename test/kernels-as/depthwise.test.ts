import * as assert from "uvu/assert";
import * as kernel from "../../kernels-as/kernel-calls.js";
import { fillValues } from "../cases/values.ts";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

interface DepthwiseCase {
  readonly reason: string;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelShape: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly hasBias: boolean;
  readonly low: number;
  readonly high: number;
  readonly scratchBytes: number;
}

const base = {
  channels: 12,
  outH: 3,
  outW: 9,
  kernelShape: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  hasBias: true,
  low: -0.75,
  high: 0.75,
  scratchBytes: 64,
} as const;
const free = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

const every = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const sides = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

const cases: readonly DepthwiseCase[] = [
  ...[1, 2, 3].flatMap((stride) =>
    every(23).map((outW) => ({ ...base, reason: `a row of ${outW}`, strides: [stride, stride] as const, outW })),
  ),
  ...[1, 2].flatMap((stride) =>
    sides.flatMap((kw) =>
      [1, 2, 3, 5].map((kh) => {
        const one = { kernelShape: [kh, kw] as const, strides: [stride, stride] as const };
        return { ...base, ...one, reason: "filters of every size" };
      }),
    ),
  ),
  ...every(9).map((channels) => ({ ...base, reason: `lanes left over, ${channels} channels`, channels })),
  { ...base, ...free, reason: "no limits, no bias", hasBias: false },
  { ...base, reason: "dilated, pixels apart alike", strides: [2, 2], dilations: [2, 2] },
  { ...base, reason: "dilated downwards only", dilations: [2, 1], kernelShape: [5, 5] },
  { ...base, reason: "dilated, pixels nearer", dilations: [1, 2] },
  { ...base, reason: "stride 4, taps 2 apart", strides: [1, 4], dilations: [3, 2] },
  { ...base, reason: "more channels than a block", channels: 76, kernelShape: [5, 5], strides: [2, 2] },
  { ...base, reason: "large: the next pixels are read early", channels: 64, outH: 33, outW: 60, strides: [2, 2] },
  ...[1, 2].map((stride) => {
    const crowded = { channels: 128, kernelShape: [7, 7], strides: [stride, stride], outH: 5 } as const;
    return { ...base, ...crowded, reason: "crowded sets, copied at once", scratchBytes: 65536 };
  }),
  ...[1, 2].map((stride) => {
    const crowded = { channels: 512, strides: [stride, stride], outW: 16 } as const;
    return { ...base, ...crowded, reason: "crowded sets, a small filter", scratchBytes: 65536 };
  }),
  { ...base, reason: "copied row by row", channels: 128, kernelShape: [7, 7], scratchBytes: 64 * (1 + 7 * 15) },
  { ...base, reason: "no room for a copy", channels: 128, kernelShape: [7, 7], scratchBytes: 64 * (1 + 7 * 15) - 1 },
  {
    ...base,
    reason: "copied in bands, rows apart",
    channels: 256,
    outH: 9,
    kernelShape: [5, 7],
    dilations: [2, 1],
    scratchBytes: 64 * (1 + 11 * 15),
  },
];

/** By the definition, each operation rounded, in the order that the kernel promises. */
function reference(
  { channels, outH, outW, kernelShape: [kh, kw], strides, dilations, low, high }: DepthwiseCase,
  image: Float32Array,
  width: number,
  weights: Float32Array,
  bias: Float32Array | undefined,
): Float32Array {
  return Float32Array.from({ length: outH * outW * channels }, (_, at) => {
    const c = at % channels;
    const ox = Math.floor(at / channels) % outW;
    const oy = Math.floor(at / channels / outW);
    let sum = bias?.[c] ?? 0;
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const pixel = (oy * strides[0] + i * dilations[0]) * width + ox * strides[1] + j * dilations[1];
        const product = Math.fround(weights[(i * kw + j) * channels + c]! * image[pixel * channels + c]!);
        sum = Math.fround(sum + product);
      }
    }
    return Math.min(Math.max(sum, low), high);
  });
}

/** Weights [taps][channels] as the kernel reads them: four channels side by side, then the next tap. */
function packed(weights: Float32Array, channels: number, taps: number): Float32Array {
  const pack = new Float32Array(Math.ceil(channels / 4) * taps * 4);
  weights.forEach((value, i) => {
    const [t, c] = [Math.floor(i / channels), i % channels];
    pack[((c >> 2) * taps + t) * 4 + (c & 3)] = value;
  });
  return pack;
}

suite("depthwiseConv2d", (test) => {
  cases.forEach((one, seed) => {
    const { reason, channels, outH, outW, kernelShape, strides, dilations, hasBias, low, high, scratchBytes } = one;
    const [kh, kw] = kernelShape;
    test(`${reason}: ${kh}x${kw}, ${outH}x${outW}x${channels}, strides ${strides}, dilations ${dilations}`, () => {
      const kernels = testKernels();
      const width = (outW - 1) * strides[1] + (kw - 1) * dilations[1] + 1;
      const height = (outH - 1) * strides[0] + (kh - 1) * dilations[0] + 1;
      const image = fillValues(height * width * channels, "uniform", 3 * seed);
      const weights = fillValues(kh * kw * channels, "uniform", 3 * seed + 1);
      const bias = hasBias ? fillValues(channels, "uniform", 3 * seed + 2) : undefined;
      const x = fenced(kernels, image);
      const w = fenced(kernels, packed(weights, channels, kh * kw));
      const b = bias && fenced(kernels, bias);
      const y = fenced(kernels, new Float32Array(outH * outW * channels));
      const scratch = fenced(kernels, new Uint8Array(scratchBytes));
      const range = {
        split: (name: never, length: number, ...args: never[]): void => {
          const call: Readonly<Record<string, (...all: number[]) => void>> = kernels.call as never;
          // the lower rows first, as another thread might
          for (const [from, to] of [
            [length >> 1, length],
            [0, length >> 1],
          ])
            call[name]?.(...args, from!, to!);
        },
      };
      kernel.depthwiseConv2dForward(range, outH, {
        y: { address: y.address, rowStride: outW * channels, pixelStride: channels },
        x: { address: x.address, rowStride: width * channels, pixelStride: channels },
        w: w.address,
        bias: b?.address ?? 0,
        scratch: scratch.address,
        scratchBytes,
        outW,
        channels,
        low,
        high,
        window: { kernelShape, strides, dilations },
      });
      const expected = reference(one, image, width, weights, bias);
      assert.equal(Buffer.from(y.bytes()).equals(Buffer.from(expected.buffer)), true, "bytes");
      y.check("y");
      scratch.check("scratch");
    });
  });
});
