import * as assert from "uvu/assert";
import { valuesOf } from "../../engine/memory/planes.ts";
import { distanceTransform } from "../../engine/salient/distance-transform.ts";
import { distanceOracle } from "../oracle/salient-relevance.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { planesOf } from "../support/planes.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("distance transform", (test) => {
  const kernels = testKernels();

  /** Distances to the nearest nonzero pixel, in each plane. */
  function distancesTo(marked: Uint8Array, height: number, width: number): Float64Array {
    return valuesOf(kernels, distanceTransform(kernels, planesOf(kernels, marked, height, width), 0.5)).slice();
  }

  const random = rng(1);
  for (const [height, width] of [
    [1, 1],
    [1, 17],
    [17, 1],
    [2, 2],
    [13, 21],
    [24, 9],
  ] as const) {
    for (const share of [0.01, 0.1, 0.6]) {
      test(`${height}x${width}, ${share} marked: equals the search over all pairs`, () => {
        const marked = Uint8Array.from({ length: height * width }, () => (random.uniform() < share ? 1 : 0));
        marked[random.integer(0, height * width - 1)] = 1;
        const expected = distanceOracle((y, x) => marked[y * width + x] === 1, height, width);
        assertClose(distancesTo(marked, height, width), expected.data, 1e-14 * (height + width), "distances");
      });
    }
  }

  test("every single pixel of a small map as the only mark", () => {
    for (let only = 0; only < 35; only++) {
      const marked = new Uint8Array(35);
      marked[only] = 1;
      const expected = distanceOracle((y, x) => y * 5 + x === only, 7, 5);
      assertClose(distancesTo(marked, 7, 5), expected.data, 1e-14, `mark ${only}`);
    }
  });

  test("nothing marked is infinitely far, everything marked is at 0", () => {
    assert.ok(distancesTo(new Uint8Array(6), 2, 3).every((d) => d === Number.POSITIVE_INFINITY));
    assert.ok(distancesTo(new Uint8Array(6).fill(1), 2, 3).every((d) => d === 0));
  });

  test("only what is above the threshold is marked, each plane for itself", () => {
    const planes = planesOf(kernels, [0.5, 0.25, 0, 0.8, 0.1, 0.5, 0.9, 0.2, 0.3], 1, 3);
    const distances = valuesOf(kernels, distanceTransform(kernels, planes, 0.5));
    const { POSITIVE_INFINITY: far } = Number;
    assert.equal([...distances], [far, far, far, 0, 1, 2, 0, 1, 2]);
  });
});
