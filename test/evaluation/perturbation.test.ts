import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import {
  aopc,
  classActivationMap,
  curveArea,
  enlargeMap,
  gaussianBlur,
  perturbationBaseline,
  perturbationCurve,
  seededRandom,
} from "../../evaluation/index.ts";
import { suite } from "../support/suite.ts";

const side = 10;
const random = seededRandom(4);
const weights = Float32Array.from({ length: side * side }, () => random() - 0.3);
const input = tensor(
  [1, side, side],
  Float32Array.from(weights, () => random()),
);
const black = tensor([1, side, side], new Float32Array(side * side));
const linear = ({ data }: Tensor): number => data.reduce((sum, value, i) => sum + value * weights[i]!, 0);

suite("evaluation/perturbation", (test) => {
  test("deletion by gradient times input of a linear model is the best of all orders", () => {
    const exact = Float64Array.from(input.data, (value, i) => value * weights[i]!);
    const best = curveArea(perturbationCurve(exact, input, black, linear, 50));
    for (let trial = 0; trial < 200; trial++) {
      const other = exact.map((value) => value + 0.5 * (random() - 0.5));
      assert.ok(curveArea(perturbationCurve(other, input, black, linear, 50)) >= best - 1e-6);
    }
    const most = perturbationCurve(exact, input, black, linear, 50);
    const least = perturbationCurve(exact, input, black, linear, 50, "least");
    assert.ok(aopc(most) > aopc(least));
  });

  test("a curve of 50 steps costs 51 forward passes, begins at the input and ends at the baseline", () => {
    let passes = 0;
    const count = (each: Tensor): number => {
      passes++;
      return linear(each);
    };
    const { scores, shares } = perturbationCurve(Float64Array.from(weights), input, black, count, 50);
    assert.is(passes, 51);
    assert.is(scores[0], linear(input));
    assert.is(scores.at(-1), 0);
    assert.is(shares.at(-1), 1);
  });

  test("the area of a straight line is a half, its mean drop too", () => {
    const line = { shares: [0, 0.5, 1], scores: [1, 0.5, 0] };
    assert.is(curveArea(line), 0.5);
    assert.is(aopc(line), 0.5);
  });

  test("wrong steps and sizes are refused", () => {
    const map = new Float64Array(side * side);
    assert.throws(
      () => perturbationCurve(map, input, black, linear, 0),
      (error: Error) => error.message === "perturbationCurve: steps must be a whole number from 1 to 100, got 0.",
    );
    assert.throws(
      () => perturbationCurve(new Float64Array(9), input, black, linear),
      (error: Error) =>
        error.message.startsWith("perturbationCurve: map must have the 100 pixels of the input, got 9;"),
    );
  });

  test("baselines: the mean, a blur that keeps it, noise in the channel's range by its seed", () => {
    const mean = input.data.reduce((sum, value) => sum + value, 0) / 100;
    assert.ok(perturbationBaseline(input, "mean").data.every((value) => Math.abs(value - mean) < 1e-6));
    const blurred = perturbationBaseline(input, "blur").data;
    assert.ok(Math.abs(blurred.reduce((sum, value) => sum + value, 0) / 100 - mean) < 1e-4);
    assert.equal(perturbationBaseline(input, "noise", 3).data, perturbationBaseline(input, "noise", 3).data);
    assert.not.equal(perturbationBaseline(input, "noise", 3).data, perturbationBaseline(input, "noise", 4).data);
  });

  test("a blurred constant stays, a blurred point keeps its sum", () => {
    assert.ok(gaussianBlur(new Float64Array(100).fill(2), 10, 3).every((value) => Math.abs(value - 2) < 1e-12));
    const point = new Float64Array(100);
    point[55] = 1;
    const sum = gaussianBlur(point, 10, 1).reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum - 1) < 1e-12);
  });

  test("class activation maps follow their formulas on two channels", () => {
    const a = tensor([2, 1, 2], Float32Array.of(1, 2, 3, 0));
    const g = tensor([2, 1, 2], Float32Array.of(1, -0.5, -2, 1));
    // Grad-CAM: weights .25 and -.5. LayerCAM: 1*1, 0 and 0, 1*0.
    assert.equal([...classActivationMap("gradcam", a, g)], [0, 0.5]);
    assert.equal([...classActivationMap("layercam", a, g)], [1, 0]);
    // Grad-CAM++: alpha of the one positive gradient in channel 0 is 1 / (2 + 3), in channel 1 it is 1 / (2 + 3).
    const [first = 0, second = 0] = classActivationMap("gradcam++", a, g);
    assert.ok(Math.abs(first - 0.8) < 1e-5 && Math.abs(second - 0.4) < 1e-5, `${first} ${second}`);
  });

  test("enlarging keeps a constant, the corners and the middle", () => {
    const big = enlargeMap(Float64Array.of(0, 1, 0, 1), 2, 2, 4, 2);
    assert.equal([...big.slice(0, 4)], [0, 0.25, 0.75, 1]);
  });
});
