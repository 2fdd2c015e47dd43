import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import { copyValues } from "../memory/copy.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Clamp } from "./clamp.ts";
import {
  type Construction,
  type LayerRuntime,
  type NoParameters,
  noParameters,
  type RelevancePass,
} from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";
import { rectify } from "./rectify.ts";

/** A backward pass that reads relevance r and the layer's input x and writes dx, row by row. */
type Backward = (dx: FeatureMap, r: FeatureMap, x: FeatureMap, positiveOnly: 0 | 1, usesDerivative: boolean) => void;

/** The relevance pass of an activation function. */
export function activationRelevance(
  { kernels, inputs, output: y }: Construction,
  backward: Backward,
): LayerRuntime["prepareRelevance"] {
  const x = mustHave(inputs[0], "input");
  return ({ relevance: r, inputRelevance, rules }): RelevancePass => {
    const dx = mustHave(inputRelevance[0], "relevance of the input");
    return {
      scratchBytes: [],
      run() {
        if (!hasRuleLibrary || rules.activation === "pass") {
          const count = y.height * y.width * y.channels;
          copyValues(kernels, dx.address, r.address, count);
          return nothingLost;
        }
        backward(dx, r, x, rules.activation === "gradient" ? 0 : 1, rules.activation !== "deconvnet");
        return bookTheRest;
      },
    };
  };
}

/** A layer that clamps its input. */
export function buildClamp(construction: Construction, { low, high }: Clamp): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split } = kernels;
  const x = mustHave(inputs[0], "input");
  const length = y.width * y.channels;
  return {
    forward() {
      split("clamp", y.height, y.address, y.rowStride, x.address, x.rowStride, length, low, high);
    },
    ruleName: (rules) => rules.activation,
    prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
      rectify(kernels, dx, r, y, { low, high }, positiveOnly, usesDerivative ? input : undefined);
    }),
  };
}

interface FunctionOfOne extends NoParameters {
  readonly arity: "one";
  endsInProbabilities(): undefined;
  outputShape(node: unknown, inputs: readonly Shape[]): Shape;
}

/** What functions of one value have in common. */
export const elementwise: FunctionOfOne = {
  ...noParameters,
  arity: "one",
  endsInProbabilities: () => undefined,
  outputShape: (_node: unknown, inputs: readonly Shape[]) => mustHave(inputs[0], "input"),
};
