import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape } from "../basics/tensor.ts";
import { copyValues } from "../memory/copy.ts";
import { imageSize } from "../memory/feature-map.ts";
import { type LayerKind, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";

/**
 * Normalisation by the values' own statistics. For relevance these are held constant and it passes unchanged (the identity rule of
 * AttnLRP, Achtibat et al. 2024, as LXT has it for layer norm); `gradient`, the alternative, differentiates them too. The composite's
 * choice for LRN decides: its gradient, or anything else.
 */
export const normalise: LayerKind<"normalise"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: ({ centre }) => (centre ? "any" : "keeps"),
  inputVanishing: ({ centre }, { lrn }) => (centre || lrn === "gradient" ? "never" : "withOutput"),
  outputShape(node, inputs) {
    const input = mustHave(inputs[0], "input");
    const { channels } = imageSize(input);
    if (!(node.channels >= 1) || channels % node.channels !== 0 || !(node.epsilon >= 0)) {
      throw new ShapeError(
        `normalise "${node.name}": channels ${node.channels} must divide those of ${formatShape(input)}, and epsilon ${node.epsilon} must not be negative.`,
      );
    }
    return input;
  },
  build({ kernels, inputs, output: y }, { channels, overPixels, centre, epsilon }) {
    const x = mustHave(inputs[0], "input");
    const parts = overPixels ? y.channels / channels : y.height;
    const args = {
      ...{ height: y.height, width: y.width, channels: y.channels, size: channels },
      ...{ perPixel: overPixels ? 0 : 1, centre: centre ? 1 : 0, epsilon },
    };
    return {
      forward() {
        kernel.normaliseForward(kernels, parts, { y, x, ...args });
      },
      ruleName: (rules) => (rules.lrn === "gradient" ? "gradient" : "pass"),
      prepareRelevance({ relevance: r, inputRelevance, rules }) {
        const dx = mustHave(inputRelevance[0], "relevance of the input");
        return {
          scratchBytes: [],
          run() {
            if (rules.lrn === "gradient") {
              kernel.normaliseInputGrad(kernels, parts, { dx, dy: r, x, ...args });
              return bookTheRest;
            }
            copyValues(kernels, dx.address, r.address, y.height * y.width * y.channels);
            return nothingLost;
          },
        };
      },
    };
  },
};
