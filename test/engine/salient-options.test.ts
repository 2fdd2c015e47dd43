import * as assert from "uvu/assert";
import {
  resolveSalientRelevanceOptions,
  type SalientRelevanceOptions,
  salientRelevanceDefaults,
} from "../../engine/salient/options.ts";
import { suite } from "../support/suite.ts";

const refused: readonly (readonly [options: object, name: string, message: string])[] = [
  [
    { neighbors: 3 },
    "TypeError",
    'salient relevance: unknown option "neighbors". Did you mean "neighbours"? It takes feature, mode, workSize, patchSize, stride, neighbours, positionWeight, scales, subScales, minimumScale, fociThreshold, foci, centrePrior, relevanceBlur.',
  ],
  [
    { feature: "grey" },
    "RangeError",
    'salient relevance: feature must be one of auto, lab, gray, got "grey". Did you mean "gray"?',
  ],
  [{ foci: "always" }, "RangeError", 'salient relevance: foci must be one of scale, mean, none, got "always".'],
  [{ workSize: 0 }, "RangeError", "salient relevance: workSize must be a whole number from 1 to 4096, got 0."],
  [{ workSize: 2.5 }, "RangeError", "salient relevance: workSize must be a whole number from 1 to 4096, got 2.5."],
  [{ patchSize: 8 }, "RangeError", "salient relevance: patchSize must be an odd number from 1 to 63, got 8."],
  [{ stride: -1 }, "RangeError", "salient relevance: stride must be a whole number from 1 to 4096, got -1."],
  [
    { neighbours: "64" },
    "RangeError",
    'salient relevance: neighbours must be a whole number from 1 to 65536, got "64".',
  ],
  [{ positionWeight: -3 }, "RangeError", "salient relevance: positionWeight must be a number from 0 to 1000, got -3."],
  [{ minimumScale: 2 }, "RangeError", "salient relevance: minimumScale must be a number from 0 to 1, got 2."],
  [
    { fociThreshold: Number.NaN },
    "RangeError",
    "salient relevance: fociThreshold must be a number from 0 to 1, got NaN.",
  ],
  [{ centrePrior: -1 }, "RangeError", "salient relevance: centrePrior must be a number from 0 to 1000, got -1."],
  [
    { scales: [] },
    "RangeError",
    "salient relevance: scales must be a list of numbers from 0.2 (not below minimumScale) to 4, got [].",
  ],
  [
    { scales: [1, 0.1] },
    "RangeError",
    "salient relevance: scales must be a list of numbers from 0.2 (not below minimumScale) to 4, got [1,0.1].",
  ],
  [
    { subScales: [0.5] },
    "RangeError",
    "salient relevance: subScales must be a list of different numbers from 0.01 to 1 that contains 1, got [0.5].",
  ],
  [
    { subScales: [1, 1] },
    "RangeError",
    "salient relevance: subScales must be a list of different numbers from 0.01 to 1 that contains 1, got [1,1].",
  ],
];

suite("salient relevance options", (test) => {
  test("defaults are those of the papers", () => {
    assert.equal(resolveSalientRelevanceOptions({}), salientRelevanceDefaults);
  });
  test("an option given as undefined is left out", () => {
    assert.is(resolveSalientRelevanceOptions({ stride: undefined } as unknown as SalientRelevanceOptions).stride, 3);
  });
  for (const [options, name, message] of refused) {
    test(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => resolveSalientRelevanceOptions(options),
        (error: Error) => {
          assert.is(error.message, message);
          assert.is(error.constructor.name, name);
          return true;
        },
      );
    });
  }
});
