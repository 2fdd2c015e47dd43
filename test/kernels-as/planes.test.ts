import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("plane kernels", (test) => {
  const kernels = testKernels();
  const { call } = kernels;

  for (const [count, length] of [
    [1, 1],
    [1, 6],
    [3, 7],
    [128, 15],
  ] as const) {
    test(`sumPlanes: ${count} planes of ${length}, in any parts`, () => {
      const planes = Float64Array.from(rng(count).f32(count * length));
      const expected = Float64Array.from({ length }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < count; k++) sum += planes[k * length + i] ?? Number.NaN;
        return sum / 3;
      });
      const input = fenced(kernels, planes);
      const out = fenced(kernels, new Float64Array(length));
      const cut = length >> 1;
      for (const [begin, end] of [
        [cut, length],
        [0, cut],
        [cut, cut],
      ] as const) {
        call.sumPlanes(out.address, input.address, count, length, 3, begin, end);
      }
      assert.equal(out.f64(), expected);
      for (const buffer of [out, input]) buffer.check("sumPlanes");
    });
  }

  for (const [count, height, width] of [
    [1, 1, 1],
    [2, 3, 4],
    [3, 2, 5],
    [1, 7, 2],
  ] as const) {
    test(`rangeRows and normaliseRows: ${count} planes of ${height}x${width}, in any parts`, () => {
      const rows = count * height;
      const planes = Float64Array.from(rng(width).f32(rows * width));
      planes.fill(0.3, (count - 1) * height * width); // the last is constant
      const row = (n: number): number[] => [...planes.subarray(n * width, (n + 1) * width)];
      const ranges = Array.from({ length: rows }, (_, n) => [Math.min(...row(n)), Math.max(...row(n))]);
      const expected = planes.map((v, i) => {
        const first = Math.floor(i / (height * width)) * height;
        const ofPlane = ranges.slice(first, first + height).flat();
        const [low, high] = [Math.min(...ofPlane), Math.max(...ofPlane)];
        return (v - low) / (high > low ? high - low : 1);
      });
      const at = fenced(kernels, planes);
      const rangesAt = fenced(kernels, new Float64Array(rows * 2));
      const cut = rows >> 1;
      const parts = [
        [cut, rows],
        [0, cut],
        [cut, cut],
      ] as const;
      for (const [begin, end] of parts) call.rangeRows(rangesAt.address, at.address, width, begin, end);
      assert.equal(rangesAt.f64(), Float64Array.from(ranges.flat()));
      assert.equal(at.f64(), planes, "rangeRows changes nothing");
      for (const [begin, end] of parts) call.normaliseRows(at.address, rangesAt.address, height, width, begin, end);
      assert.equal(at.f64(), expected);
      for (const buffer of [at, rangesAt]) buffer.check("normaliseRows");
    });
  }
});
