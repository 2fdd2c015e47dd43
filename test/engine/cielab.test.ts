import { valuesOf } from "../../engine/memory/planes.ts";
import { labPlanes, linearLevels } from "../../engine/salient/cielab.ts";
import { labOracle } from "../oracle/salient-relevance.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

// Published CIELAB (D65) values of sRGB colours, two decimals (Bruce Lindbloom's calculator, skimage.color.rgb2lab).
const known: readonly (readonly [rgb: readonly [number, number, number], lab: readonly [number, number, number]])[] = [
  [
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [255, 255, 255],
    [100, 0, 0],
  ],
  [
    [255, 0, 0],
    [53.24, 80.09, 67.2],
  ],
  [
    [0, 255, 0],
    [87.73, -86.18, 83.18],
  ],
  [
    [0, 0, 255],
    [32.3, 79.19, -107.86],
  ],
  [
    [128, 128, 128],
    [53.59, 0, 0],
  ],
];

suite("cielab", (test) => {
  const kernels = testKernels();

  /** L*, a*, b* of each pixel. */
  function labOf(rgb: Uint8Array, height: number, width: number): number[][] {
    const values = valuesOf(kernels, labPlanes(kernels, rgb, height, width));
    const pixels = height * width;
    return Array.from({ length: pixels }, (_, i) => [0, 1, 2].map((c) => values[c * pixels + i] ?? Number.NaN));
  }

  test("known colours", () => {
    const rgb = Uint8Array.from(known.flatMap(([colour]) => [...colour]));
    const colours = labOf(rgb, 1, known.length);
    known.forEach(([, lab], i) => {
      assertClose(colours[i] ?? [], lab, 0.02, `colour ${i}`);
    });
  });

  test("all levels become linear light", () => {
    const expected = Float64Array.from({ length: 256 }, (_, level) => {
      const v = level / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    assertClose(linearLevels(), expected, 4e-16, "levels");
  });

  test("random colours equal the formula", () => {
    const random = rng(1);
    const rgb = Uint8Array.from({ length: 3 * 500 }, () => random.integer(0, 255));
    const colours = labOf(rgb, 20, 25);
    for (let i = 0; i < 500; i++) {
      const expected = labOracle([...rgb.subarray(3 * i, 3 * i + 3)]);
      assertClose(colours[i] ?? [], expected, 1e-12, `colour ${i}`);
    }
  });
});
