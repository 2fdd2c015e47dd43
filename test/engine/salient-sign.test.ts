import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

const size = 24;
const values = 3 * size * size;

/** One dense layer, so that the relevance of gradient x input is weight times value, of both signs. */
function linear(): Network {
  const definition: NetworkDefinition = {
    name: "linear",
    inputShape: [3, size, size],
    nodes: [
      { op: "flatten", name: "flat", inputs: ["input"] },
      { op: "dense", name: "fc", inputs: ["flat"], outFeatures: 2, weight: "fc.weight" },
    ],
    output: "fc",
    preprocessing: { resize: "none", resizeTo: size, channelOrder: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  };
  const network = new Network(testKernels(), definition);
  network.setRows(
    "fc.weight",
    0,
    new Float32Array(2 * values).map((_, i) => Math.sin(i * i)),
  );
  return network;
}

suite("engine/salient sign", (test) => {
  test("the Salient Relevance map of what speaks for a class, against it, or both", () => {
    const network = linear();
    const input = tensor(
      [3, size, size],
      new Float32Array(values).map((_, i) => Math.cos(i / 7)),
    );
    const settings = { target: 1, composite: "gradientTimesInput", salientRelevance: { workSize: size } } as const;
    const kept = {
      both: (value: number) => value,
      for: (value: number) => Math.max(value, 0),
      against: (value: number) => Math.min(value, 0),
    };
    const maps = new Set<string>();
    for (const sign of ["both", "for", "against"] as const) {
      const { relevance, salientRelevance: found } = explain(network, input, { ...settings, salientSign: sign });
      assert.ok(relevance.data.some((value) => value > 0) && relevance.data.some((value) => value < 0));
      const alone = tensor(relevance.shape, relevance.data.map(kept[sign]));
      const expected = salientRelevance(network.kernels, alone, settings.salientRelevance).map;
      assert.equal(found.data, expected.data, sign);
      maps.add(found.data.join());
    }
    assert.is(maps.size, 3, "three different maps");
    const usual = explain(network, input, settings).salientRelevance;
    assert.ok(maps.has(usual.data.join()));
    assert.equal(usual.data, explain(network, input, { ...settings, salientSign: "both" }).salientRelevance.data);
  });
});
