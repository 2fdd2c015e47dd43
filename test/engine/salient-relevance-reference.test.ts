import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { heatImage, salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { assertClose, correlation } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { readNpy, readNpz } from "../support/npy.ts";
import { sharedReference } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = `${sharedReference}salient-relevance/`;

/** Float64 brute-force outputs of another implementation (NumPy), see the README of that folder. */
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

suite("salient relevance, reference maps", (test) => {
  const kernels = testKernels();
  for (const photo of ["n02129604_tiger", "n11939491_daisy"]) {
    for (const rule of ["lrp0", "zp"]) {
      test.needs(folder, `${photo} ${rule}: the heat image is the same`, () => {
        const { data } = readNpy(`${folder}${photo}_heat_${rule}.npy`);
        assert.equal(heatImage(relevanceOf(photo, rule)), data);
      });
      for (const feature of ["lab", "gray"] as const) {
        test.needs(folder, `${photo} ${rule} ${feature}`, () => {
          const got = salientRelevance(kernels, relevanceOf(photo, rule), { feature });
          const stored = (what: string): string => `${folder}${photo}_${what}_${rule}_${feature}`;
          const scales = readNpz(`${stored("SRscales")}.npz`);
          got.grids.forEach((grid, i) => {
            const expected = scales.get(`grid${i}`);
            if (!(expected?.data instanceof Float64Array)) throw new TypeError(`grid${i} is missing`);
            assert.equal(grid.shape, expected.shape);
            assertClose(grid.data, expected.data, 1e-6, `grid ${i}`);
          });
          // A pixel on the foci threshold could flip and change the map by more; none does in these eight.
          assertClose(got.meanMap.data, numbers(`${stored("SRraw")}.npy`), 1e-5, "mean map");
          assertClose(got.workMap.data, numbers(`${stored("SR")}.npy`), 1e-5, "work map");
          assertClose(got.map.data, numbers(`${stored("SR224")}.npy`), 1e-5, "map");
        });
        test.needs(folder, `${photo} ${rule} ${feature}, fast`, () => {
          const got = salientRelevance(kernels, relevanceOf(photo, rule), { feature, mode: "fast" });
          const scales = readNpz(`${folder}${photo}_SRscales_${rule}_${feature}.npz`);
          got.grids.forEach((grid, i) => {
            const expected = scales.get(`grid${i}`);
            if (!(expected?.data instanceof Float64Array)) throw new TypeError(`grid${i} is missing`);
            assertClose(grid.data, expected.data, 2.5e-2, `grid ${i}`); // measured: at most 1.8e-2
          });
          const r = correlation(got.map.data, numbers(`${folder}${photo}_SR224_${rule}_${feature}.npy`));
          assert.ok(r >= 0.9995, `correlation ${r}`); // measured: .99961 (a focus flips) to .99999
        });
      }
    }
  }
});
