import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { maxSensitivity, seededRandom, sensitivityN } from "../../evaluation/index.ts";
import { suite } from "../support/suite.ts";

const random = seededRandom(8);
const weights = Float32Array.from({ length: 128 }, () => random() - 0.4);
const input = tensor(
  [2, 8, 8],
  Float32Array.from(weights, () => random()),
);
const black = tensor([2, 8, 8], new Float32Array(128));
const linear = ({ data }: Tensor): number => data.reduce((sum, value, i) => sum + value * weights[i]!, 0);
const exact = Float64Array.from({ length: 64 }, (_, i) => {
  const [a, b] = [i, i + 64];
  return input.data[a]! * weights[a]! + input.data[b]! * weights[b]!;
});

suite("evaluation/sensitivity", (test) => {
  test("sensitivity-n of gradient times input of a linear model is 1 for every n, -1 for its opposite", () => {
    for (const n of [1, 5, 40]) {
      assert.ok(sensitivityN(exact, input, black, linear, n) > 1 - 1e-9, `n ${n}`);
      const opposite = exact.map((value) => -value);
      assert.ok(sensitivityN(opposite, input, black, linear, n) < -1 + 1e-9, `n ${n}`);
    }
  });

  test("sensitivity-n of a random map is far from 1, of a constant one NaN, and seeded", () => {
    const noise = exact.map(() => random());
    assert.ok(Math.abs(sensitivityN(noise, input, black, linear, 5)) < 0.5);
    assert.is(sensitivityN(noise, input, black, linear, 5), sensitivityN(noise, input, black, linear, 5));
    assert.ok(Number.isNaN(sensitivityN(new Float64Array(64), input, black, linear, 5)));
    assert.throws(
      () => sensitivityN(exact, input, black, linear, 65),
      (error: Error) => error.message === "sensitivityN: n must be a whole number from 1 to 64, got 65.",
    );
  });

  test("max-sensitivity is 0 for a map that ignores the input, and bounded by the noise for the input itself", () => {
    assert.is(
      maxSensitivity(input, () => exact),
      0,
    );
    const norm = Math.sqrt(input.data.reduce((sum, value) => sum + value * value, 0));
    const found = maxSensitivity(input, ({ data }) => data, 0.2);
    // At most every value moves by 0.2; on average by 0.2 / sqrt(3).
    assert.ok(found < (0.2 * Math.sqrt(128)) / norm && found > (0.1 * Math.sqrt(128)) / norm, `${found}`);
    assert.ok(Number.isNaN(maxSensitivity(input, () => new Float64Array(64))));
  });
});
