import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape } from "../basics/tensor.ts";
import { copyImage } from "../memory/copy.ts";
import { type FeatureMap, pixelsAt } from "../memory/feature-map.ts";
import { type LayerKind, noParameters } from "./layer-kind.ts";
import { nothingLost } from "./ledger.ts";

/** Inputs side by side along the channels. */
export const concat: LayerKind<"concat"> = {
  ...noParameters,
  arity: "oneOrMore",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: () => "withOutput",
  bounds: (_node, inputs) => ({ low: inputs.flatMap(({ low }) => low), high: inputs.flatMap(({ high }) => high) }),
  outputShape(node, inputs) {
    const first = mustHave(inputs[0], "input");
    const rest = (shape: Shape): string => formatShape(shape.slice(1));
    const other = inputs.find((shape) => shape.length !== first.length || rest(shape) !== rest(first));
    if (other) {
      throw new ShapeError(
        `concat "${node.name}": inputs may differ in their channels only, got ${formatShape(first)} and ${formatShape(other)}.`,
      );
    }
    return [inputs.reduce((sum, shape) => sum + mustHave(shape[0], "channels"), 0), ...first.slice(1)];
  },
  build({ kernels, inputs, output: y }) {
    /** Calls `copy` with the address of each part's first channel in `whole`. */
    const forEachPart = (
      parts: readonly FeatureMap[],
      whole: FeatureMap,
      copy: (part: FeatureMap, at: number) => void,
    ): void => {
      let channel = 0;
      for (const part of parts) {
        copy(part, whole.address + 4 * channel);
        channel += part.channels;
      }
    };
    return {
      forward() {
        forEachPart(inputs, y, (x, at) => copyImage(kernels, pixelsAt(y, at), x, x));
      },
      ruleName: () => "split",
      prepareRelevance: ({ relevance: r, inputRelevance }) => ({
        scratchBytes: [],
        run() {
          forEachPart(inputRelevance, r, (dx, at) => copyImage(kernels, dx, pixelsAt(r, at), dx));
          return nothingLost;
        },
      }),
    };
  },
};
