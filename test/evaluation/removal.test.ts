import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import {
  aopc,
  noisyLinearImputation,
  parameterRandomisation,
  randomisationSteps,
  randomLogit,
  regionPerturbationCurve,
  roadCurve,
  seededRandom,
  shuffledParameters,
} from "../../evaluation/index.ts";
import { suite } from "../support/suite.ts";

const random = seededRandom(12);
const side = 18;
const area = side * side;
const picture = (value: (x: number, y: number) => number): Tensor =>
  tensor(
    [1, side, side],
    Float32Array.from({ length: area }, (_, i) => value(i % side, Math.floor(i / side))),
  );
const weights = Float32Array.from({ length: area }, () => random() - 0.3);
const input = picture(() => random());
const black = picture(() => 0);
const linear = ({ data }: Tensor): number => data.reduce((sum, value, i) => sum + value * weights[i]!, 0);
const exact = Float64Array.from(input.data, (value, i) => value * weights[i]!);

suite("evaluation/removal", (test) => {
  test("imputation gives back a constant anywhere and a slope inside, whatever is missing", () => {
    const hole = Array.from({ length: area }, (_, i) => i).filter((i) => {
      const [x, y] = [i % side, Math.floor(i / side)];
      return (x > 2 && x < 15 && y > 3 && y < 14) || random() < 0.1;
    });
    for (const value of noisyLinearImputation(
      picture(() => 3),
      hole,
      0,
    ).data)
      assert.ok(Math.abs(value - 3) < 1e-6);
    const inner = hole.filter((i) => i % side > 0 && i % side < side - 1 && i >= side && i < area - side);
    const slope = picture((x, y) => 2 * x - y);
    const filled = noisyLinearImputation(slope, inner, 0).data;
    for (const [i, value] of slope.data.entries()) assert.ok(Math.abs(filled[i]! - value) < 1e-5, `${i}`);
  });

  test("imputation keeps what is known, has its noise by the seed, and needs one known pixel", () => {
    const missing = Uint32Array.from({ length: area - 1 }, (_, i) => i + 1);
    const filled = noisyLinearImputation(input, missing, 0.01, 4).data;
    assert.is(filled[0], input.data[0]);
    assert.equal(filled, noisyLinearImputation(input, missing, 0.01, 4).data);
    const noise = filled.slice(1).map((value) => value - input.data[0]!);
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    assert.ok(Math.abs(deviation - 0.01) < 0.001, `${deviation}`);
    assert.throws(
      () =>
        noisyLinearImputation(
          input,
          Uint32Array.from(weights, (_, i) => i),
        ),
      (error: Error) =>
        error.message ===
        "noisyLinearImputation: pixels must be fewer than the 324 of the input and lie in it, got 324, the last 323.",
    );
  });

  test("ROAD asks once a share, removes that share, and the exact map loses more than its opposite", () => {
    const touched: number[] = [];
    const score = (each: Tensor): number => {
      touched.push(each.data.reduce((sum, value, i) => sum + Number(value !== input.data[i]), 0));
      return linear(each);
    };
    const most = roadCurve(exact, input, score);
    assert.equal(
      touched,
      [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((share) => Math.floor(share * area)),
    );
    const least = roadCurve(exact, input, linear, "least");
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(mean(most.scores) < mean(least.scores));
  });

  test("regions by the exact map of a linear model lose most; n regions cost n + 1 passes, cut at the edge", () => {
    let passes = 0;
    const count = (each: Tensor): number => {
      passes++;
      return linear(each);
    };
    const best = regionPerturbationCurve(exact, input, black, count, 4, 10);
    assert.is(passes, 11);
    for (let trial = 0; trial < 50; trial++) {
      const other = exact.map((value) => value + (random() - 0.5));
      assert.ok(aopc(regionPerturbationCurve(other, input, black, linear, 4, 10)) <= aopc(best) + 1e-6);
    }
    const all = regionPerturbationCurve(exact, input, black, linear, 4, 1000);
    assert.is(all.scores.length, 1 + 25);
    assert.is(all.shares.at(-1), 1);
    assert.is(all.scores.at(-1), 0);
    assert.throws(
      () => regionPerturbationCurve(exact, input, black, linear, 0),
      (error: Error) =>
        error.message === "regionPerturbationCurve: side and regions must be whole numbers above 0, got 0 and 100.",
    );
  });

  test("parameter randomisation goes from the last layer down; a map that ignores the network stays like itself", () => {
    assert.equal(randomisationSteps(["a", "b", "c"], "cascading"), [["c"], ["c", "b"], ["c", "b", "a"]]);
    assert.equal(randomisationSteps(["a", "b", "c"], "independent"), [["c"], ["b"], ["a"]]);
    const asked: (readonly string[])[] = [];
    const steps = randomisationSteps(["a", "b"], "cascading");
    const same = parameterRandomisation(exact, side, steps, (layers) => {
      asked.push(layers);
      return exact;
    });
    assert.equal(asked, steps);
    for (const { rankCorrelation, ssim } of same) assert.ok(rankCorrelation === 1 && Math.abs(ssim - 1) < 1e-12);
    const [other] = parameterRandomisation(exact, side, [["a"]], () => exact.map(() => random()));
    assert.ok(other !== undefined && Math.abs(other.rankCorrelation) < 0.2 && other.ssim < 0.2);
  });

  test("shuffled parameters are the same values elsewhere, by their seed", () => {
    const shuffled = shuffledParameters(weights, 3);
    assert.equal(shuffled.slice().sort(), weights.slice().sort());
    assert.not.equal(shuffled, weights);
    assert.equal(shuffled, shuffledParameters(weights, 3));
    assert.not.equal(shuffled, shuffledParameters(weights, 4));
  });

  test("random logit never draws the class itself, and is 1 for a map that ignores the class", () => {
    const drawn = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const value = randomLogit(
        exact,
        side,
        1,
        3,
        (index) => {
          drawn.add(index);
          return exact;
        },
        seed,
      );
      assert.ok(Math.abs(value - 1) < 1e-12);
    }
    assert.equal([...drawn].sort(), [0, 2]);
    assert.throws(
      () => randomLogit(exact, side, 0, 1, () => exact),
      (error: Error) => error.message === "randomLogit: needs another class, the network has 1.",
    );
  });
});
