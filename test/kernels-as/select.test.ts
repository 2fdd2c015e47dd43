import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const inputs: readonly (readonly [reason: string, values: Float32Array])[] = [
  ["empty", new Float32Array(0)],
  ["one", Float32Array.of(3)],
  ["two, falling", Float32Array.of(5, 2)],
  ["random", rng(1).f32(257, 0, 1)],
  ["many ties", rng(2).f32(300, 0, 4).map(Math.floor)],
  ["all equal", new Float32Array(100).fill(7)],
  ["rising", Float32Array.from({ length: 100 }, (_, i) => i)],
  ["falling", Float32Array.from({ length: 100 }, (_, i) => 100 - i)],
  ["organ pipe", Float32Array.from({ length: 101 }, (_, i) => Math.min(i, 100 - i))],
  ["with infinities and denormals", Float32Array.of(1, Number.POSITIVE_INFINITY, 1e-42, 0, 1e30, 2e-42, 5)],
];

suite("select kernels", (test) => {
  const kernels = testKernels();
  for (const [reason, values] of inputs) {
    test(`the smallest come first: ${reason}`, () => {
      const sorted = values.slice().sort();
      for (const count of new Set([0, 1, values.length >> 1, 64, values.length - 1, values.length])) {
        if (count < 0 || count > values.length) continue;
        const buffer = fenced(kernels, values);
        kernels.call.selectSmallest(buffer.address, values.length, count);
        buffer.check("selectSmallest");
        const got = buffer.f32();
        assert.equal(got.slice(0, count).sort(), sorted.slice(0, count), `${count} smallest`);
        assert.equal(got.slice().sort(), sorted, "nothing is lost");
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
    assert.is(kernels.call.meanRoot(0, 0), 0);
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
