import * as assert from "uvu/assert";
import { patchBasis } from "../../engine/salient/patch-basis.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** The basis for patches [n,length], all of them the sample. */
function basisOf(
  patches: Float32Array,
  length: number,
  channels: number,
  size: number,
  count: number,
): { mean: Float64Array; vectors: Float64Array } {
  const kernels = testKernels();
  const { arena } = kernels;
  const address = arena.allocate(patches.byteLength);
  arena.f32(address, patches.length).set(patches);
  const all = Int32Array.from({ length: patches.length / length }, (_, n) => n);
  const { mean, vectors } = patchBasis(kernels, address, all, length, channels, size, count);
  return { mean: arena.f64(mean, length).slice(), vectors: arena.f64(vectors, count * length).slice() };
}

suite("patch basis", (test) => {
  for (const [channels, size, samples] of [
    [1, 1, 3],
    [3, 1, 9],
    [1, 7, 40],
    [3, 7, 60],
    [2, 5, 20],
    [1, 63, 2],
  ] as const) {
    test(`${channels} channels of ${size}x${size}: orthonormal, most energetic first`, () => {
      const dimension = channels * size * size;
      const length = Math.ceil(dimension / 4) * 4;
      const count = Math.min(dimension, 40);
      const sample = new Float32Array(samples * length);
      const random = rng(size);
      for (let n = 0; n < samples; n++) sample.set(random.f32(dimension), n * length);
      const { mean, vectors } = basisOf(sample, length, channels, size, count);
      const row = (k: number): Float64Array => vectors.subarray(k * length, (k + 1) * length);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
        Array.from(a).reduce((s, v, i) => s + v * (b[i] ?? 0), 0);
      for (let k = 0; k < count; k++) {
        for (let l = 0; l <= k; l++) assertClose([dot(row(k), row(l))], [k === l ? 1 : 0], 1e-12, `vectors ${k}, ${l}`);
      }
      const energies = Array.from({ length: count }, (_, k) => {
        let energy = 0;
        for (let n = 0; n < samples; n++) {
          energy +=
            dot(
              sample.subarray(n * length, (n + 1) * length).map((v, e) => v - (mean[e] ?? 0)),
              row(k),
            ) ** 2;
        }
        return energy;
      });
      for (let k = 1; k < count; k++)
        assert.ok((energies[k] ?? 0) <= (energies[k - 1] ?? 0) * (1 + 1e-4) + 1e-12, `order at ${k}`);
    });
  }

  test("vectors beyond the dimension are zero", () => {
    const { vectors } = basisOf(Float32Array.of(1, 0, 0, 0, 2, 0, 0, 0), 4, 1, 1, 4);
    assert.equal([...vectors], [1, ...new Array(15).fill(0)]);
  });

  test("axes of correlated channels: the first holds everything", () => {
    const sample = new Float32Array(20 * 4);
    const random = rng(3);
    for (let n = 0; n < 20; n++) {
      const v = random.uniform();
      sample.set([3 * v, 4 * v, 0], n * 4);
    }
    const first = basisOf(sample, 4, 3, 1, 1).vectors;
    const sign = Math.sign(first[0] ?? 0);
    assertClose(
      [...first].map((v) => v * sign),
      [0.6, 0.8, 0, 0],
      1e-6,
      "axis",
    );
  });
});
