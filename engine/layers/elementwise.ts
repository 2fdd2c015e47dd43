import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import { copyValues } from "../memory/copy.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { type Clamp, clampSign, keepsZero } from "./clamp.ts";
import {
  type Construction,
  type LayerKind,
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
        if (rules.activation === "pass") {
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
function buildClamp(construction: Construction, { low, high }: Clamp): LayerRuntime {
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

const rectifier = { low: 0, high: Number.POSITIVE_INFINITY };

/** max(x, 0); where it follows a convolution or dense layer that layer applies it. */
export const relu: LayerKind<"relu"> = {
  ...elementwise,
  absorbedAs: () => ({ what: "clamp", ...rectifier }),
  sign: () => "nonNegative",
  inputVanishing: () => "withOutput",
  build: (construction) => buildClamp(construction, rectifier),
};

/** min(max(x, low), high); as in ONNX, high wins where low exceeds it. */
export const clip: LayerKind<"clip"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (Number.isNaN(node.low) || Number.isNaN(node.high)) {
      throw new ShapeError(`clip "${node.name}": needs numbers low and high, got ${node.low} and ${node.high}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: ({ low, high }) => ({ what: "clamp", low, high }),
  sign: clampSign,
  // Where 0 becomes another value, that value's relevance is the input's.
  inputVanishing: (node) => (keepsZero(node) ? "withOutput" : "never"),
  build: (construction, node) => buildClamp(construction, node),
};

/** x where x >= 0, slope * x elsewhere. */
export const leakyRelu: LayerKind<"leakyRelu"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (!Number.isFinite(node.slope)) {
      throw new ShapeError(`leakyRelu "${node.name}": needs a finite slope, got ${node.slope}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: () => undefined,
  sign: ({ slope }) => (slope <= 0 ? "nonNegative" : "keeps"),
  inputVanishing: () => "withOutput",
  build(construction, node) {
    const { kernels, inputs, output: y } = construction;
    const { split } = kernels;
    const x = mustHave(inputs[0], "input");
    const length = y.width * y.channels;
    return {
      forward() {
        split("leakyRelu", y.height, y.address, y.rowStride, x.address, x.rowStride, length, node.slope);
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        const slope = usesDerivative ? node.slope : 1;
        kernel.leakyReluGrad(kernels, y.height, { out: dx, x: r, gate: input, length, slope, positiveOnly });
      }),
    };
  },
};
