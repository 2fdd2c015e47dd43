import * as assert from "uvu/assert";
import { activationFunctions } from "../../engine/graph/activation-functions.ts";
import { functionOf } from "../../engine/layers/activation-functions.ts";
import { evaluateFunction, functionGradient } from "../oracle/elementwise.ts";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

/** Powers of ten of either sign, a fine grid, and the ends of float32. */
const values = Float32Array.from([
  ...Array.from({ length: 801 }, (_, i) => (i - 400) / 16),
  ...Array.from({ length: 80 }, (_, i) => 10 ** (i / 2 - 38)).flatMap((v) => [v, -v]),
  ...[87, 88.7, 89, 103.9, 104, 300, 710, 1e4, 3e38].flatMap((v) => [v, -v]),
  0,
]);
const onlyPositive = new Set(["log", "sqrt", "power", "reciprocal"]);

/** The float32 number after the nearest one, away from it: one unit in the last place. */
const unitOf = (value: number): number =>
  Math.max(2 ** (Math.floor(Math.log2(Math.abs(value) || 1e-46)) - 23), 2 ** -149);

/** Where a function bends, so that its derivative by differences is another. */
const kinks: Readonly<Record<string, readonly number[]>> = {
  hardSigmoid: [-2.5, 2.5],
  hardSwish: [-3, 3],
  elu: [0],
  celu: [0],
  softsign: [0],
  abs: [0],
  threshold: [1],
  sign: [0],
  reciprocal: [0],
};

suite("activation kernels", (test) => {
  for (const name of activationFunctions) {
    const node = { op: "activation", name: "f", inputs: ["input"], function: name } as const;
    const { kernel, alpha, beta } = functionOf(node);
    const xs = onlyPositive.has(name) ? values.filter((x) => x > 1e-30 && x < 1e18) : values;

    test(`${name}: rounded once, whatever a value's place`, () => {
      const kernels = testKernels();
      const run = (x: Float32Array): Float32Array => {
        const [input, out] = [fenced(kernels, x), fenced(kernels, new Float32Array(x.length))];
        kernels.call.activationForward(
          out.address,
          x.length,
          input.address,
          x.length,
          x.length,
          kernel,
          alpha,
          beta,
          0,
          1,
        );
        for (const buffer of [out, input]) buffer.check("activationForward");
        return out.f32().slice();
      };
      const got = run(xs);
      for (const [i, x] of xs.entries()) {
        const exact = evaluateFunction(node, x);
        if (Math.abs(exact) > 3.4028234e38) {
          assert.ok(Math.abs(got[i]!) > 3.4e38, `${name}(${x}) is ${got[i]}`);
          continue;
        }
        // Half a unit for the rounding, and float64's own errors, the oracle's too: 1 - erf has few digits left where erf is near 1.
        const bound = 0.51 * unitOf(exact) + 1e-15 * Math.min(1, Math.abs(x)) + (name === "erf" ? 3e-15 : 0);
        assert.ok(Math.abs(got[i]! - exact) <= bound, `${name}(${x}) must be ${exact}, got ${got[i]}`);
      }
      // The same values shifted by one, two and three places.
      for (const shift of [1, 2, 3]) assert.equal(run(xs.slice(shift)), got.slice(shift));
      assert.ok(
        Number.isNaN(run(Float32Array.of(0, Number.NaN, 1, 2, Number.NaN))[1]) ||
          name === "threshold" ||
          name === "sign",
      );
    });

    test(`${name}: its derivative times dy`, () => {
      const kernels = testKernels();
      const run = (x: Float32Array, dy: Float32Array, positiveOnly: 0 | 1): Float32Array => {
        const out = fenced(kernels, new Float32Array(x.length));
        const [input, from] = [fenced(kernels, x), fenced(kernels, dy)];
        const [row, length] = [x.length, x.length];
        const places = [out.address, row, from.address, row, input.address, row, length] as const;
        kernels.call.activationGrad(...places, kernel, alpha, beta, positiveOnly, 0, 1);
        for (const buffer of [out, input, from]) buffer.check("activationGrad");
        return out.f32().slice();
      };
      const isSmooth = (x: number): boolean => (kinks[name] ?? []).every((kink) => Math.abs(x - kink) > 0.01);
      // Differences need room on both sides, also beside a pole.
      const least = onlyPositive.has(name) ? 0.05 : -25;
      const smooth = xs.filter((x) => x >= least && x <= 25 && isSmooth(x));
      const dy = smooth.map((_, i) => ((i % 7) - 3) / 4);
      const got = run(smooth, dy, 0);
      for (const [i, x] of smooth.entries()) {
        const exact = functionGradient(node, x) * dy[i]!;
        // Half a unit for the rounding; the difference of two values loses five digits of them.
        const bound = 0.51 * unitOf(exact) + 2e-10 * Math.max(1, Math.abs(evaluateFunction(node, x)));
        assert.ok(Math.abs(got[i]! - exact) <= bound, `${name}'(${x}) * ${dy[i]} must be ${exact}, got ${got[i]}`);
      }
      const rectified = run(smooth, dy, 1);
      assert.equal(
        rectified,
        got.map((value, i) => (dy[i]! > 0 ? value : 0)),
      );
      // The same values shifted by one, two and three places.
      for (const shift of [1, 2, 3]) assert.equal(run(smooth.slice(shift), dy.slice(shift), 0), got.slice(shift));
      // No relevance, no gradient: not even where the slope is infinite or not a number.
      const odd = Float32Array.of(0, Number.NaN, Number.POSITIVE_INFINITY, -1, 1e30);
      assert.equal(run(odd, new Float32Array(odd.length), 0), new Float32Array(odd.length));
    });
  }
});
