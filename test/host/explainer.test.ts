import { join } from "node:path";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { createExplainer } from "../../host/explainer/explainer.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const photo = join(root, "examples/cat.jpg");
const network = { model: "alexnet-mini" };
const salientRelevance = { mode: "fast" } as const;

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
  }
  throw new Error("it did not fail");
}

suite("explainer on Node", (test) => {
  test("gives the bytes of the library, from a path, from bytes and from pixels, on 1 and 2 threads", async () => {
    const image = await readImage(photo);
    const expected = explain(await loadNetwork("alexnet-mini"), image, { salientRelevance });
    for (const threads of [1, 2]) {
      const explainer = createExplainer({ network, threads });
      try {
        const stages: string[] = [];
        const info = await explainer.open({ onProgress: ({ stage }) => stages.push(stage) });
        assert.is(info.name, "alexnet-mini");
        assert.is(info.threads, threads);
        assert.ok(info.layers.length > 5);
        const got = await explainer.explain(photo, { salientRelevance, onProgress: ({ stage }) => stages.push(stage) });
        assert.equal(stages, ["network", "photo", "forward", "relevance", "salientRelevance"]);
        assert.equal(got.relevance, expected.relevance);
        assert.equal(got.salientRelevance, expected.salientRelevance);
        assert.is(got.decodedBy, "exact");
        const [first, second] = await explainer.explainTargets(image, ["top1", 3], { salientRelevance });
        assert.equal(first?.salientRelevance, expected.salientRelevance);
        assert.is(second?.target.index, 3);
        assert.is(second?.decodedBy, "given");
      } finally {
        explainer.close();
      }
    }
  });

  test("a photo that fails does not stop the next", async () => {
    const explainer = createExplainer({ network });
    try {
      const calls = [
        messageOf(explainer.explain(join(root, "package.json"))),
        messageOf(explainer.explain(photo, { composite: "li2018" })),
        messageOf(explainer.explain(12 as never)),
      ];
      const last = explainer.explain(photo, { salientRelevance });
      const messages = await Promise.all(calls);
      assert.match(messages[0] ?? "", /^FormatError: /);
      assert.match(messages[1] ?? "", /^RangeError: composite "li2018"/);
      assert.is(
        messages[2],
        "TypeError: explainer: a photo is a path, the bytes of a file, an image { width, height, data } or a tensor { shape, data }.",
      );
      assert.is((await last).model, "alexnet-mini");
    } finally {
      explainer.close();
    }
  });

  test("a running call can be aborted between its stages; the next is served", async () => {
    const explainer = createExplainer({ network });
    try {
      const controller = new AbortController();
      const onProgress = ({ stage }: { stage: string }): void => {
        if (stage === "relevance") controller.abort();
      };
      assert.match(
        await messageOf(explainer.explain(photo, { signal: controller.signal, onProgress })),
        /^AbortError: explainer: the call was aborted\.$/,
      );
      assert.is((await explainer.explain(photo, { salientRelevance })).model, "alexnet-mini");
    } finally {
      explainer.close();
    }
  });
});
