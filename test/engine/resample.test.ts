import * as assert from "uvu/assert";
import { allocatePlanes, normaliseRange, valuesOf } from "../../engine/memory/planes.ts";
import { interpolateGrid, resampleTriangle } from "../../engine/salient/resample.ts";
import { resizeOracle } from "../oracle/salient-relevance.ts";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { planesOf } from "../support/planes.ts";
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
      const data = Array.from(rng(1).f32(2 * height * width));
      const expected = [0, height * width].flatMap(
        (from) =>
          resizeOracle({ height, width, data: data.slice(from, from + height * width) }, toHeight, toWidth).data,
      );
      const got = resampleTriangle(kernels, planesOf(kernels, data, height, width), toHeight, toWidth);
      assert.is(got.count, 2);
      assert.is(got.height, toHeight);
      assert.is(got.width, toWidth);
      assertClose(valuesOf(kernels, got), expected, 1e-14, reason);
    });
  }

  for (const [width, columns] of [
    [1, 3],
    [2, 2],
    [5, 4],
  ] as const) {
    test(`resamplePlanes stays within its output and scratch, in any parts: width ${width}`, () => {
      const random = rng(width);
      const [planes, height, rows, taps] = [2, 4, 6, 2];
      const floats = (n: number): Float64Array => Float64Array.from(random.f32(n));
      const input = floats(planes * height * width);
      const [down, across] = [floats(rows * taps), floats(columns * taps)];
      // Runs of one or two samples, the last ones up to the last sample.
      const runs = (n: number, of: number): [Int32Array, Int32Array] => {
        const first = Int32Array.from({ length: n }, (_, i) => Math.floor((i * of) / n));
        return [first, first.map((from) => Math.min(taps, of - from))];
      };
      const [top, heights] = runs(rows, height);
      const [left, widths] = runs(columns, width);
      const expected = Float64Array.from({ length: planes * rows * columns }, (_, at) => {
        const [c, y, x] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
        let sum = 0;
        for (let k = 0; k < (widths[x] ?? 0); k++) {
          let row = 0;
          for (let j = 0; j < (heights[y] ?? 0); j++) {
            row +=
              (down[y * taps + j] ?? 0) * (input[(c * height + (top[y] ?? 0) + j) * width + (left[x] ?? 0) + k] ?? 0);
          }
          sum += (across[x * taps + k] ?? 0) * row;
        }
        return sum;
      });
      const inputs = [input, top, heights, down, left, widths, across].map((data) => fenced(kernels, data));
      const [i = 0, t = 0, h = 0, d = 0, l = 0, w = 0, a = 0] = inputs.map(({ address }) => address);
      const out = fenced(kernels, new Float64Array(planes * rows * columns));
      const scratch = fenced(kernels, new Float64Array(width));
      for (const [begin, end] of [
        [9, 12],
        [4, 9],
        [0, 4],
      ] as const) {
        const s = scratch.address;
        kernels.call.resamplePlanes(
          out.address,
          s,
          i,
          t,
          h,
          d,
          l,
          w,
          a,
          height,
          width,
          rows,
          columns,
          taps,
          taps,
          begin,
          end,
        );
      }
      for (const buffer of [out, scratch, ...inputs]) buffer.check("resamplePlanes");
      assert.equal(out.f64(), expected);
    });
  }

  test("a constant stays exactly in range and nearly constant", () => {
    const constant = planesOf(kernels, new Float64Array(35).fill(0.7), 5, 7);
    assertClose(
      valuesOf(kernels, resampleTriangle(kernels, constant, 11, 3)),
      new Float64Array(33).fill(0.7),
      1e-15,
      "0.7",
    );
  });

  test("interpolation passes through its points, is linear between and constant beyond", () => {
    const grid = planesOf(kernels, [0, 10, 30, 100, 110, 130], 2, 3);
    const got = allocatePlanes(kernels, 1, 5, 6);
    interpolateGrid(kernels, grid, Float64Array.of(1, 3), Float64Array.of(0.5, 2, 4), got);
    const row = [0, 10 / 3, 10, 20, 30, 30];
    const expected = [0, 0, 50, 100, 100].flatMap((base) => row.map((v) => v + base));
    assertClose(valuesOf(kernels, got), expected, 1e-13, "grid");
  });

  test("interpolation of one row or column repeats it", () => {
    const got = allocatePlanes(kernels, 1, 3, 2);
    interpolateGrid(kernels, planesOf(kernels, [4], 1, 1), Float64Array.of(2), Float64Array.of(0), got);
    assert.equal([...valuesOf(kernels, got)], [4, 4, 4, 4, 4, 4]);
  });

  test("the range of each plane becomes [0,1]; a constant becomes zeros", () => {
    const planes = planesOf(kernels, [-2, 0, 6, 5, 5, 5, 0, 0, -4], 1, 3);
    normaliseRange(kernels, planes);
    assert.equal([...valuesOf(kernels, planes)], [0, 0.25, 1, 0, 0, 0, 1, 1, 0]);
  });
});
