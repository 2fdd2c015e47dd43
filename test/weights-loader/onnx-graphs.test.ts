import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { compositeByName } from "../../engine/rules/composites.ts";
import { floatsOf, graphDifference, type OnnxGraph, openGraph } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const graphs: readonly OnnxGraph[] = JSON.parse(readFileSync(`${root}test/golden/onnx-graphs.json`, "utf8"));

// test/reference/make-onnx-graphs.py makes as many more as one likes; compare-onnx-graphs.ts runs them.
suite("random ONNX graphs against onnxruntime", (test) => {
  for (const graph of graphs) {
    test(`seed ${graph.seed}: ${graph.ops.join(" ")}`, async () => {
      const network = await openGraph(graph);
      // Some dozens of float32 roundings on either side, magnified where a function is steep.
      assert.ok(graphDifference(network, graph) <= 1e-4, "forward");
      const start = floatsOf(graph.output).map((_, i) => (i % 3) - 1);
      const { ledger } = network.relevancePlan(compositeByName("epsilonPlus")).run(start);
      for (const row of ledger) {
        const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
        const size = Math.max(
          ...[row.relevanceOut, row.relevanceIn, row.bias, row.stabilizer, row.dropped].map(Math.abs),
          1,
        );
        assert.ok(
          Math.abs(row.relevanceOut - sum) <= 1e-3 * size,
          `ledger of ${row.layer}: ${row.relevanceOut} is not ${sum}`,
        );
      }
    });
  }
});
