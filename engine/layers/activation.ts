import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { functionOf } from "./activation-functions.ts";
import { activationRelevance, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";
import { rectify } from "./rectify.ts";

/**
 * A function of one value. Relevance passes unchanged, as the field has it for every elementwise function. Where 0 does not stay 0 its
 * output's relevance reaches values of 0 too, and the layer before books as dropped what it can share with nobody.
 */
export const activation: LayerKind<"activation"> = {
  ...elementwise,
  absorbedAs: () => undefined,
  endsInProbabilities: (node) => (node.function === "sigmoid" ? "sigmoid" : undefined),
  sign: (node) => functionOf(node).sign,
  inputVanishing: (node) => (functionOf(node).keepsZero ? "withOutput" : "never"),
  outputShape(node, inputs) {
    const { alpha, beta } = functionOf(node);
    if (!Number.isFinite(alpha) || !Number.isFinite(beta)) {
      throw new ShapeError(`activation "${node.name}": needs finite numbers alpha and beta, got ${alpha} and ${beta}.`);
    }
    return mustHave(inputs[0], "input");
  },
  build(construction, node) {
    const { kernels, inputs, output: y } = construction;
    const x = mustHave(inputs[0], "input");
    const { kernel: kind, alpha, beta } = functionOf(node);
    const shared = { length: y.width * y.channels, kind, a: alpha, b: beta };
    return {
      forward() {
        kernel.activationForward(kernels, y.height, { y, x, ...shared });
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        if (usesDerivative) kernel.activationGrad(kernels, y.height, { dx, dy: r, x: input, ...shared, positiveOnly });
        else
          rectify(kernels, dx, r, y, { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }, positiveOnly);
      }),
    };
  },
};
