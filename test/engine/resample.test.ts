import * as assert from "uvu/assert";
import { normaliseRange } from "../../engine/plane.ts";
import { interpolateGrid, resampleTriangle } from "../../engine/resample.ts";
import { resizeOracle } from "../oracle/salient-relevance.ts";
import { assertClose } from "../support/close.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const sizes: readonly (readonly [height: number, width: number, toHeight: number, toWidth: number, reason: string])[] =
  [
    [7, 9, 7, 9, "no change"],
    [7, 9, 14, 18, "twice as large"],
    [8, 12, 4, 6, "half"],
    [13, 5, 31, 2, "up one way, down the other"],
    [22, 25, 25, 22, "nearly equal"],
    [1, 1, 5, 7, "from one pixel"],
    [9, 11, 1, 1, "to one pixel"],
    [40, 3, 7, 7, "far down"],
  ];

suite("resample", (test) => {
  for (const [height, width, toHeight, toWidth, reason] of sizes) {
    test(`the triangle filter equals its formula: ${reason}`, () => {
      const data = Float64Array.from(rng(1).f32(height * width));
      const expected = resizeOracle({ height, width, data: [...data] }, toHeight, toWidth);
      const got = resampleTriangle({ height, width, data }, toHeight, toWidth);
      assert.is(got.height, toHeight);
      assert.is(got.width, toWidth);
      assertClose(got.data, expected.data, 1e-14, reason);
    });
  }

  test("a constant stays exactly in range and nearly constant", () => {
    const data = new Float64Array(35).fill(0.7);
    assertClose(
      resampleTriangle({ height: 5, width: 7, data }, 11, 3).data,
      new Float64Array(33).fill(0.7),
      1e-15,
      "0.7",
    );
  });

  test("interpolation passes through its points, is linear between and constant beyond", () => {
    const grid = { height: 2, width: 3, data: Float64Array.of(0, 10, 30, 100, 110, 130) };
    const got = interpolateGrid(grid, Float64Array.of(1, 3), Float64Array.of(0.5, 2, 4), 5, 6);
    const row = [0, 10 / 3, 10, 20, 30, 30];
    const expected = [0, 0, 50, 100, 100].flatMap((base) => row.map((v) => v + base));
    assertClose(got.data, expected, 1e-13, "grid");
  });

  test("interpolation of one row or column repeats it", () => {
    const got = interpolateGrid(
      { height: 1, width: 1, data: Float64Array.of(4) },
      Float64Array.of(2),
      Float64Array.of(0),
      3,
      2,
    );
    assert.equal([...got.data], [4, 4, 4, 4, 4, 4]);
  });

  test("the range becomes [0,1]; a constant becomes zeros", () => {
    const of = (...data: number[]): Float64Array =>
      normaliseRange({ height: 1, width: data.length, data: Float64Array.from(data) }).data;
    assert.equal([...of(-2, 0, 6)], [0, 0.25, 1]);
    assert.equal([...of(5, 5)], [0, 0]);
  });
});
