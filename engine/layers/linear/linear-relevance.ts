import { notInThisBuild, UnsupportedError } from "../../basics/errors.ts";
import { hasRuleLibrary } from "../../basics/features.ts";
import { mustHave } from "../../basics/must-have.ts";
import { formatShape, sameShape } from "../../basics/tensor.ts";
import { copyImage, copyValues } from "../../memory/copy.ts";
import { Scratch } from "../../memory/pass-scratch.ts";
import type { LayerRules } from "../../rules/layer-rules.ts";
import { unmodified } from "../../rules/rules.ts";
import type { InputVanishing, RelevanceContext, RelevancePass } from "../layer-kind.ts";
import { bookTheRest, nothingLost } from "../ledger.ts";
import { prepareActivation } from "./fused-activation.ts";
import type { LinearMap } from "./linear-map.ts";
import { prepareRecipe } from "./recipe.ts";

/**
 * The relevance pass of a layer with weights, by the rule its composite chose.
 * @throws RangeError for a rule that lacks its box, UnsupportedError for "pass" between different shapes
 */
export function prepareLinearRelevance(map: LinearMap, context: RelevanceContext): RelevancePass {
  switch (context.rules.linear.propagation) {
    case "recipe":
      return prepareRecipe(map, context);
    case "pass":
      return preparePass(map, context);
    case "gradient":
      if (!hasRuleLibrary) break;
      return prepareGradient(map, context);
    default:
      return context.rules.linear.propagation satisfies never;
  }
  throw notInThisBuild(`rule "${context.rules.linear.name}"`);
}

/** A recipe whose terms multiply by the input gives an input of 0 nothing; bounds, ones and gradients know nothing of it. */
export function linearVanishing(_node: unknown, { linear }: LayerRules): InputVanishing {
  const multiplies = linear.branches.every(({ terms }) =>
    terms.every(({ input }) => input === "input" || input === "positive" || input === "negative"),
  );
  return linear.propagation === "recipe" && multiplies ? "always" : "never";
}

/** A gradient copies the relevance before it writes; so does a recipe, whose only branch has then done with it. */
export function linearReadsFirst({ linear }: LayerRules): boolean {
  return linear.propagation === "gradient" || (linear.propagation === "recipe" && linear.branches.length === 1);
}

/** R_in = R. */
function preparePass(map: LinearMap, context: RelevanceContext): RelevancePass {
  const { kernels, relevance: r, inputRelevance, layer } = context;
  const dx = mustHave(inputRelevance[0], "relevance of the input");
  if (!sameShape(map.inputShape, map.outputShape)) {
    throw new UnsupportedError(
      `rule "pass": cannot serve "${layer}", whose input ${formatShape(map.inputShape)} and output ${formatShape(map.outputShape)} differ. Give that layer another rule.`,
    );
  }
  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      const dropped = activate(addresses);
      const count = r.height * r.rowStride;
      copyValues(kernels, dx.address, r.address, count);
      return { ...nothingLost, dropped };
    },
  };
}

/** R_in = W^T R. */
function prepareGradient(map: LinearMap, context: RelevanceContext): RelevancePass {
  const { kernels, relevance: r, inputRelevance } = context;
  const dx = mustHave(inputRelevance[0], "relevance of the input");
  const { call } = kernels;
  const { y } = map;
  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  const s = scratch.reserveImage(map.outputShape, map.gradientBorder, map.gradientPadding);
  map.prepare(unmodified, "transposed", false);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      activate(addresses);
      const image = s(addresses);
      const [top, left, bottom, right] = map.gradientBorder;
      call.clearBorder(image.address, image.rowStride, y.height, y.width, y.channels, top, left, bottom, right);
      copyImage(kernels, image, r, y);
      if (map.gradientPadding > 0) call.fill(image.address, 0, y.channels, y.channels + map.gradientPadding);
      map.transpose(dx, image, unmodified, undefined, false);
      return bookTheRest;
    },
  };
}
