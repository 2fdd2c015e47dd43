import * as assert from "uvu/assert";
import { fillValues } from "../cases/values.ts";
import { winogradCases } from "../cases/winograd.ts";
import { conv2d } from "../oracle/conv2d.ts";
import { winogradMagnitude } from "../oracle/winograd.ts";
import { fenced } from "../support/canary.ts";
import { assertWithin } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";
import { sumBounds } from "../support/tolerance.ts";

// Roundings of one output beside the sum over channels: two passes over the inputs (at most 4 operations each), the weight (1),
// two passes over the products (at most 6 each), the bias (1).
const transformOperations = 8 + 1 + 12 + 1;

suite("winogradConv2d", (test) => {
  for (const tile of [
    { size: 2, taps: 3 },
    { size: 4, taps: 3 },
    { size: 2, taps: 5 },
  ] as const) {
    const { size, taps } = tile;
    for (const [seed, c] of winogradCases.entries()) {
      test(`F(${size}x${size},${taps}x${taps}) equals the oracle: ${c.reason}`, () => {
        const { channels, outChannels, height, width, group } = c;
        const pad = c.pad + (taps - 3) / 2;
        const area = taps * taps;
        const kernels = testKernels();
        const { call, arena } = kernels;
        const [inC, outC] = [channels / group, outChannels / group];
        const [outH, outW] = [height + 2 * pad - taps + 1, width + 2 * pad - taps + 1];
        const whole = (n: number): number => Math.ceil(n / size) * size;
        const x = fillValues(channels * height * width, "uniform", seed);
        const weight = fillValues(outChannels * inC * area, "uniform", seed + 100);
        const bias = c.hasBias ? fillValues(outChannels, "uniform", seed + 200) : undefined;

        // The image with its border, channels last.
        const rowPixels = whole(outW) + taps - 1;
        const image = new Float32Array((whole(outH) + taps - 1) * rowPixels * channels);
        for (let ch = 0; ch < channels; ch++) {
          for (let iy = 0; iy < height; iy++) {
            for (let ix = 0; ix < width; ix++) {
              image[((iy + pad) * rowPixels + ix + pad) * channels + ch] = x[(ch * height + iy) * width + ix]!;
            }
          }
        }
        const xAt = fenced(kernels, image);
        const weightAt = fenced(kernels, weight);
        const biasAt = bias && fenced(kernels, bias);
        const packed = fenced(kernels, new Float32Array(weight.length));
        const points = (size + taps - 1) ** 2;
        const u = fenced(kernels, new Float32Array(group * points * inC * outC));
        const tiles = Math.ceil(outH / size) * Math.ceil(outW / size);
        const scratch = fenced(kernels, new Uint8Array(call.winogradScratchBytes(tiles, inC, outC, size, taps)));
        const run = (blockTiles: number, cuts: readonly number[], skip = 0): Float32Array => {
          const y = fenced(kernels, new Float32Array(outH * outW * outChannels));
          for (let g = 0; g < group; g++) {
            const groupPack = packed.address + 4 * g * outC * inC * area;
            arena.f32(groupPack, outC * inC * area).fill(0);
            call.conv2dPack(groupPack, weightAt.address + 4 * g * outC * inC * area, 0, 0, outC, inC, taps, taps);
            const groupU = u.address + 4 * g * points * inC * outC;
            call.winogradPack(groupU, groupPack, scratch.address, outC, inC, size, taps, 0, outC / 8);
            for (const [i, begin] of cuts.entries()) {
              // biome-ignore format: one group of arguments a line
              call.winogradConv2d(y.address + 4 * g * outC, outW * outChannels, outChannels,
                xAt.address + 4 * g * inC, rowPixels * channels, channels,
                groupU, biasAt ? biasAt.address + 4 * g * outC : 0, scratch.address, skip, outH, outW, outC, inC, size, taps,
                -1e3, 1e3, blockTiles, begin, cuts[i + 1] ?? tiles);
            }
          }
          for (const buffer of [y, xAt, u, packed, scratch]) buffer.check(c.reason);
          return y.f32();
        };
        const got = run(tiles, [0]);
        assert.equal(run(3, [0]), got, "blocks of three tiles");
        assert.equal(run(2, [0, 1, Math.ceil(tiles / 2)]), got, "three ranges");
        // Tiles left out change nothing in the others; what lies there keeps its zeros.
        const skip = fenced(
          kernels,
          Uint8Array.from({ length: tiles }, (_, t) => (t % 3 === 1 ? 1 : 0)),
        );
        const tilesX = Math.ceil(outW / size);
        const some = got.map((value, i) => {
          const pixel = Math.floor(i / outChannels);
          const tile = Math.floor(pixel / outW / size) * tilesX + Math.floor((pixel % outW) / size);
          return tile % 3 === 1 ? 0 : value;
        });
        assert.equal(run(3, [0, Math.ceil(tiles / 2)], skip.address), some, "every third tile left out");
        const all = fenced(kernels, new Uint8Array(tiles).fill(1));
        assert.equal(run(3, [0], all.address), new Float32Array(got.length), "all tiles left out");

        const planar = new Float32Array(got.length);
        for (let o = 0; o < outChannels; o++) {
          for (let p = 0; p < outH * outW; p++) planar[o * outH * outW + p] = got[p * outChannels + o]!;
        }
        const expected = conv2d(
          // biome-ignore format: one row
          { channels, height, width, outChannels, group, kernelShape: [taps, taps], strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] },
          x,
          weight,
          bias,
        );
        for (let g = 0; g < group; g++) {
          const [from, to] = [g * outC * outH * outW, (g + 1) * outC * outH * outW];
          const magnitude = winogradMagnitude(
            tile,
            x.subarray(g * inC * height * width, (g + 1) * inC * height * width),
            weight.subarray(g * outC * inC * area, (g + 1) * outC * inC * area),
            { inC, height, width, outC, pad },
          );
          const bounds = sumBounds(
            inC + transformOperations,
            magnitude.map((v, i) => v + Math.abs(bias?.[g * outC + Math.floor(i / (outH * outW))] ?? 0)),
          );
          assertWithin(planar.subarray(from, to), expected.subarray(from, to), bounds, `group ${g}, seed ${seed}`);
        }
      });
    }
  }
});
