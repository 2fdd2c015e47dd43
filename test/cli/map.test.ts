import * as assert from "uvu/assert";
import { parseMap, parseTensor } from "../../cli/inputs/map.ts";
import { tensor } from "../../engine/basics/tensor.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("maps from files", (test) => {
  const shape = [3, 24, 20];
  const data = Float64Array.from(rng(4).f32(3 * 24 * 20), (v) => v ** 3);
  const npy = (factor: number) => writeNpy({ shape, data: data.map((value) => value * factor) });
  const kernels = testKernels();
  const salient = (bytes: Uint8Array) =>
    salientRelevance(kernels, parseMap(bytes, "map.npy"), { workSize: 36 }).map.data;

  test("float64 keeps its values, however small or large: rounded to float32 they would be 0 or infinite", () => {
    const expected = salientRelevance(kernels, parseTensor(npy(1), "map.npy"), { workSize: 36 }).map.data;
    assert.ok(expected.some((value) => value > 0));
    for (const exponent of [-1000, -400, -170, -30, 0, 30, 170, 660, 1000]) {
      assert.equal(salient(npy(2 ** exponent)), expected, `times 2^${exponent}`);
    }
    // Any other factor moves the last bits alone.
    for (const factor of [1e-50, 1e200, 1e-300]) {
      const got = salient(npy(factor));
      const off = Math.max(...expected.map((value, i) => Math.abs(got[i]! - value)));
      assert.ok(off < 1e-2, `times ${factor}: off by ${off}`);
    }
  });

  test("empty maps, denormal numbers and maps that are not finite", () => {
    const one = (value: number) => parseMap(writeNpy({ shape: [1, 2], data: Float64Array.of(value, 0) }), "map.npy");
    assert.equal(one(0), tensor([1, 2], Float32Array.of(0, 0)));
    assert.ok(one(2 ** -1074).data[0]! > 0);
    assert.ok(Number.isNaN(one(Number.NaN).data[0]));
    assert.equal(one(Number.NEGATIVE_INFINITY), tensor([1, 2], Float32Array.of(Number.NEGATIVE_INFINITY, 0)));
  });

  test("float32 stays as it is", () => {
    const map = tensor([1, 2], Float32Array.of(1e-30, -3));
    assert.equal(parseMap(writeNpy(map), "map.npy"), map);
  });
});
