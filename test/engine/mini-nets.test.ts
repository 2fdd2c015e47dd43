import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { calibratedProbability } from "../../cli/explain/calibration.ts";
import { modelByName } from "../../engine/models/index.ts";
import { preprocess } from "../../engine/picture/preprocess.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { bundledModel } from "../../host/models/bundled.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { assertClose, relativeL2 } from "../support/close.ts";
import { root, sharedData } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

interface Entry {
  readonly model: string;
  readonly photo: string;
  readonly target: number;
  readonly logits: readonly number[];
  readonly li2019: readonly number[];
  readonly epsilonPlus: readonly number[];
}

const golden: { step: number; entries: Entry[] } = JSON.parse(
  readFileSync(join(root, "test/golden/mini-nets.json"), "utf8"),
);
const photos = `${sharedData}ilsvrc2012-val/`;

suite("the networks in the package", (test) => {
  for (const { model, photo, target, logits, ...maps } of golden.entries) {
    test(`${model} agrees with PyTorch's float64 on ${photo}.jpg`, async () => {
      const network = await loadNetwork(model);
      const { preprocessing, inputShape } = network.definition;
      const image = decodeImage(readFileSync(join(root, "examples", `${photo}.jpg`)));
      const own = network.forward(preprocess(image, preprocessing, inputShape).tensor).data;
      assertClose(own, logits, 1e-5 * Math.max(...logits.map(Math.abs)), "logits");
      const start = own.map((logit, index) => (index === target ? logit : 0));
      for (const composite of ["li2019", "epsilonPlus"] as const) {
        const { relevance } = network.relevancePlan(compositeByName(composite)).run(start);
        const sampled = relevance.data.filter((_, i) => i % golden.step === 0);
        // Sums of a few thousand float32 terms; a near-tie of a max pool or a ReLU may fall differently and move one patch.
        const error = relativeL2(sampled, maps[composite]);
        assert.ok(error <= 1e-2, `${composite}: relative L2 ${error}`);
      }
    });
  }

  // As models/<name>.md and README.md say: right answers, of them those that are called unsure, wrong ones that are not.
  for (const [model, right, rightUnsure, wrongSure] of [
    ["squeezenet1_1-caffe", 142, 36, 10],
    ["alexnet-mini", 224, 25, 5],
    ["vgg-mini", 234, 21, 3],
  ] as const) {
    test.needs(
      photos,
      `${model} names ${right} of 250 ILSVRC2012 validation photos right and knows how sure it is`,
      async () => {
        const bundled = bundledModel(model);
        assert.ok(bundled);
        const network = await loadNetwork(model);
        const { preprocessing, inputShape, labels = [] } = network.definition;
        const truths: Record<string, { index: number }> = JSON.parse(readFileSync(`${photos}labels.json`, "utf8"));
        const known = modelByName("squeezenet1_0").labels ?? [];
        const got = { right: 0, rightUnsure: 0, wrongSure: 0 };
        for (const [name, { index }] of Object.entries(truths)) {
          const image = decodeImage(readFileSync(photos + name));
          const { data } = network.forward(preprocess(image, preprocessing, inputShape).tensor);
          const best = data.indexOf(Math.max(...data));
          const isRight = labels[best] === known[index];
          const isUnsure = calibratedProbability(data, best, bundled.temperature) < bundled.doubtBelow;
          if (isRight) got.right++;
          if (isRight && isUnsure) got.rightUnsure++;
          if (!isRight && !isUnsure) got.wrongSure++;
        }
        assert.equal(got, { right, rightUnsure, wrongSure });
        const { accuracy } = bundled;
        assert.equal([accuracy.right, accuracy.photos], [right, 250]);
        const text = (...path: string[]): string => readFileSync(join(root, ...path), "utf8").replace(/\s+/g, " ");
        const said = new RegExp(
          `${rightUnsure} of ${right} right answers .*and ${wrongSure} of ${250 - right} wrong ones`,
        );
        assert.match(text("models", `${model}.md`), said);
      },
    );
  }
});
