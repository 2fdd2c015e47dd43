import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, sameShape } from "../basics/tensor.ts";
import { copyImage } from "../memory/copy.ts";
import { noBorder } from "../memory/feature-map.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import { type LayerKind, noParameters } from "./layer-kind.ts";
import { bookTheRest } from "./ledger.ts";

/** The largest or smallest of inputs of one shape; it takes all relevance, the first of equals. */
export const extremum: LayerKind<"extremum"> = {
  ...noParameters,
  arity: "twoOrMore",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: () => "withOutput",
  outputShape(node, inputs) {
    const first = mustHave(inputs[0], "input");
    const other = inputs.find((shape) => !sameShape(shape, first));
    if (other) {
      throw new ShapeError(
        `extremum "${node.name}": inputs must have one shape, got ${formatShape(first)} and ${formatShape(other)}.`,
      );
    }
    return first;
  },
  build({ kernels, inputs, output: y, outputShape }, node) {
    const length = y.width * y.channels;
    const sign = node.of === "maximum" ? 1 : -1;
    return {
      forward() {
        let left = mustHave(inputs[0], "input");
        for (const right of inputs.slice(1)) {
          kernel.extremum(kernels, y.height, { y, a: left, b: right, length, sign });
          left = y;
        }
      },
      ruleName: () => "winner",
      prepareRelevance({ relevance: r, inputRelevance }) {
        const scratch = new Scratch();
        const rest = scratch.reserveImage(outputShape, noBorder);
        return {
          scratchBytes: scratch.bytes,
          run(addresses) {
            const left = rest(addresses);
            copyImage(kernels, left, r, y);
            inputRelevance.forEach((dx, k) => {
              const x = mustHave(inputs[k], "input");
              kernel.takeEqual(kernels, y.height, { dx, rest: left, x, y, length });
            });
            return bookTheRest; // nothing, unless a value is no number
          },
        };
      },
    };
  },
};
