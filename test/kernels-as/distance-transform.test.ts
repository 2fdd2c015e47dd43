import * as assert from "uvu/assert";
import { distanceOracle } from "../oracle/salient-relevance.ts";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("distance transform kernels", (test) => {
  const kernels = testKernels();
  const { call } = kernels;

  for (const [height, width, threshold] of [
    [1, 1, 0.5],
    [1, 9, 0.7],
    [9, 1, 0.7],
    [6, 5, 0.9],
    [5, 13, 0.5],
    [4, 4, 2], // no mark
    [4, 3, -1], // every pixel marked
  ] as const) {
    test(`three planes of ${height}x${width}, marked above ${threshold}, in any parts`, () => {
      const count = 3;
      const size = height * width;
      const planes = Float64Array.from(rng(height).f32(count * size, 0, 1));
      const isMarked = (k: number, y: number, x: number): boolean =>
        (planes[k * size + y * width + x] ?? 0) > threshold;
      const alongColumns = Int32Array.from({ length: count * size }, (_, i) => {
        const [k, y, x] = [Math.floor(i / size), Math.floor(i / width) % height, i % width];
        let best = height + width;
        for (let v = 0; v < height; v++) if (isMarked(k, v, x)) best = Math.min(best, Math.abs(v - y));
        return best;
      });
      const expected = [0, 1, 2].flatMap((k) => distanceOracle((y, x) => isMarked(k, y, x), height, width).data);
      const input = fenced(kernels, planes);
      const columns = fenced(kernels, new Int32Array(count * size));
      const out = fenced(kernels, new Float64Array(count * size));
      const scratch = fenced(kernels, new Int32Array(3 * width));
      const parts = (n: number): (readonly [begin: number, end: number])[] => {
        const cut = Math.floor((2 * n) / 5);
        return [
          [cut, n],
          [0, cut],
          [cut, cut],
        ];
      };
      for (const [begin, end] of parts(count * width)) {
        call.distanceColumns(columns.address, input.address, threshold, height, width, begin, end);
      }
      assert.equal(new Int32Array(columns.bytes().buffer), alongColumns);
      for (const [begin, end] of parts(count * height)) {
        call.distanceRows(out.address, scratch.address, columns.address, height, width, begin, end);
      }
      assertClose(out.f64(), expected, 1e-14 * (height + width), "distances");
      for (const buffer of [input, columns, out, scratch]) buffer.check("distance transform");
    });
  }
});
