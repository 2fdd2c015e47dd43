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
  ["a block", 64, 16, 0],
  ["one row and one input beyond a block", 65, 17, 0],
  ["blocks and tails, not from the first output", 134, 39, 5],
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
        const scratch = fenced(kernels, new Uint8Array(kernels.call.densePackScratch()));
        const run = (begin: number, end: number): void => {
          const [to, s, a, f] = [packed.address, scratch.address, from.address, isScaled ? factors.address : 0];
          kernels.call.densePack(to, s, a, f, first, rows, inF, outStride, begin, end);
        };
        const cut = (inF >> 1) & ~3;
        run(cut, inF);
        run(0, cut);
        const expected = before.map((value, at) => {
          const [i, r] = [Math.floor(at / outStride), (at % outStride) - first];
          return r < 0 || r >= rows ? value : Math.fround((w[r * inF + i] ?? 0) * (isScaled ? (scale[r] ?? 0) : 1));
        });
        assert.equal(packed.f32(), expected);
        packed.check("densePack");
        scratch.check("densePack");
      });
    }
  }
});
