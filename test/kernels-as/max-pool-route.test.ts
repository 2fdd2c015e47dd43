import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** [reason, channels, output height and width, window height and width]. */
const cases: readonly (readonly [reason: string, c: number, h: number, w: number, kh: number, kw: number])[] = [
  ["2x2 windows", 8, 3, 5, 2, 2],
  ["a tail of channels", 7, 4, 3, 2, 2],
  ["fewer channels than a vector", 3, 2, 2, 3, 2],
  ["one window", 5, 1, 1, 3, 3],
  ["windows of one position", 4, 3, 3, 1, 1],
];

suite("maxPool2dRoute", (test) => {
  const kernels = testKernels();
  for (const [reason, channels, outH, outW, kh, kw] of cases) {
    test(`relevance goes to the first maximum of its window: ${reason}`, () => {
      const random = rng(channels + outH);
      const [inH, inW] = [outH * kh, outW * kw];
      // Few different values, so that maxima tie.
      const x = random.f32(inH * inW * channels, 0, 3).map(Math.floor);
      const dy = random.f32(outH * outW * channels, -1, 1).map((v) => (Math.abs(v) < 0.3 ? -0 : v));
      const y = new Float32Array(dy.length);
      const expected = new Float32Array(x.length);
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          for (let c = 0; c < channels; c++) {
            const at = (oy * outW + ox) * channels + c;
            const window = Array.from({ length: kh * kw }, (_, n) => {
              const [iy, ix] = [oy * kh + Math.floor(n / kw), ox * kw + (n % kw)];
              return (iy * inW + ix) * channels + c;
            });
            const values = window.map((n) => x[n] ?? Number.NaN);
            y[at] = Math.max(...values);
            expected[window[values.indexOf(y[at])] ?? -1] = (dy[at] ?? Number.NaN) + 0; // 0 is never -0
          }
        }
      }
      const given = [dy, x, y].map((data) => fenced(kernels, data));
      const [r = 0, from = 0, best = 0] = given.map(({ address }) => address);
      const dx = fenced(kernels, new Float32Array(x.length).fill(7));
      const [outRow, inRow, pixel] = [outW * channels, inW * channels, channels];
      const run = (begin: number, end: number): void => {
        const [input, output] = [
          [from, inRow, pixel],
          [best, outRow, pixel],
        ] as const;
        const sizes = [channels, outW, kh, kw] as const;
        kernels.call.maxPool2dRoute(
          dx.address,
          inRow,
          pixel,
          r,
          outRow,
          pixel,
          ...input,
          ...output,
          ...sizes,
          begin,
          end,
        );
      };
      const cut = outH >> 1;
      run(cut, outH);
      run(0, cut);
      assert.equal(new Uint32Array(dx.bytes().buffer), new Uint32Array(expected.buffer), "bits");
      for (const buffer of [dx, ...given]) buffer.check("maxPool2dRoute");
    });
  }
});
