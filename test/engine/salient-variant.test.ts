import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels } from "../../engine/memory/kernels.ts";
import { salientVariants } from "../../engine/salient/options.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { seededRandom } from "../../evaluation/index.ts";
import { kernelModule } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

const kernels = instantiateKernels(kernelModule());
const [height, width] = [24, 30];
const random = seededRandom(5);
const relevance = tensor(
  [3, height, width],
  Float32Array.from({ length: 3 * height * width }, () => random() - 0.5),
);
const options = { workSize: 40 };

/** The weights from the formula: every pixel's Gaussian, mirrored at the edges, over all pixels. */
function blurred(sigma: number): Float64Array {
  const reach = Math.floor(4 * sigma + 0.5);
  const mirrored = (i: number, n: number): number => {
    const at = ((i % (2 * n)) + 2 * n) % (2 * n);
    return at < n ? at : 2 * n - 1 - at;
  };
  const sum = (y: number, x: number): number =>
    [0, 1, 2].reduce((total, c) => total + Math.abs(relevance.data[(c * height + y) * width + x]!), 0);
  const out = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [total, norm] = [0, 0];
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const weight = Math.exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
          total += weight * sum(mirrored(y + dy, height), mirrored(x + dx, width));
          norm += weight;
        }
      }
      out[y * width + x] = total / norm;
    }
  }
  return out;
}

suite("engine/salient-variant", (test) => {
  const plain = salientRelevance(kernels, relevance, options).map.data;

  test("weighted is the published map times the blurred relevance, over its largest value", () => {
    const weighted = salientRelevance(kernels, relevance, { ...options, ...salientVariants.weighted }).map.data;
    const weights = blurred(5);
    const largest = Math.max(...weights);
    for (const [i, value] of plain.entries()) {
      const expected = (value * weights[i]!) / largest;
      assert.ok(Math.abs(weighted[i]! - expected) < 1e-6, `${i}: got ${weighted[i]}, expected ${expected}`);
    }
  });

  test("published is the default, and a map without relevance stays 0", () => {
    assert.equal(salientRelevance(kernels, relevance, { ...options, ...salientVariants.published }).map.data, plain);
    const nothing = tensor([3, height, width], new Float32Array(3 * height * width));
    const { map } = salientRelevance(kernels, nothing, { ...options, ...salientVariants.weighted });
    assert.ok(map.data.every((value) => value === 0));
  });

  test("a blur that is none is refused", () => {
    assert.throws(
      () => salientRelevance(kernels, relevance, { relevanceBlur: -1 }),
      (error: Error) => error.message === "salient relevance: relevanceBlur must be a number from 0 to 100, got -1.",
    );
  });
});
