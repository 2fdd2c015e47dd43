import * as assert from "uvu/assert";
import { linearLevels } from "../../engine/salient/cielab.ts";
import { labOracle } from "../oracle/salient-relevance.ts";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

suite("cielab kernels", (test) => {
  const kernels = testKernels();

  for (const pixels of [1, 7, 64]) {
    test(`labPlanes: ${pixels} pixels, in any parts`, () => {
      const random = rng(pixels);
      const levels = Uint8Array.from({ length: pixels * 3 }, () => random.integer(0, 255));
      levels.set([0, 255, 3]); // the darkest, the lightest, one of the linear part
      const colours = Array.from({ length: pixels }, (_, i) => labOracle([...levels.subarray(3 * i, 3 * i + 3)]));
      const [rgb, linear] = [fenced(kernels, levels), fenced(kernels, linearLevels())];
      const out = fenced(kernels, new Float64Array(3 * pixels));
      const cut = pixels >> 1;
      for (const [begin, end] of [
        [cut, pixels],
        [0, cut],
        [cut, cut],
      ] as const) {
        kernels.call.labPlanes(out.address, rgb.address, linear.address, pixels, begin, end);
      }
      const expected = [0, 1, 2].flatMap((c) => colours.map((colour) => colour[c] ?? Number.NaN));
      assertClose(out.f64(), expected, 1e-12, "L*, a*, b*");
      assert.equal(rgb.bytes(), levels, "the picture is left alone");
      for (const buffer of [out, rgb, linear]) buffer.check("labPlanes");
    });
  }
});
