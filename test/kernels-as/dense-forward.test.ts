import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** [reason, inputs, outputs, share of inputs that are 0]. */
const cases: readonly (readonly [reason: string, inputs: number, outputs: number, zeros: number])[] = [
  ["one weight", 1, 1, 0],
  ["eight inputs, a vector of outputs", 8, 4, 0],
  ["a tail of inputs and outputs", 21, 7, 0],
  ["half of the inputs 0", 64, 40, 0.5],
  ["all inputs 0", 9, 12, 1],
];

suite("denseForward", (test) => {
  const kernels = testKernels();
  const { call } = kernels;
  const free = Number.POSITIVE_INFINITY;
  for (const [reason, inputs, outputs, zeros] of cases) {
    test(`W x + b and W+ x in one sweep: ${reason}`, () => {
      const random = rng(inputs + outputs);
      const stride = Math.ceil(outputs / 4) * 4;
      const x = random.f32(inputs, 0, 1).map((v) => (random.uniform() < zeros ? 0 : v));
      const w = random.f32(inputs * stride, -1, 1);
      const bias = random.f32(stride, -1, 1);
      const expected = [0, 1].map((sign) =>
        Float64Array.from({ length: stride }, (_, o) =>
          x.reduce(
            (sum, v, i) => {
              const weight = w[i * stride + o] ?? Number.NaN;
              return sum + v * (sign === 1 ? Math.max(weight, 0) : weight);
            },
            sign === 1 ? 0 : (bias[o] ?? Number.NaN),
          ),
        ),
      );
      const given = [x, w, bias].map((data) => fenced(kernels, data));
      const [xAt = 0, wAt = 0, bAt = 0] = given.map(({ address }) => address);
      const indices = fenced(kernels, new Int32Array(inputs));
      const count = call.nonZeroIndices(indices.address, xAt, inputs);
      const outputAt = (): ReturnType<typeof fenced> => fenced(kernels, new Float32Array(stride).fill(7));
      const [both, positive, plain, alone] = [outputAt(), outputAt(), outputAt(), outputAt()];
      const run = (y: number, beside: number, b: number, kind: number, n: number): void => {
        const vectors = stride / 4;
        const cut = vectors >> 1;
        for (const [begin, end] of [
          [cut, vectors],
          [0, cut],
        ] as const) {
          call.denseForward(
            y,
            beside,
            indices.address,
            xAt,
            wAt,
            b,
            count,
            stride,
            kind,
            1,
            n,
            -free,
            free,
            begin,
            end,
          );
        }
      };
      run(both.address, positive.address, bAt, 0, 1);
      run(plain.address, 0, bAt, 0, 1);
      run(alone.address, 0, 0, 1, 0);
      assertClose(both.f32(), expected[0] ?? [], 1e-5, "W x + b");
      assertClose(positive.f32(), expected[1] ?? [], 1e-5, "W+ x");
      assert.equal(both.f32(), plain.f32(), "the bits of W x + b alone");
      assert.equal(positive.f32(), alone.f32(), "the bits of W+ x alone");
      for (const buffer of [both, positive, plain, alone, indices, ...given]) buffer.check("denseForward");
    });
  }
});
