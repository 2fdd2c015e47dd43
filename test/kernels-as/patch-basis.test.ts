import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("patch basis kernels", (test) => {
  const kernels = testKernels();
  const { call } = kernels;

  for (const [count, length] of [
    [1, 4],
    [5, 8],
    [3, 148],
  ] as const) {
    test(`centreSample: ${count} patches of ${length} elements, in any parts`, () => {
      const patches = rng(count).f32(2 * count * length, 0, 1);
      const places = Int32Array.from({ length: count }, (_, n) => 2 * (count - n) - 1); // every second, from the last
      const value = (n: number, e: number): number => patches[(places[n] ?? 0) * length + e] ?? Number.NaN;
      const mean = Float64Array.from({ length }, (_, e) => {
        let sum = 0;
        for (let n = 0; n < count; n++) sum += value(n, e) / count;
        return sum;
      });
      const expected = Float64Array.from(
        { length: count * length },
        (_, at) => value(Math.floor(at / length), at % length) - (mean[at % length] ?? 0),
      );
      const [patchesAt, placesAt] = [fenced(kernels, patches), fenced(kernels, places)];
      const out = fenced(kernels, new Float64Array(count * length));
      const meanAt = fenced(kernels, new Float64Array(length));
      for (const [begin, end] of [
        [3, length],
        [0, 3],
        [2, 2],
      ] as const) {
        const [o, m, p, at] = [out.address, meanAt.address, patchesAt.address, placesAt.address];
        call.centreSample(o, m, p, at, count, length, begin, end);
      }
      assert.equal(meanAt.f64(), mean);
      assert.equal(out.f64(), expected);
      for (const buffer of [out, meanAt, patchesAt, placesAt]) buffer.check("centreSample");
    });
  }

  for (const [channels, area, length, count] of [
    [1, 1, 4, 1],
    [3, 9, 28, 5],
    [4, 1, 4, 3],
  ] as const) {
    test(`channelProducts: ${count} patches of ${channels} channels of ${area} pixels, in any parts`, () => {
      const patches = Float64Array.from(rng(area).f32(count * length));
      const expected = Float64Array.from({ length: channels * channels }, (_, at) => {
        const [c, d] = [Math.floor(at / channels) * area, (at % channels) * area];
        let sum = 0;
        for (let n = 0; n < count; n++) {
          for (let e = 0; e < area; e++) {
            sum += (patches[n * length + c + e] ?? 0) * (patches[n * length + d + e] ?? Number.NaN);
          }
        }
        return sum;
      });
      const input = fenced(kernels, patches);
      const out = fenced(kernels, new Float64Array(channels * channels));
      const cut = (channels * channels) >> 1;
      for (const [begin, end] of [
        [cut, channels * channels],
        [0, cut],
        [cut, cut],
      ] as const) {
        call.channelProducts(out.address, input.address, count, length, channels, area, begin, end);
      }
      assert.equal(out.f64(), expected);
      for (const buffer of [out, input]) buffer.check("channelProducts");
    });
  }

  for (const [channels, size, length] of [
    [1, 1, 4],
    [1, 7, 52],
    [3, 7, 148],
    [4, 3, 36],
    [2, 5, 56],
  ] as const) {
    test(`squareCoefficients: ${channels} channels of ${size}x${size}, in any parts`, () => {
      const random = rng(size + channels);
      const n = 5;
      const floats = (count: number): Float64Array => Float64Array.from(random.f32(count));
      const patches = floats(n * length);
      const axes = floats(channels * channels);
      const cosines = floats(size * size);
      const transposed = cosines.map((_, at) => cosines[(at % size) * size + Math.floor(at / size)] ?? Number.NaN);
      const expected: number[] = [];
      for (let i = 0; i < n * channels * size * size; i++) {
        const [v, u] = [i % size, Math.floor(i / size) % size];
        const axis = Math.floor(i / (size * size)) % channels;
        const patch = Math.floor(i / (channels * size * size)) * length;
        let sum = 0;
        for (let e = 0; e < channels * size * size; e++) {
          const [c, y, x] = [Math.floor(e / (size * size)), Math.floor(e / size) % size, e % size];
          const weight = (cosines[u * size + y] ?? 0) * (cosines[v * size + x] ?? 0);
          sum += weight * (axes[c * channels + axis] ?? 0) * (patches[patch + e] ?? Number.NaN);
        }
        expected.push(sum * sum);
      }
      const inputs = [patches, axes, cosines, transposed].map((data) => fenced(kernels, data));
      const [p = 0, a = 0, c = 0, t = 0] = inputs.map(({ address }) => address);
      const out = fenced(kernels, new Float64Array(expected.length));
      const scratch = fenced(kernels, new Float64Array(2 * size * size));
      for (const [begin, end] of [
        [2, n],
        [0, 2],
        [1, 1],
      ] as const) {
        call.squareCoefficients(out.address, scratch.address, p, a, c, t, length, channels, size, begin, end);
      }
      // Sums of at most 147 products below 1, in another order; squares of sums below 30.
      assertClose(out.f64(), expected, 1e-12, "squares");
      for (const buffer of [out, scratch, ...inputs]) buffer.check("squareCoefficients");
    });
  }
});
