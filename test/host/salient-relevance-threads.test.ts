import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { mapShape, speckledMap } from "../cases/salient-relevance-224.ts";
import { suite } from "../support/suite.ts";

/** Grids and maps of both modes and features as bytes. */
function outputs(kernels: Kernels): Buffer[] {
  const relevance = tensor(mapShape, speckledMap());
  return (["exact", "fast"] as const).flatMap((mode) =>
    (["lab", "gray"] as const).map((feature) => {
      const { map, grids } = salientRelevance(kernels, relevance, { mode, feature, workSize: 120 });
      return Buffer.concat([map, ...grids].map(({ data }) => new Uint8Array(data.slice().buffer)));
    }),
  );
}

suite("salient relevance on threads", (test) => {
  test("1, 2 and 3 threads give the same bytes, twice", async () => {
    const expected = outputs(await loadKernels());
    for (const threads of [2, 3]) {
      const kernels = await loadKernels({ threads });
      try {
        for (const round of [1, 2]) {
          outputs(kernels).forEach((bytes, i) => {
            assert.ok(bytes.equals(expected[i] ?? Buffer.alloc(0)), `${threads} threads, output ${i}, round ${round}`);
          });
        }
      } finally {
        await kernels.close();
      }
    }
  });
});
