import * as kernel from "../../kernels-as/kernel-calls.js";
import { UnsupportedError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { type LayerKind, noParameters } from "./layer-kind.ts";

/** Softmax over the channels; the network's last layer, evaluated for probabilities, or an inner one for forward only. */
export const softmax: LayerKind<"softmax"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => "softmax",
  sign: () => "nonNegative",
  inputVanishing: () => "never",
  outputShape: (_node, inputs) => mustHave(inputs[0], "input"),
  build({ kernels, inputs, output: y, layer }) {
    const x = mustHave(inputs[0], "input");
    return {
      forward() {
        kernel.softmax(kernels, y.height, { y, x, width: y.width, channels: y.channels });
      },
      ruleName: () => "none",
      prepareRelevance() {
        throw new UnsupportedError(
          `softmax "${layer.name}": relevance through a softmax inside a network is not defined here. End the network before it.`,
        );
      },
    };
  },
};
