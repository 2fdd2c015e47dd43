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
});
