import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const inputs: readonly (readonly [reason: string, values: Float32Array])[] = [
  ["one", Float32Array.of(3)],
  ["two, falling", Float32Array.of(5, 2)],
  ["three lanes", rng(4).f32(3, 0, 1)],
  ["random", rng(1).f32(257, 0, 1)],
  ["many ties", rng(2).f32(300, 0, 4).map(Math.floor)],
  ["all equal", new Float32Array(100).fill(7)],
  ["all zero", new Float32Array(65)],
  ["rising", Float32Array.from({ length: 100 }, (_, i) => i)],
  ["falling", Float32Array.from({ length: 100 }, (_, i) => 100 - i)],
  ["huge and denormal", Float32Array.of(1, 3e38, 1e-42, 0, 1e30, 2e-42, 5, 1e-45)],
];

suite("select kernels", (test) => {
  const kernels = testKernels();
  for (const [reason, values] of inputs) {
    test(`the smallest are found: ${reason}`, () => {
      const sorted = values.slice().sort();
      for (const k of new Set([1, 2, values.length >> 1, 64, values.length - 1, values.length])) {
        if (k < 1 || k > values.length) continue;
        for (const [spare, upper] of [
          [0, sorted[k - 1] ?? 0],
          [0, 3.4e38],
          [8, 3.4e38],
        ] as const) {
          const buffer = fenced(kernels, values);
          const t = kernels.call.kthSmallest(buffer.address, values.length, k, spare, upper);
          assert.equal(buffer.f32(), values, "kthSmallest changes nothing");
          const atMost = values.filter((v) => v <= t).length;
          assert.is(kernels.call.countAtMost(buffer.address, values.length, t), atMost);
          assert.ok(values.filter((v) => v < t).length <= k + spare, "at most k + spare below");
          assert.ok(atMost >= k, "at least k at most");
          const kept = spare === 0 ? k : atMost;
          kernels.call.keepSmallest(buffer.address, values.length, kept, t);
          buffer.check("keepSmallest");
          assert.equal(buffer.f32().slice(0, kept).sort(), sorted.slice(0, kept), `${kept} smallest`);
        }
      }
    });
  }

  test("the mean of roots is the same in any order", () => {
    const values = rng(3).f32(65, 0, 10);
    const expected = values.reduce((sum, v) => sum + Math.sqrt(v), 0) / values.length;
    const mean = (data: Float32Array): number => kernels.call.meanRoot(fenced(kernels, data).address, data.length);
    assertClose([mean(values)], [expected], 1e-12, "mean");
    assert.is(mean(values.slice().sort()), mean(values));
    assert.is(mean(values.slice().reverse()), mean(values));
  });

  test("exp and cbrt agree with the formula on the host to the last bits", () => {
    for (const x of [0, -1e-9, -0.5, -1, -3.25, -20, -700, 1]) {
      assertClose([kernels.call.exp(x)], [Math.exp(x)], 4e-16 * Math.exp(x), `exp(${x})`);
    }
    for (const x of [0, 1e-9, 0.008856, 0.3, 1, 27]) {
      assertClose([kernels.call.cbrt(x)], [Math.cbrt(x)], 4e-16 * Math.cbrt(x), `cbrt(${x})`);
    }
  });
});
