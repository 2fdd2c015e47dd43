import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import {
  integratedGradients,
  occlusionMap,
  riseMap,
  seededRandom,
  smoothGrad,
  spearman,
} from "../../evaluation/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const random = seededRandom(3);
const side = 12;
const weights = Float32Array.from({ length: side * side }, () => random() - 0.3);
const input = tensor(
  [1, side, side],
  Float32Array.from(weights, () => 0.5 + random()),
);
const black = tensor([1, side, side], new Float32Array(side * side));
const linear = ({ data }: Tensor): number => data.reduce((sum, value, i) => sum + value * weights[i]!, 0);
const ofLinear = ({ shape }: Tensor): Tensor => tensor(shape, weights);

function near(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(got[i]! - expected[i]!) <= tolerance, `${i}: got ${got[i]}, expected ${expected[i]}`);
  }
}

suite("evaluation/rivals", (test) => {
  test("integrated gradients of sum w x^2 are w x^2, and complete", () => {
    const gradient = ({ shape, data }: Tensor): Tensor =>
      tensor(
        shape,
        data.map((value, i) => 2 * value * weights[i]!),
      );
    const { data } = integratedGradients(input, black, gradient, 10);
    near(
      data,
      input.data.map((value, i) => value * value * weights[i]!),
      1e-6,
    );
  });

  test("SmoothGrad of a linear score is its gradient; it is seeded", () => {
    near(smoothGrad(input, ofLinear).data, weights, 1e-6);
    const square = (each: Tensor): Tensor => each;
    assert.equal(smoothGrad(input, square, 4).data, smoothGrad(input, square, 4).data);
    assert.not.equal(smoothGrad(input, square, 4).data, smoothGrad(input, square, 4, 0.15, 2).data);
  });

  test("occlusion of single pixels of a linear score is gradient times input; squares reach the last row", () => {
    near(
      occlusionMap(input, black, linear, 1, 1),
      input.data.map((value, i) => value * weights[i]!),
      1e-4,
    );
    assert.ok(occlusionMap(input, black, linear, 5, 4).every(Number.isFinite));
  });

  test("RISE is that of its authors' code, with masks of the same seed", () => {
    const golden = JSON.parse(readFileSync(join(root, "test/evaluation/rise-golden.json"), "utf8")) as {
      readonly shape: readonly number[];
      readonly samples: number;
      readonly seed: number;
      readonly cells: number;
      readonly keep: number;
      readonly x: readonly number[];
      readonly w: readonly number[];
      readonly saliency: readonly number[];
    };
    const softplus = ({ data }: Tensor): number =>
      Math.log1p(Math.exp(0.2 * data.reduce((sum, value, i) => sum + value * (golden.w[i] ?? 0), 0)));
    const given = tensor(golden.shape, Float32Array.from(golden.x));
    const { samples, seed, cells, keep, saliency } = golden;
    const map = riseMap(given, softplus, samples, seed, cells, keep);
    assert.is(map.length, saliency.length);
    for (const [i, value] of map.entries()) {
      assert.ok(Math.abs(value - (saliency[i] ?? 0)) < 1e-6, `pixel ${i}: ${value} for ${saliency[i]}`);
    }
  });

  test("RISE finds the corner that a score looks at, and is seeded", () => {
    const corner = ({ data }: Tensor): number =>
      data.reduce((sum, value, i) => sum + (i % side < 5 && i < 5 * side ? value : 0), 0) / 25;
    const map = riseMap(input, corner, 400, 1, 4);
    const wanted = Float64Array.from({ length: side * side }, (_, i) => -Math.max(i % side, Math.floor(i / side)));
    assert.ok(spearman(map, wanted) > 0.5, `${spearman(map, wanted)}`);
    assert.equal(map, riseMap(input, corner, 400, 1, 4));
  });
});
