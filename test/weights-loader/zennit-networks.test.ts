import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/index.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { assertClose } from "../support/close.ts";
import { floatsOf, openGraph } from "../support/onnx-graphs.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface ZennitNetwork {
  readonly name: string;
  /** What zennit was told to merge. */
  readonly canonizers: string;
  /** base64 */
  readonly model: string;
  readonly shape: readonly number[];
  /** base64 of float32 */
  readonly input: string;
  readonly logits: string;
  readonly target: number;
  /** zennit's EpsilonPlus in float64 and in float32. */
  readonly relevance: string;
  readonly rough: string;
}

const networks: readonly ZennitNetwork[] = JSON.parse(readFileSync(`${root}test/golden/zennit-networks.json`, "utf8"));

/** Length of the difference, in parts of the length of `truth`. */
function relativeL2(values: Float32Array, truth: Float32Array): number {
  const error = truth.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0);
  return Math.sqrt(error / truth.reduce((sum, value) => sum + value ** 2, 0));
}

// Made by test/reference/make-zennit-networks.py.
suite("whole networks beside zennit's EpsilonPlus", (test) => {
  for (const one of networks) {
    test(`${one.name}, ${one.canonizers}`, async () => {
      const network = await openGraph({ seed: 0, model: one.model });
      const logits = network.forward(tensor(one.shape, floatsOf(one.input))).data;
      const expected = floatsOf(one.logits);
      assertClose(logits, expected, 1e-5 * Math.max(...expected.map(Math.abs)), "logits");
      const start = logits.map((logit, i) => (i === one.target ? logit : 0));
      const { relevance } = network.relevancePlan(compositeByName("epsilonPlus")).run(start);
      const truth = floatsOf(one.relevance);
      const [own, theirs] = [relativeL2(relevance.data, truth), relativeL2(floatsOf(one.rough), truth)];
      assert.ok(own <= 1e-3, `relative L2 ${own}, zennit in float32 ${theirs}`);
    });
  }
});
