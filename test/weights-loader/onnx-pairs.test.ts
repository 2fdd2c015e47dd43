import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/index.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { fillValues } from "../cases/values.ts";
import { assertClose } from "../support/close.ts";
import { openGraph } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface Pair {
  readonly name: string;
  readonly one: string;
  readonly other: string;
}

const pairs: readonly Pair[] = JSON.parse(readFileSync(`${root}test/golden/onnx-pairs.json`, "utf8"));

// Made by test/reference/make-onnx-pairs.py.
suite("one network written in two ways", (test) => {
  for (const { name, one, other } of pairs) {
    for (const composite of ["epsilonPlus", "epsilonGammaBox", "lrp0", "guidedBackprop"]) {
      test(`${composite}: ${name}`, async () => {
        const input = tensor([3, 8, 8], fillValues(192, "uniform", 5));
        const runs = [];
        for (const model of [one, other]) {
          const network = await openGraph({ seed: 0, model });
          const logits = network.forward(input).data;
          const { relevance } = network.relevancePlan(compositeByName(composite)).run(logits);
          runs.push({ logits, relevance: relevance.data });
        }
        const [a, b] = runs;
        assert.ok(a !== undefined && b !== undefined);
        // The factors of a batch norm are rounded at other places.
        assertClose(b.logits, a.logits, 1e-5 * Math.max(...a.logits.map(Math.abs)), "logits");
        assertClose(b.relevance, a.relevance, 1e-4 * Math.max(...a.relevance.map(Math.abs)), "relevance");
      });
    }
  }
});
