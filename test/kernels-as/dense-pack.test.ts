import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** [reason, rows, inputs, first row]. */
const cases: readonly (readonly [reason: string, rows: number, inF: number, first: number])[] = [
  ["one weight", 1, 1, 0],
  ["a square", 4, 4, 0],
  ["tails of rows and inputs", 7, 6, 0],
  ["fewer rows than a square", 3, 9, 0],
  ["fewer inputs than a square", 9, 3, 0],
  ["a block", 32, 5, 0],
  ["one row beyond a block", 33, 8, 0],
  ["blocks and tails, not from the first output", 70, 13, 5],
];

suite("densePack", (test) => {
  const kernels = testKernels();
  for (const [reason, rows, inF, first] of cases) {
    for (const isScaled of [false, true]) {
      test(`${reason}${isScaled ? ", rows scaled" : ""}`, () => {
        const random = rng(rows);
        const outStride = Math.ceil((first + rows + 2) / 4) * 4;
        const w = random.f32(rows * inF);
        const scale = random.f32(rows);
        const before = random.f32(inF * outStride);
        const [packed, from, factors] = [fenced(kernels, before), fenced(kernels, w), fenced(kernels, scale)];
        kernels.call.densePack(
          packed.address,
          from.address,
          isScaled ? factors.address : 0,
          first,
          rows,
          inF,
          outStride,
        );
        const expected = before.map((value, at) => {
          const [i, r] = [Math.floor(at / outStride), (at % outStride) - first];
          return r < 0 || r >= rows ? value : Math.fround((w[r * inF + i] ?? 0) * (isScaled ? (scale[r] ?? 0) : 1));
        });
        assert.equal(packed.f32(), expected);
        packed.check("densePack");
      });
    }
  }
});
