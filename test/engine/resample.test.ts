import * as assert from "uvu/assert";
import { normaliseRange } from "../../engine/plane.ts";
import { interpolateGrid, resampleTriangle } from "../../engine/resample.ts";
import { resizeOracle } from "../oracle/salient-relevance.ts";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const sizes: readonly (readonly [height: number, width: number, toHeight: number, toWidth: number, reason: string])[] =
  [
    [7, 9, 7, 9, "no change"],
    [7, 9, 14, 18, "twice as large"],
    [8, 12, 4, 6, "half"],
    [13, 5, 31, 2, "up one way, down the other"],
    [22, 25, 25, 22, "nearly equal"],
    [1, 1, 5, 7, "from one pixel"],
    [9, 11, 1, 1, "to one pixel"],
    [40, 3, 7, 7, "far down"],
  ];

suite("resample", (test) => {
  const kernels = testKernels();
  for (const [height, width, toHeight, toWidth, reason] of sizes) {
    test(`the triangle filter equals its formula: ${reason}`, () => {
      const data = Float64Array.from(rng(1).f32(height * width));
      const expected = resizeOracle({ height, width, data: [...data] }, toHeight, toWidth);
      const got = resampleTriangle(kernels, { height, width, data }, toHeight, toWidth);
      assert.is(got.height, toHeight);
      assert.is(got.width, toWidth);
      assertClose(got.data, expected.data, 1e-14, reason);
    });
  }

  for (const [width, columns] of [
    [1, 3],
    [2, 2],
    [5, 4],
  ] as const) {
    test(`resamplePlane stays within its output and scratch, in any parts: width ${width}`, () => {
      const random = rng(width);
      const [height, rows, taps] = [4, 6, 2];
      const floats = (n: number): Float64Array => Float64Array.from(random.f32(n));
      const input = floats(height * width);
      const [down, across] = [floats(rows * taps), floats(columns * taps)];
      // Runs of one or two samples, the last ones up to the last sample.
      const runs = (n: number, of: number): [Int32Array, Int32Array] => {
        const first = Int32Array.from({ length: n }, (_, i) => Math.floor((i * of) / n));
        return [first, first.map((from) => Math.min(taps, of - from))];
      };
      const [top, heights] = runs(rows, height);
      const [left, widths] = runs(columns, width);
      const expected = Float64Array.from({ length: rows * columns }, (_, at) => {
        const [y, x] = [Math.floor(at / columns), at % columns];
        let sum = 0;
        for (let k = 0; k < (widths[x] ?? 0); k++) {
          let row = 0;
          for (let j = 0; j < (heights[y] ?? 0); j++) {
            row += (down[y * taps + j] ?? 0) * (input[((top[y] ?? 0) + j) * width + (left[x] ?? 0) + k] ?? 0);
          }
          sum += (across[x * taps + k] ?? 0) * row;
        }
        return sum;
      });
      const inputs = [input, top, heights, down, left, widths, across].map((data) => fenced(kernels, data));
      const [i = 0, t = 0, h = 0, d = 0, l = 0, w = 0, a = 0] = inputs.map(({ address }) => address);
      const out = fenced(kernels, new Float64Array(rows * columns));
      const scratch = fenced(kernels, new Float64Array(width));
      for (const [begin, end] of [
        [4, 6],
        [0, 4],
      ] as const) {
        const s = scratch.address;
        kernels.call.resamplePlane(out.address, s, i, t, h, d, l, w, a, width, columns, taps, taps, begin, end);
      }
      for (const buffer of [out, scratch, ...inputs]) buffer.check("resamplePlane");
      assert.equal(out.f64(), expected);
    });
  }

  test("a constant stays exactly in range and nearly constant", () => {
    const data = new Float64Array(35).fill(0.7);
    assertClose(
      resampleTriangle(kernels, { height: 5, width: 7, data }, 11, 3).data,
      new Float64Array(33).fill(0.7),
      1e-15,
      "0.7",
    );
  });

  test("interpolation passes through its points, is linear between and constant beyond", () => {
    const grid = { height: 2, width: 3, data: Float64Array.of(0, 10, 30, 100, 110, 130) };
    const got = interpolateGrid(kernels, grid, Float64Array.of(1, 3), Float64Array.of(0.5, 2, 4), 5, 6);
    const row = [0, 10 / 3, 10, 20, 30, 30];
    const expected = [0, 0, 50, 100, 100].flatMap((base) => row.map((v) => v + base));
    assertClose(got.data, expected, 1e-13, "grid");
  });

  test("interpolation of one row or column repeats it", () => {
    const got = interpolateGrid(
      kernels,
      { height: 1, width: 1, data: Float64Array.of(4) },
      Float64Array.of(2),
      Float64Array.of(0),
      3,
      2,
    );
    assert.equal([...got.data], [4, 4, 4, 4, 4, 4]);
  });

  test("the range becomes [0,1]; a constant becomes zeros", () => {
    const of = (...data: number[]): Float64Array =>
      normaliseRange({ height: 1, width: data.length, data: Float64Array.from(data) }).data;
    assert.equal([...of(-2, 0, 6)], [0, 0.25, 1]);
    assert.equal([...of(5, 5)], [0, 0]);
  });
});
