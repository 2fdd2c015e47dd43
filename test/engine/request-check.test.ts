import * as assert from "uvu/assert";
import { modelByName } from "../../engine/models/index.ts";
import { checkRequestFor, type ExplanationRequest } from "../../engine/request/check.ts";
import { compositeFromSpec } from "../../engine/rules/composite-spec.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { suite } from "../support/suite.ts";

function refusalOf(request: Partial<ExplanationRequest>, model = "alexnet"): string {
  try {
    checkRequestFor(modelByName(model), { composite: compositeByName("li2019"), targets: ["top1"], ...request });
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "";
}

const only = (match: object, rule: string) => compositeFromSpec({ name: "mine", assignments: [{ match, rule }] });

suite("engine/request-check", (test) => {
  test("what can be done is not refused", () => {
    for (const targets of [["top1", 3, "Tench"], [{ difference: ["top1", 0] }], [{ layer: "relu2", channel: 191 }]]) {
      assert.is(refusalOf({ targets: targets as ExplanationRequest["targets"] }), "");
    }
    assert.is(refusalOf({ at: "input" }), "");
    assert.is(refusalOf({ composite: compositeByName("epsilonGammaBox") }), "");
    assert.is(refusalOf({ at: "pool1", targets: [{ layer: "relu2", channel: 0 }] }), "");
  });

  test("targets that no photo could have", () => {
    assert.is(
      refusalOf({ targets: [1000] }),
      'RangeError: target 1000: must be a class index from 0 to 999, "top1" or a class name.',
    );
    assert.match(refusalOf({ targets: [{ difference: ["top1", "tensch"] }] }), /Did you mean "tench"\?/);
    assert.is(
      refusalOf({ targets: [{ difference: ["tench", "0"] }] }),
      'RangeError: target difference: needs two different classes, got ["tench","0"].',
    );
    assert.is(
      refusalOf({ targets: [{ layer: "relu2", channel: 192 }] }),
      "RangeError: target channel 192: the layer has channels 0 to 191.",
    );
    assert.is(
      refusalOf({ targets: [{ layer: "relu22", channel: 0 }] }),
      'RangeError: network "alexnet": has no layer "relu22" on the way to its output. Did you mean "relu2"?',
    );
  });

  test("layers whose relevance there is not", () => {
    assert.is(
      refusalOf({ at: "conv2" }),
      'RangeError: layer "conv2": its output is not kept, since "relu2" is applied as it is written. Ask for "relu2".',
    );
    assert.is(
      refusalOf({ at: "relu3", targets: [{ layer: "relu2", channel: 0 }] }),
      'RangeError: layer "relu3": gets no relevance, since it does not lie between the input and relu2, channel 0.',
    );
    assert.is(
      refusalOf({ at: "prob" }, "alexnet-bvlc"),
      'RangeError: layer "prob": gets no relevance, since it does not lie between the input and the logits.',
    );
  });

  test("composites that do not fit the network", () => {
    assert.is(
      refusalOf({ composite: only({ op: "conv2d" }, "zPlus") }),
      'UnsupportedError: composite "mine": leaves dense "fc8" without a rule. Add an assignment that matches it.',
    );
    assert.is(
      refusalOf({ composite: only({}, "zBox") }),
      'RangeError: rule "zBox": dense "fc8" does not read the pixels, so its box is not known. Give low and high with one bound per input channel.',
    );
  });
});
