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
      const n = rows * columns;
      const length = Math.ceil((channels * size * size) / 4) * 4;
      const image = Float64Array.from(rng(1).f32(channels * height * width), (v) => v / 3);
      const places = Int32Array.from({ length: n }, (_, i) => n - i); // place 0 stays free
      const r = (size - 1) / 2;
      const mirror = (i: number, m: number): number => (i < 0 ? -1 - i : i >= m ? 2 * m - 1 - i : i);
      const expected = new Float32Array((n + 1) * length).fill(-1, 0, length);
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < channels * size * size; k++) {
          const y = mirror(Math.floor(i / columns) * stride + (Math.floor(k / size) % size) - r, height);
          const x = mirror((i % columns) * stride + (k % size) - r, width);
          const plane = Math.floor(k / (size * size)) * height * width;
          expected[(n - i) * length + k] = image[plane + y * width + x] ?? Number.NaN;
        }
      }
      const input = fenced(kernels, image);
      const at = fenced(kernels, places);
      const out = fenced(kernels, new Float32Array(expected.length).fill(-1));
      const run = (begin: number, end: number): void => {
        const [o, p, im] = [out.address, at.address, input.address];
        call.gatherPatches(o, p, im, channels, height, width, columns, size, stride, length, begin, end);
      };
      const cut = Math.floor(n / 3);
      run(cut, n);
      run(0, cut);
      run(cut, cut);
      assert.equal(out.f32(), expected);
      out.check("gatherPatches");
      assert.equal(input.f64(), image, "the image is left alone");
    });
  }

  test("saliencyOf: in the order of the patches, in any parts", () => {
    const places = Int32Array.of(3, 0, 7, 4, 1);
    const means = Float64Array.of(0, 0.5, 9, 1e-9, 40, 9, 9, 2);
    const expected = Array.from(places, (place) => 1 - Math.exp(-(means[place] ?? Number.NaN)));
    const [at, from] = [fenced(kernels, places), fenced(kernels, means)];
    const out = fenced(kernels, new Float64Array(5));
    for (const [begin, end] of [
      [3, 5],
      [0, 3],
      [2, 2],
    ] as const) {
      call.saliencyOf(out.address, from.address, at.address, begin, end);
    }
    assertClose(out.f64(), expected, 2e-16, "saliency");
    for (const buffer of [out, at, from]) buffer.check("saliencyOf");
  });

  for (const [length, count, shared, used, pairCount, wholeNorms] of [
    [8, 4, 1, 3, 3, 1],
    [8, 4, 1, 4, 4, 1],
    [148, 32, 6, 31, 17, 1],
    [52, 8, 2, 8, 5, 0],
    [4, 4, 0, 1, 2, 1],
    [4, 4, 0, 1, 2, 0],
  ] as const) {
    test(`projectPatches: ${count} coefficients of ${length} elements, ${shared} pairs and ${used} used`, () => {
      const random = rng(length);
      const n = 16;
      const nearUsed = Math.min(2, used);
      const patches = random.f32(n * length, 0, 1);
      const mean = Float64Array.from(random.f32(length, 0, 1));
      const basis = Float64Array.from(random.f32(count * length, -0.3, 0.3));
      const share = 0.99;
      const rows: number[] = [];
      const near = new Array<number>(n * 3).fill(0);
      const pairs = new Int16Array(n * pairCount * 2);
      const unit = new Array<number>(n).fill(0);
      const half: number[] = [];
      const rest: number[] = [];
      for (let i = 0; i < n; i++) {
        const centred = Array.from({ length }, (_, e) => (patches[i * length + e] ?? Number.NaN) - (mean[e] ?? 0));
        const squares = (values: readonly number[]): number => values.reduce((sum, v) => sum + v * v, 0);
        const norm = squares(centred);
        const p = Array.from({ length: count }, (_, k) =>
          centred.reduce((sum, v, e) => sum + v * (basis[k * length + e] ?? Number.NaN), 0),
        );
        const total = wholeNorms === 1 ? norm : squares(p);
        const left = (used: number): number => Math.sqrt(Math.max(0, total - squares(p.slice(0, used))));
        [...p.slice(0, nearUsed), left(nearUsed)].forEach((v, k) => {
          near[(Math.floor(i / 8) * 3 + k) * 8 + (i % 8)] = v;
        });
        const step = Math.fround(Math.sqrt(total) / 32000);
        unit[i] = step;
        const at = (k: number): number => {
          if (k < used) return p[k] ?? Number.NaN;
          return k === used && wholeNorms === 1 ? left(used) : 0;
        };
        for (let k = 0; k < pairCount; k++) {
          const first = 2 * (k > shared ? k - 1 : k);
          const pair = k === shared ? [at(first), left(first + 1)] : [at(first), at(first + 1)];
          const place = (Math.floor(i / 8) * pairCount + k) * 8 + (i % 8);
          pairs.set(
            pair.map((v) => Math.round(v / step)),
            2 * place,
          );
        }
        rows.push(...p);
        half.push(0.5 * norm * share);
        rest.push(Math.max(0, norm - squares(p)));
      }
      const input = [Float64Array.from(basis), mean].map((data) => fenced(kernels, data));
      const patchesAt = fenced(kernels, patches);
      const scratch = fenced(kernels, new Float64Array(2 * (length + count)));
      const expected = [near, unit, half, rest, rows];
      const out = expected.map((data) => fenced(kernels, new Float32Array(data.length)));
      const pairsAt = fenced(kernels, new Int16Array(pairs.length));
      const [a = 0, u = 0, h = 0, r = 0, w = 0] = out.map(({ address }) => address);
      const [b = 0, m = 0] = input.map(({ address }) => address);
      const run = (begin: number, end: number): void => {
        const [s, p, l] = [scratch.address, patchesAt.address, length];
        const sizes = [nearUsed, 3, shared, used, pairCount, wholeNorms] as const;
        call.projectPatches(a, pairsAt.address, u, h, r, w, s, p, b, m, l, count, ...sizes, share, begin, end);
      };
      run(5, n);
      run(0, 5);
      expected.forEach((values, k) => {
        // One rounding to float32 of values below 50; the root of a cancelled rest magnifies it.
        assertClose(out[k]?.f32() ?? [], values, 2e-6, `output ${k}`);
        out[k]?.check("projectPatches");
      });
      const got = new Int16Array(pairsAt.bytes().buffer);
      // The root of a cancelled rest is magnified here too; else a step, where a half is rounded.
      assertClose(got, pairs, 1, "pairs");
      pairsAt.check("projectPatches");
      scratch.check("projectPatches");
    });
  }
});
