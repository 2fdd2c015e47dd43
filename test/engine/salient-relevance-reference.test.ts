import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import type { SalientRelevanceOptions } from "../../engine/salient/options.ts";
import { heatImage, type SalientRelevance, salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { assertClose, correlation } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { readNpy, readNpz } from "../support/npy.ts";
import { sharedReference } from "../support/paths.ts";
import { type GoldenArray, readGolden, readManifest } from "../support/reference-maps.ts";
import { suite } from "../support/suite.ts";

// Float64 brute force of other implementations (NumPy): of 56x56 pixels in this repository, of 224x224 outside it.
const folder = `${sharedReference}salient-relevance/`;
const features = ["lab", "gray"] as const;

interface Manifest {
  readonly options: SalientRelevanceOptions;
  readonly sha256OfHeat: Record<string, string>;
}

function numbers(path: string): ArrayLike<number> {
  const { data } = readNpy(path);
  if (data instanceof BigInt64Array) throw new TypeError(`${path} holds int64`);
  return data;
}

/** The stored relevance map, [H,W,C], as [C,H,W]. */
function relevanceOf(photo: string, rule: string): Tensor {
  const { shape, data } = readNpy(`${folder}${photo}_R_${rule}.npy`);
  const [height = 0, width = 0, channels = 0] = shape;
  if (!(data instanceof Float32Array)) throw new TypeError("the stored relevance is not float32");
  const planar = new Float32Array(data.length);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < channels; c++) planar[c * height * width + i] = data[i * channels + c] ?? Number.NaN;
  }
  return tensor([channels, height, width], planar);
}

function assertGrids(
  got: SalientRelevance,
  expected: (name: string) => { shape: readonly number[]; data: ArrayLike<number> | BigInt64Array } | undefined,
  tolerance: number,
): void {
  got.grids.forEach((grid, i) => {
    const stored = expected(`grid${i}`);
    if (stored === undefined || stored.data instanceof BigInt64Array) throw new TypeError(`grid${i} is missing`);
    assert.equal(grid.shape, stored.shape);
    assertClose(grid.data, stored.data, tolerance, `grid ${i}`);
  });
}

suite("salient relevance, reference maps", (test) => {
  const kernels = testKernels();

  const golden = readGolden("salient-relevance/maps.safetensors");
  const { options, sha256OfHeat } = readManifest<Manifest>("salient-relevance");
  for (const rule of ["lrp0", "zp"]) {
    const stored = (what: string): GoldenArray => {
      const array = golden.get(`${rule} ${what}`);
      assert.ok(array, `${rule} ${what} is missing`);
      return array;
    };
    const relevance = (): Tensor => tensor(stored("relevance").shape, stored("relevance").data);

    test(`56x56 ${rule}: the heat image is the same`, () => {
      assert.is(createHash("sha256").update(heatImage(relevance())).digest("hex"), sha256OfHeat[rule]);
    });

    for (const feature of features) {
      test(`56x56 ${rule} ${feature}`, () => {
        const got = salientRelevance(kernels, relevance(), { ...options, feature });
        assertGrids(got, (grid) => stored(`${feature} ${grid}`), 1e-6);
        assertClose(got.workMap.data, stored(`${feature} workMap`).data, 1e-5, "work map");
        assertClose(got.map.data, stored(`${feature} map`).data, 1e-5, "map");
      });

      test(`56x56 ${rule} ${feature}, fast`, () => {
        const got = salientRelevance(kernels, relevance(), { ...options, feature, mode: "fast" });
        assertGrids(got, (grid) => stored(`${feature} ${grid}`), 2.5e-2);
        const r = correlation(got.map.data, stored(`${feature} map`).data);
        assert.ok(r >= 0.9995, `correlation ${r}`);
      });
    }
  }

  for (const photo of ["n02129604_tiger", "n11939491_daisy"]) {
    for (const rule of ["lrp0", "zp"]) {
      test.needs(folder, `224x224 ${photo} ${rule}: heat image, grids and maps, exact and fast`, () => {
        const relevance = relevanceOf(photo, rule);
        assert.equal(heatImage(relevance), numbers(`${folder}${photo}_heat_${rule}.npy`));
        for (const feature of features) {
          const path = (what: string): string => `${folder}${photo}_${what}_${rule}_${feature}`;
          const scales = readNpz(`${path("SRscales")}.npz`);
          const map = numbers(`${path("SR224")}.npy`);
          const exact = salientRelevance(kernels, relevance, { feature });
          assertGrids(exact, (grid) => scales.get(grid), 1e-6);
          // A pixel on the foci threshold could flip and change the map by more; none does in these eight.
          assertClose(exact.meanMap.data, numbers(`${path("SRraw")}.npy`), 1e-5, "mean map");
          assertClose(exact.workMap.data, numbers(`${path("SR")}.npy`), 1e-5, "work map");
          assertClose(exact.map.data, map, 1e-5, "map");
          const fast = salientRelevance(kernels, relevance, { feature, mode: "fast" });
          assertGrids(fast, (grid) => scales.get(grid), 2.5e-2); // measured: at most 1.8e-2
          const r = correlation(fast.map.data, map);
          assert.ok(r >= 0.9995, `${feature}, fast: correlation ${r}`); // measured: .99961 (a focus flips) to .99999
        }
      });
    }
  }
});
