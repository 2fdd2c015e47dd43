import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { compositeFromSpec } from "../engine/rules/composite-spec.ts";
import { compositeNames } from "../engine/rules/composites.ts";
import { ruleNames } from "../engine/rules/rule-spec.ts";
import { activationRules, lrnRules, maxPoolRules, productRules, sumRules } from "../engine/rules/rules.ts";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

const page = readFileSync(`${root}docs/rules.md`, "utf8");

suite("docs/rules.md", (test) => {
  for (const [kind, names] of Object.entries({
    composites: compositeNames(),
    rules: ruleNames(),
    "max-pool rules": maxPoolRules,
    "LRN rules": lrnRules,
    "activation rules": activationRules,
    "sum rules": sumRules,
    "product rules": productRules,
  })) {
    test(`names all ${kind}`, () => {
      assert.equal(
        names.filter((name) => !page.includes(`\`${name}\``)),
        [],
      );
    });
  }

  test("its JSON is accepted", () => {
    const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    assert.is(examples.length, 1);
    const composite = compositeFromSpec(JSON.parse(examples[0] ?? ""));
    assert.equal([composite.name, composite.lrn, composite.maxPool], ["mine", "taylor", "shared"]);
    assert.equal(
      composite.assignments.slice(0, 3).map(({ rule }) => rule.name),
      ["flat", "epsilon", "alphaBeta"],
    );
  });
});
