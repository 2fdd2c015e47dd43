import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  attributionLocalisation,
  bootstrapMean,
  boxIous,
  effectiveComplexity,
  entropyComplexity,
  giniSparseness,
  insideOutsideAuc,
  massAccuracy,
  maxBoxAcc,
  pointingGame,
  rankAccuracy,
  seededRandom,
  signFlipTest,
  spearman,
  ssim,
  topKIntersection,
  topKIou,
} from "../../evaluation/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface Golden {
  readonly width: number;
  readonly cases: readonly (Record<string, number> & {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly mask: readonly number[];
  })[];
}

const golden = JSON.parse(readFileSync(join(root, "test/evaluation/goldens.json"), "utf8")) as unknown as Golden;

function near(got: number, expected: number | undefined, what: string, tolerance = 1e-6): void {
  assert.ok(Math.abs(got - (expected ?? Number.NaN)) <= tolerance, `${what}: got ${got}, expected ${expected}`);
}

const size = 40;
const square = Uint8Array.from({ length: size * size }, (_, i) =>
  Number(i % size >= 10 && i % size < 22 && i >= 5 * size && i < 25 * size),
);
const share = square.reduce((sum, value) => sum + value, 0) / square.length;

function randomMap(seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from(square, () => random());
}

suite("evaluation/metrics", (test) => {
  test("equal Quantus, scipy and scikit-image on maps without ties", () => {
    assert.ok(golden.cases.length > 0);
    for (const expected of golden.cases) {
      const { width } = golden;
      const [a, b, mask] = [
        Float64Array.from(expected.a),
        Float64Array.from(expected.b),
        Uint8Array.from(expected.mask),
      ];
      near(pointingGame(a, mask, width), expected["pointingGame"], "pointing game");
      near(massAccuracy(a, mask), expected["massAccuracy"], "mass accuracy");
      near(rankAccuracy(a, mask), expected["rankAccuracy"], "rank accuracy");
      near(topKIntersection(a, mask, 30), expected["topKIntersection"], "top-k intersection");
      near(insideOutsideAuc(a, mask), expected["auc"], "AUC");
      near(entropyComplexity(a), expected["complexity"], "complexity");
      near(effectiveComplexity(a, 0.1), expected["effectiveComplexity"], "effective complexity");
      near(spearman(a, b), expected["spearman"], "Spearman");
      near(ssim(a, b, width), expected["ssim"], "SSIM");
    }
  });

  test("sparseness is Quantus's where 1e-7 is added to each value as it does", () => {
    for (const { a, sparseness } of golden.cases) {
      near(giniSparseness(Float64Array.from(a, (value) => value + 1e-7)), sparseness, "sparseness", 1e-12);
    }
  });

  test("a map equal to the mask scores 1 in pointing, mass, rank, AUC and the box", () => {
    const map = Float64Array.from(square);
    assert.is(pointingGame(map, square, size), 1);
    assert.is(massAccuracy(map, square), 1);
    assert.is(rankAccuracy(map, square), 1);
    assert.is(insideOutsideAuc(map, square), 1);
    near(attributionLocalisation(map, square), 1 / share, "attribution localisation");
    const ious = boxIous(map, size, [{ left: 10, top: 5, width: 12, height: 20 }]);
    assert.is(maxBoxAcc([ious]).accuracy, 1);
    assert.throws(
      () => maxBoxAcc([ious, [1]]),
      (error: unknown) =>
        error instanceof RangeError &&
        error.message === `maxBoxAcc: a photo has 1 IoUs, got ${ious.length} thresholds. Give one each.`,
    );
    assert.is(ious.at(-1), 1);
  });

  test("a constant map scores the share of the area, where Quantus's pointing game always hits", () => {
    const map = new Float64Array(square.length).fill(3);
    near(pointingGame(map, square, size), share, "pointing game", 1e-12);
    near(massAccuracy(map, square), share, "mass", 1e-12);
    near(rankAccuracy(map, square), share, "rank", 1e-12);
    near(topKIntersection(map, square, 100), share, "top-k", 1e-12);
    near(insideOutsideAuc(map, square), 0.5, "AUC", 1e-12);
    near(entropyComplexity(map), Math.log(square.length), "entropy", 1e-9);
    near(giniSparseness(map), 0, "Gini", 1e-12);
  });

  test("random maps score the share of the area on average", () => {
    const seeds = Array.from({ length: 60 }, (_, i) => i + 1);
    const mean = (score: (map: Float64Array) => number): number =>
      seeds.reduce((sum, seed) => sum + score(randomMap(seed)), 0) / seeds.length;
    near(
      mean((map) => massAccuracy(map, square)),
      share,
      "mass",
      0.01,
    );
    near(
      mean((map) => rankAccuracy(map, square)),
      share,
      "rank",
      0.01,
    );
    near(
      mean((map) => insideOutsideAuc(map, square)),
      0.5,
      "AUC",
      0.01,
    );
  });

  test("rank metrics do not change under a monotone transform", () => {
    const map = randomMap(5);
    const bent = map.map((value) => Math.exp(5 * value) - 3);
    assert.is(rankAccuracy(bent, square), rankAccuracy(map, square));
    assert.is(topKIntersection(bent, square, 77), topKIntersection(map, square, 77));
    assert.is(insideOutsideAuc(bent, square), insideOutsideAuc(map, square));
    assert.is(pointingGame(bent, square, size), pointingGame(map, square, size));
    assert.is(spearman(bent, map), 1);
    assert.is(topKIou(bent, map, 100), 1);
  });

  test("the tolerance of the pointing game is a Euclidean distance that includes its end", () => {
    const at = (x: number, y: number): Float64Array => {
      const map = new Float64Array(square.length);
      map[y * size + x] = 1;
      return map;
    };
    // The square begins at (10, 5): (7, 1) is 3 and 4 away.
    assert.is(pointingGame(at(7, 1), square, size, 5), 1);
    assert.is(pointingGame(at(7, 1), square, size, 4.99), 0);
    assert.is(pointingGame(at(25, 10), square, size, 4), 1);
    assert.is(pointingGame(at(25, 10), square, size, 3), 0);
  });

  test("what nothing can be said about is refused in a sentence, an empty map gives NaN", () => {
    const map = randomMap(1);
    assert.throws(
      () => massAccuracy(map, new Uint8Array(9)),
      (error: Error) =>
        error.message === "mask: must have the map's 1600 pixels, got 9. Resize and crop it as the photo was.",
    );
    assert.throws(
      () => rankAccuracy(map, new Uint8Array(1600)),
      (error: Error) => error.message === "mask: is empty, so that nothing lies inside the object.",
    );
    map[7] = Number.NaN;
    assert.throws(
      () => insideOutsideAuc(map, square),
      (error: Error) => error.message === "map: values must be finite, got NaN at pixel 7. Check how it was made.",
    );
    assert.ok(Number.isNaN(massAccuracy(new Float64Array(1600), square)));
  });

  test("the bootstrap is seeded, its interval covers and narrows; the sign-flip test tells an effect from none", () => {
    const random = seededRandom(9);
    const values = Array.from({ length: 200 }, () => random());
    const interval = bootstrapMean(values);
    assert.equal(interval, bootstrapMean(values));
    assert.ok(interval.low < interval.mean && interval.mean < interval.high);
    // Standard error of 200 uniform numbers: 0.0204; 1.96 of them each side.
    near(interval.high - interval.low, 2 * 1.96 * 0.0204, "width", 0.015);
    assert.is(bootstrapMean([1, Number.NaN, 3]).count, 2);
    assert.ok(signFlipTest(values.map((value) => value - 0.5)) > 0.05);
    assert.is(signFlipTest(values), 1 / 10000);
  });
});
