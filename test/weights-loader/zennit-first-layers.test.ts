import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/index.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { assertClose, relativeL2 } from "../support/close.ts";
import { floatsOf, openGraph } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface FirstLayers {
  readonly name: string;
  /** base64 */
  readonly model: string;
  readonly shape: readonly number[];
  /** base64 of float32 */
  readonly input: string;
  readonly target: number;
  readonly logits: string;
  /** zennit's in float64, by composite. */
  readonly relevance: Readonly<Record<string, string>>;
}

const networks: readonly FirstLayers[] = JSON.parse(
  readFileSync(`${root}test/golden/zennit-first-layers.json`, "utf8"),
);

// Made by test/reference/make-zennit-first-layers.py.
suite("batch norms before the first layer beside zennit's composites", (test) => {
  for (const { name, model, shape, input, target, ...truth } of networks) {
    test(name, async () => {
      const network = await openGraph({ seed: 0, model });
      const logits = network.forward(tensor(shape, floatsOf(input))).data;
      const expected = floatsOf(truth.logits);
      assertClose(logits, expected, 1e-5 * Math.max(...expected.map(Math.abs)), "logits");
      const start = logits.map((logit, i) => (i === target ? logit : 0));
      for (const [composite, values] of Object.entries(truth.relevance)) {
        const { relevance } = network.relevancePlan(compositeByName(composite)).run(start);
        const distance = relativeL2(relevance.data, floatsOf(values));
        // Rounding makes 4e-7 at most; another rule, or another box, at the pixels 0.5 and more.
        assert.ok(distance <= 1e-6, `${composite}: relative L2 ${distance}`);
      }
    });
  }
});
