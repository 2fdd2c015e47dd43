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

  for (const [height, width] of [
    [1, 1],
    [3, 4],
    [2, 5],
  ] as const) {
    test(`weakenRows: planes of ${height}x${width}, in any parts`, () => {
      const random = rng(width);
      const size = height * width;
      const planes = Float64Array.from(random.f32(4 * size));
      const distances = Float64Array.from(random.f32(4 * size, 0, 9));
      distances.fill(0, size, 2 * size); // every pixel a focus
      distances.fill(Number.POSITIVE_INFINITY, 2 * size, 3 * size); // none
      const expected = planes.map((v, i) => {
        const plane = Math.floor(i / size);
        const furthest = Math.max(...distances.subarray(plane * size, (plane + 1) * size));
        return plane === 1 || plane === 2 ? v : v * (1 - (distances[i] ?? Number.NaN) / furthest);
      });
      const rows = 4 * height;
      const [at, distancesAt] = [fenced(kernels, planes), fenced(kernels, distances)];
      const ranges = fenced(kernels, new Float64Array(2 * rows));
      call.rangeRows(ranges.address, distancesAt.address, width, 0, rows);
      const cut = 2 * height + 1;
      for (const [begin, end] of [
        [cut, rows],
        [0, cut],
        [cut, cut],
      ] as const) {
        call.weakenRows(at.address, distancesAt.address, ranges.address, height, width, begin, end);
      }
      assert.equal(at.f64(), expected);
      assert.equal(distancesAt.f64(), distances, "the distances are left alone");
      for (const buffer of [at, distancesAt, ranges]) buffer.check("weakenRows");
    });
  }
});
