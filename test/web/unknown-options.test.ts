import * as assert from "uvu/assert";
import { createExplainer } from "../../web/explainer/explainer.ts";
import { download } from "../../web/network/download.ts";
import { loadNetwork } from "../../web/network/load-network.ts";
import { loadKernels } from "../../web/threads/load-kernels.ts";
import { takersOfOptions } from "../support/declared-options.ts";
import { rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

// As test/host/unknown-options.test.ts, for the functions of pages.

const odd = { wieghts: "plain" } as Readonly<Record<string, unknown>>;
const wrong = odd as never;

const calls: Readonly<Record<string, () => unknown>> = {
  "web/explainer/explainer: createExplainer": () => createExplainer(wrong),
  "web/network/download: download": () => download("http://localhost:1/", wrong),
  "web/network/load-network: loadNetwork": () => loadNetwork(testKernels(), wrong),
  "web/threads/load-kernels: loadKernels": () => loadKernels(wrong),
};

suite("unknown options of pages", (test) => {
  test("every public function of web/ that takes options is tried", () => {
    assert.equal(takersOfOptions((name) => name.startsWith("web/")).sort(), Object.keys(calls).sort());
  });

  for (const [name, call] of Object.entries(calls)) {
    test(`${name} refuses an option that does not exist`, async () => {
      const message = await rejection((async () => call())());
      assert.ok(message.startsWith(`TypeError: ${name.replace(/^.*: /, "")}: unknown option "wieghts".`), message);
      assert.match(message, /It takes \w+/);
    });
  }

  test("what lies inside is looked at, too, and what is missing is named", async () => {
    for (const [call, message] of [
      [
        () => createExplainer({ network: wrong }),
        'TypeError: createExplainer: network: unknown option "wieghts". Did you mean "weights"? It takes weights, model, preprocess, labels, cache, lowMemory, sha256, kernels, kernelsShared.',
      ],
      [
        () => loadNetwork(testKernels(), { weights: new ArrayBuffer(0) }, wrong),
        'TypeError: loadNetwork: unknown option "wieghts". It takes report, isAborted, onNotKept.',
      ],
      [
        () => createExplainer({} as never),
        'TypeError: createExplainer: needs a network, { network: { weights: "/where/the/weights/are" } }.',
      ],
    ] as const) {
      assert.is(await rejection((async () => call())()), message);
    }
  });
});
