import * as assert from "uvu/assert";
import { nearestName } from "../../engine/basics/errors.ts";
import { explain, explainTargets, relevanceOfTargets } from "../../engine/explain.ts";
import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import { createImage } from "../../engine/picture/image.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { suite } from "../support/suite.ts";

const quick = { salientRelevance: { workSize: 40 } } as const;

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return String(error);
  }
  return "nothing was thrown";
}

suite("engine/arguments", (test) => {
  test("a suggestion has at most a third of the letters wrong, else there is none", () => {
    const rows: readonly (readonly [typed: string, candidates: string[], expected: string | undefined])[] = [
      ["jet", ["hot", "bwr", "magma"], undefined],
      ["rgb", ["lab", "gray"], undefined],
      ["quiet", ["out", "at"], undefined],
      ["quite", ["quiet"], "quiet"], // two neighbours swapped are one mistake
      ["lrm", ["lrn"], "lrn"],
      ["ab", ["abc"], undefined],
      ["composit", ["composites", "composite"], "composite"],
    ];
    for (const [typed, candidates, expected] of rows) assert.is(nearestName(typed, candidates), expected, typed);
  });

  test("what is no network, photo or option is refused, word for word", async () => {
    const network = await loadNetwork("alexnet-mini");
    const photo = createImage(224, 224);
    const all = "It takes target, composite, maxPool, lrn, at, salientRelevance, salientSign, storeHeat, clock.";
    const second =
      "TypeError: explain: the second argument must be a photo, { width, height, data } with RGBA bytes, or a tensor, { shape, data }, got";
    const rows: readonly (readonly [call: (...args: never[]) => unknown, args: readonly unknown[], message: string])[] =
      [
        [explain, [network], `${second} undefined.`],
        [
          explain,
          [network, "cat.jpg"],
          `${second} the string "cat.jpg". Read it first: await readImage("cat.jpg") of srmap/node.`,
        ],
        [explain, [network, Promise.resolve()], `${second} a promise (await it).`],
        [explain, [network, { height: 1 }], `${second} an object with height.`],
        [
          explain,
          ["alexnet-mini", photo],
          'TypeError: explain: the first argument must be a network, got the string "alexnet-mini". Load one: await loadNetwork("alexnet-mini") of srmap/node.',
        ],
        [
          explain,
          [network, photo, { composit: "lrp0" }],
          `TypeError: explain: unknown option "composit". Did you mean "composite"? ${all}`,
        ],
        [
          explainTargets,
          [network, photo, ["top1"], { wrong: 1 }],
          `TypeError: explain: unknown option "wrong". ${all}`,
        ],
        [
          explain,
          [network, photo, "lrp0"],
          "TypeError: explain: options must be an object such as { target: ... }, got the string lrp0.",
        ],
        [
          explain,
          [network, photo, { salientSign: "minus" }],
          'RangeError: explain: salientSign must be one of both, for, against, got "minus".',
        ],
        [
          heatmap,
          [{ shape: [2, 2], data: new Float32Array(4) }, { colourmap: "hot" }],
          'TypeError: heatmap: unknown option "colourmap". Did you mean "colormap"? It takes colormap, symmetric, gamma, clipQuantile.',
        ],
        [
          overlay,
          [photo, { shape: [2, 2], data: new Float32Array(4) }, { alpha: 1 }],
          'TypeError: overlay: unknown option "alpha". It takes colormap, opacity.',
        ],
        [
          loadKernels,
          [{ thread: 2 }],
          'TypeError: loadKernels: unknown option "thread". Did you mean "threads"? It takes threads, module.',
        ],
        [
          loadNetwork,
          ["alexnet-mini", undefined, { lowmemory: true }],
          'TypeError: loadNetwork: unknown option "lowmemory". Did you mean "lowMemory"?',
        ],
      ];
    for (const [call, args, message] of rows) {
      const got = await messageOf(() => call(...(args as never[])));
      assert.ok(got.startsWith(message), `${got}\n${message}`);
    }
  });

  test("the Salient Relevance map of one sign is that of the relevance of this sign", async () => {
    const network = await loadNetwork("alexnet-mini");
    const photo = createImage(224, 224, [200, 90, 20]);
    photo.data.fill(40, 50_000, 90_000);
    // Relevance of both signs: epsilonPlus, the default, hands down hardly any against.
    const signed = { ...quick, composite: compositeByName("captumEpsilon") };
    const both = explain(network, photo, signed);
    for (const [sign, keep] of [
      ["for", (r: number) => Math.max(r, 0)],
      ["against", (r: number) => Math.min(r, 0)],
    ] as const) {
      const got = explain(network, photo, { ...signed, salientSign: sign });
      assert.equal(got.relevance, both.relevance, "the relevance itself stays whole");
      const part = { shape: both.relevance.shape, data: both.relevance.data.map(keep) };
      const expected = salientRelevance(network.kernels, part, quick.salientRelevance).map;
      assert.equal(got.salientRelevance, expected, sign);
      assert.not.equal(got.salientRelevance, both.salientRelevance, sign);
    }
  });

  test("relevance alone is the same relevance", async () => {
    const network = await loadNetwork("alexnet-mini");
    const photo = createImage(224, 224, [200, 90, 20]);
    const targets = ["top1", { contrastive: 3 }] as const;
    const whole = explainTargets(network, photo, targets, quick);
    const alone = relevanceOfTargets(network, photo, targets);
    assert.equal(
      alone.map(({ relevance }) => relevance),
      whole.map(({ relevance }) => relevance),
    );
    assert.ok(alone.every((explained) => !("salientRelevance" in explained)));
  });
});
