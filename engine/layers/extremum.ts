import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, sameShape } from "../basics/tensor.ts";
import { noBorder } from "../memory/feature-map.ts";
import { imageArgs, named, rowArgs } from "../memory/named.ts";
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
    const { split } = kernels;
    const length = y.width * y.channels;
    const sign = node.of === "maximum" ? 1 : -1;
    return {
      forward() {
        let left = mustHave(inputs[0], "input");
        for (const right of inputs.slice(1)) {
          split(
            "extremum",
            y.height,
            ...named("extremum", rowArgs("y", y), rowArgs("a", left), rowArgs("b", right), { length, sign }),
          );
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
            split(
              "copyChannels",
              y.height,
              ...named("copyChannels", imageArgs("out", left), imageArgs("x", r), {
                width: y.width,
                channels: y.channels,
              }),
            );
            inputRelevance.forEach((dx, k) => {
              const x = mustHave(inputs[k], "input");
              split(
                "takeEqual",
                y.height,
                ...named("takeEqual", rowArgs("dx", dx), rowArgs("rest", left), rowArgs("x", x), rowArgs("y", y), {
                  length,
                }),
              );
            });
            return bookTheRest; // nothing, unless a value is no number
          },
        };
      },
    };
  },
};
