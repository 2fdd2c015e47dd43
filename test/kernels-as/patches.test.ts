import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

interface GatherCase {
  readonly reason: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly stride: number;
}

const gatherCases: readonly GatherCase[] = [
  { reason: "three channels", channels: 3, height: 12, width: 17, size: 7, stride: 3 },
  { reason: "image of one patch", channels: 1, height: 7, width: 7, size: 7, stride: 3 },
  { reason: "length a multiple of four already", channels: 4, height: 9, width: 8, size: 5, stride: 2 },
  { reason: "single pixels", channels: 2, height: 4, width: 5, size: 1, stride: 1 },
  { reason: "gaps between patches", channels: 1, height: 20, width: 11, size: 3, stride: 6 },
];

suite("patch kernels", (test) => {
  const kernels = testKernels();
  const { call } = kernels;

  for (const { reason, channels, height, width, size, stride } of gatherCases) {
    test(`gatherPatches: ${reason}`, () => {
      const rows = Math.ceil(height / stride);
      const columns = Math.ceil(width / stride);
      const length = Math.ceil((channels * size * size) / 4) * 4;
      const image = rng(1).f32(channels * height * width);
      const r = (size - 1) / 2;
      const mirror = (i: number, n: number): number => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);
      const expected = new Float32Array(rows * columns * length);
      for (let n = 0; n < rows * columns; n++) {
        for (let k = 0; k < channels * size * size; k++) {
          const y = mirror(Math.floor(n / columns) * stride + (Math.floor(k / size) % size) - r, height);
          const x = mirror((n % columns) * stride + (k % size) - r, width);
          expected[n * length + k] = image[(Math.floor(k / (size * size)) * height + y) * width + x] ?? Number.NaN;
        }
      }
      const input = fenced(kernels, image);
      const out = fenced(kernels, new Float32Array(expected.length).fill(-1));
      const cut = Math.floor((rows * columns) / 3);
      for (const [begin, end] of [
        [cut, rows * columns],
        [0, cut],
        [cut, cut],
      ] as const) {
        call.gatherPatches(
          out.address,
          input.address,
          channels,
          height,
          width,
          columns,
          size,
          stride,
          length,
          begin,
          end,
        );
      }
      assert.equal(out.f32(), expected);
      out.check("gatherPatches");
      assert.equal(input.f32(), image, "the image is left alone");
    });
  }

  for (const length of [4, 8, 12, 52, 148]) {
    for (const candidates of [2, 5, 40]) {
      test(`meanNearestDirect: ${candidates} patches of ${length}`, () => {
        const random = rng(length + candidates);
        const queries = Math.ceil(candidates / 2);
        const patches = random.f32(candidates * length, 0, 1);
        const y = random.f32(candidates, 0, 1);
        const x = random.f32(candidates, 0, 1);
        for (const neighbours of new Set([1, Math.min(7, candidates - 1), candidates - 1])) {
          const expected = Array.from({ length: queries }, (_, i) => {
            const all: number[] = [];
            for (let j = 0; j < candidates; j++) {
              if (j === i) continue;
              let sum = 0;
              for (let k = 0; k < length; k++) {
                sum += ((patches[i * length + k] ?? Number.NaN) - (patches[j * length + k] ?? Number.NaN)) ** 2;
              }
              const away = Math.hypot((y[i] ?? 0) - (y[j] ?? 0), (x[i] ?? 0) - (x[j] ?? 0));
              all.push(Math.sqrt(sum) / (1 + 3 * away));
            }
            all.sort((a, b) => a - b);
            return all.slice(0, neighbours).reduce((a, b) => a + b, 0) / neighbours;
          });
          const at = [patches, y, x].map((data) => fenced(kernels, data));
          const scratch = fenced(kernels, new Float32Array(candidates));
          const run = (ranges: readonly (readonly [number, number])[]): Float64Array => {
            const out = fenced(kernels, new Float64Array(queries));
            for (const [begin, end] of ranges) {
              const [p = 0, ys = 0, xs = 0] = at.map(({ address }) => address);
              call.meanNearestDirect(
                out.address,
                p,
                ys,
                xs,
                scratch.address,
                candidates,
                length,
                neighbours,
                3,
                begin,
                end,
              );
            }
            for (const buffer of [out, scratch, ...at]) buffer.check("meanNearestDirect");
            return out.f64();
          };
          const whole = run([[0, queries]]);
          // Relative: length roundings of 6e-8 in the sum, halved by the root, and few more.
          assertClose(whole, expected, (length / 2 + 8) * 6e-8 * Math.max(...expected), `${neighbours} neighbours`);
          const singles = Array.from({ length: queries }, (_, i) => [queries - 1 - i, queries - i] as const);
          assert.equal(run(singles), whole, "any split gives the same bytes");
        }
      });
    }
  }
});
