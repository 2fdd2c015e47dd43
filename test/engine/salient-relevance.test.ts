import * as assert from "uvu/assert";
import { elementCount, type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { salientRelevanceDefaults } from "../../engine/salient/options.ts";
import { heatImage, salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { salientRelevanceCases } from "../cases/salient-relevance.ts";
import { featureOracle, salientRelevanceOracle } from "../oracle/salient-relevance.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** A relevance map of the usual kind: signed, most of it near zero. */
function randomRelevance(shape: readonly number[], seed: number): Tensor {
  const data = rng(seed).f32(elementCount(shape));
  return tensor(
    shape,
    data.map((v) => v * v * v),
  );
}

const bytesOf = (map: Tensor): Uint8Array => new Uint8Array(map.data.buffer, map.data.byteOffset, map.data.byteLength);
const small = { workSize: 36 };

function assertThrows(body: () => unknown, name: string, message: string): void {
  assert.throws(body, (error: Error) => {
    assert.is(error.message, message);
    assert.is(error.constructor.name, name);
    return true;
  });
}

suite("salient relevance", (test) => {
  const kernels = testKernels();

  for (const { reason, shape, options } of salientRelevanceCases) {
    for (const seed of [1, 2]) {
      test(`equals the oracle: ${reason}, seed ${seed}`, () => {
        const relevance = randomRelevance(shape, seed);
        const [width = 0, height = 0, channels = 1] = [...shape].reverse();
        const auto = channels === 1 || channels === 3 ? "lab" : "gray";
        const { feature: named = "auto" } = options;
        const feature = named === "auto" ? auto : named;
        const settings = { ...salientRelevanceDefaults, ...options, feature };
        const expected = salientRelevanceOracle(
          featureOracle(relevance.data, channels, height, width, feature),
          settings,
        );
        const got = salientRelevance(kernels, relevance, options);
        assert.is(got.options.feature, feature);
        assert.equal(got.map.shape, [height, width]);
        assert.equal(got.workMap.shape, [expected.workMap.height, expected.workMap.width]);
        expected.grids.forEach((grid, i) => {
          // float32 features, distances and positions: 3 roundings of 6e-8 on distances up to about 10, weakened by exp.
          assertClose(got.grids[i]?.data ?? [], grid.data, 5e-7, `grid ${i}`);
        });
        // The min-max step divides the grids' error by their range, here above 0.1.
        assertClose(got.meanMap.data, expected.meanMap.data, 5e-6, "mean map");
        assertClose(got.workMap.data, expected.workMap.data, 5e-6, "work map");
        assertClose(got.map.data, expected.map.data, 5e-6, "map");
        assert.ok(
          got.map.data.every((v) => v >= 0 && v <= 1),
          "within [0,1]",
        );
      });
    }
  }

  test("a second run gives the same bytes and returns all memory", () => {
    const relevance = randomRelevance([3, 20, 30], 3);
    const before = kernels.arena.usedBytes;
    const first = salientRelevance(kernels, relevance, small);
    assert.is(kernels.arena.usedBytes, before);
    const second = salientRelevance(testKernels(), relevance, small);
    assert.equal(bytesOf(second.map), bytesOf(first.map));
  });

  test("fast: the same bytes again, exact where eight coefficients hold a patch", () => {
    const relevance = randomRelevance([3, 20, 30], 9);
    const fast = { ...small, mode: "fast" } as const;
    const first = salientRelevance(kernels, relevance, fast).map;
    assert.equal(bytesOf(salientRelevance(testKernels(), relevance, fast).map), bytesOf(first));
    const tiny = { ...small, feature: "lab", patchSize: 1 } as const;
    const exact = salientRelevance(kernels, relevance, tiny);
    const estimate = salientRelevance(kernels, relevance, { ...tiny, mode: "fast" });
    exact.grids.forEach((grid, i) => {
      assertClose(estimate.grids[i]?.data ?? [], grid.data, 5e-6, `grid ${i}`);
    });
  });

  test("the sign of relevance does not matter", () => {
    const relevance = randomRelevance([3, 20, 30], 4);
    const flipped = tensor(
      relevance.shape,
      relevance.data.map((v) => -v),
    );
    for (const feature of ["lab", "gray"] as const) {
      const a = salientRelevance(kernels, relevance, { ...small, feature });
      const b = salientRelevance(kernels, flipped, { ...small, feature });
      assert.equal(bytesOf(a.map), bytesOf(b.map));
    }
  });

  test("gray: a power of two times the relevance gives the same bytes, any positive factor the same map", () => {
    const relevance = randomRelevance([3, 20, 30], 5);
    const scaled = (factor: number): Tensor =>
      salientRelevance(
        kernels,
        tensor(
          relevance.shape,
          relevance.data.map((v) => v * factor),
        ),
        { ...small, feature: "gray" },
      ).map;
    assert.equal(bytesOf(scaled(2 ** -20)), bytesOf(scaled(1)));
    assertClose(scaled(7.3).data, scaled(1).data, 5e-6, "7.3 R");
  });

  test("a mirrored map gives the mirrored SR map where the patch centres mirror too", () => {
    // Centres 0, 3, 6, ... of n pixels mirror onto themselves when n = 3k+1: the work size and all scaled sizes are so.
    const size = 40;
    const options = { workSize: size, scales: [1, 0.7], subScales: [1], feature: "gray" } as const;
    const relevance = randomRelevance([size, size], 6);
    const mirror = ({ shape, data }: Tensor): Tensor =>
      tensor(
        shape,
        data.map((_, i) => data[i - (i % size) + size - 1 - (i % size)] ?? Number.NaN),
      );
    const a = mirror(salientRelevance(kernels, relevance, options).map);
    const b = salientRelevance(kernels, mirror(relevance), options).map;
    assertClose(b.data, a.data, 5e-6, "mirrored");
  });

  for (const value of [0, -0.25]) {
    test(`a map of ${value} everywhere gives zeros`, () => {
      for (const feature of ["lab", "gray"] as const) {
        const map = tensor([3, 12, 9], new Float32Array(3 * 12 * 9).fill(value));
        const got = salientRelevance(kernels, map, { ...small, feature });
        assert.ok(got.map.data.every((v) => v === 0));
      }
    });
  }

  // Equal patches are as near as can be: who has enough of them looks no further. Before, such maps took five to seven times as long.
  test("empty, constant, sparse and masked maps take at most 1.5 times the time of a full one", () => {
    const full = randomRelevance([3, 96, 96], 8);
    const change = (of: (value: number, i: number) => number): Tensor => tensor(full.shape, full.data.map(of));
    const maps = {
      empty: change(() => 0),
      constant: change(() => 0.5),
      "one pixel": change((_, i) => (i === 5000 ? 1 : 0)),
      sparse: change((value, i) => (i % 997 === 0 ? value : 0)),
      masked: change((value, i) =>
        i % 96 > 40 && i % 96 < 60 && (i / 96) % 96 > 40 && (i / 96) % 96 < 60 ? value : 0,
      ),
    };
    for (const feature of ["lab", "gray"] as const) {
      const time = (map: Tensor): number => {
        const times = [0, 1, 2].map(() => {
          const { user, system } = process.cpuUsage();
          salientRelevance(kernels, map, { feature });
          const after = process.cpuUsage();
          return after.user + after.system - user - system;
        });
        return Math.min(...times);
      };
      const usual = time(full);
      for (const [name, map] of Object.entries(maps)) {
        const ratio = time(map) / usual;
        assert.ok(ratio < 1.5, `${feature}: ${name} takes ${ratio.toFixed(2)} times as long`);
      }
    }
  });

  test("the heat image may come from outside", () => {
    const relevance = randomRelevance([3, 20, 30], 7);
    const own = salientRelevance(kernels, relevance, small).map;
    const zeros = tensor([3, 20, 30], new Float32Array(1800));
    assert.equal(bytesOf(salientRelevance(kernels, zeros, small, heatImage(relevance)).map), bytesOf(own));
  });

  test("the heat image truncates and shares one range among the channels", () => {
    const heat = heatImage(tensor([3, 1, 2], Float32Array.of(0, -1, 0.5, 0.25, -0.75, 0.1)));
    assert.equal([...heat], [0, 127, 191, 255, 63, 25]);
  });

  test("unless told otherwise maps of 1 and 3 channels, and those with a heat image, are seen in colours, others by their sums", () => {
    for (const [channels, named] of [
      [1, "lab"],
      [2, "gray"],
      [3, "lab"],
      [4, "gray"],
      [12, "gray"],
    ] as const) {
      const map = randomRelevance([channels, 1, 200], channels);
      const got = salientRelevance(kernels, map);
      assert.is(got.options.feature, named);
      assert.equal(got, salientRelevance(kernels, map, { feature: named }), `${channels} channels`);
    }
    const twelve = randomRelevance([12, 5, 6], 1);
    const heat = Uint8Array.from({ length: 90 }, (_, i) => (i * 37) % 256);
    assert.is(salientRelevance(kernels, twelve, {}, heat).options.feature, "lab");
  });

  test("refuses what is no map", () => {
    const of = (...shape: number[]): Tensor => ({ shape, data: new Float32Array(elementCount(shape)) });
    assertThrows(
      () => salientRelevance(kernels, of(2, 3, 4, 4)),
      "ShapeError",
      "salient relevance: relevance must be [C,H,W], [H,W] or [1,C,H,W] with at least one pixel, got [2,3,4,4] with 96 elements. Pass one map at a time.",
    );
    assertThrows(
      () => salientRelevance(kernels, of(3, 0, 4)),
      "ShapeError",
      "salient relevance: relevance must be [C,H,W], [H,W] or [1,C,H,W] with at least one pixel, got [3,0,4] with 0 elements. Pass one map at a time.",
    );
    assertThrows(
      () => salientRelevance(kernels, of(5, 4, 4), { feature: "lab" }),
      "ShapeError",
      'salient relevance: feature "lab" must have a relevance map of 1 or 3 channels, got 5. Use feature "gray" or "auto", without a heat image.',
    );
    const broken = of(3, 4, 4);
    broken.data[17] = Number.NaN;
    assertThrows(
      () => salientRelevance(kernels, broken),
      "RangeError",
      "salient relevance: relevance must be finite, got NaN at element 17 of [3,4,4]. Check the network's weights and the rule that made the map.",
    );
  });

  test("refuses a heat image that does not fit", () => {
    const map = randomRelevance([3, 4, 4], 8);
    assertThrows(
      () => salientRelevance(kernels, map, {}, new Uint8Array(47)),
      "ShapeError",
      "salient relevance: heat image of a 4x4 map must have 48 levels (RGB), got 47.",
    );
    assertThrows(
      () => salientRelevance(kernels, map, { feature: "gray" }, new Uint8Array(48)),
      "TypeError",
      'salient relevance: a heat image must come with feature "lab", got feature "gray".',
    );
  });
});
