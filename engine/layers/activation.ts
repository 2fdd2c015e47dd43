import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { named, rowArgs } from "../memory/named.ts";
import { functionOf } from "./activation-functions.ts";
import { activationRelevance, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";

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
    const { split } = kernels;
    const x = mustHave(inputs[0], "input");
    const { kernel, alpha, beta } = functionOf(node);
    const length = y.width * y.channels;
    return {
      forward() {
        split(
          "activationForward",
          y.height,
          ...named("activationForward", rowArgs("y", y), rowArgs("x", x), { length, kind: kernel, a: alpha, b: beta }),
        );
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        if (!usesDerivative) {
          split(
            "rectify",
            y.height,
            ...named("rectify", rowArgs("out", dx), rowArgs("x", r), {
              gate: 0,
              gateRow: 0,
              length,
              low: Number.NEGATIVE_INFINITY,
              high: Number.POSITIVE_INFINITY,
              positiveOnly,
            }),
          );
          return;
        }
        split(
          "activationGrad",
          y.height,
          ...named("activationGrad", rowArgs("dx", dx), rowArgs("dy", r), rowArgs("x", input), {
            length,
            kind: kernel,
            a: alpha,
            b: beta,
            positiveOnly,
          }),
        );
      }),
    };
  },
};
