import { ShapeError } from "../basics/errors.ts";
import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, sameShape } from "../basics/tensor.ts";
import { copyImage } from "../memory/copy.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import { type LayerKind, noParameters, type RelevanceContext, type RelevancePass } from "./layer-kind.ts";
import { nothingLost } from "./ledger.ts";
import { gradientPass, multiplyInput, prepareRatios, sumVanishing } from "./sums.ts";

/** Sum of inputs of one shape. */
export const add: LayerKind<"add"> = {
  ...noParameters,
  arity: "twoOrMore",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: (node, rules) => (node.signal === undefined ? sumVanishing(node, rules) : "never"),
  outputShape(node, inputs) {
    const first = mustHave(inputs[0], "input");
    const { signal = 0 } = node;
    if (!Number.isSafeInteger(signal) || signal < 0 || signal >= inputs.length)
      throw new ShapeError(`add "${node.name}": signal must be one of its ${inputs.length} inputs, got ${signal}.`);
    const other = inputs.find((shape) => !sameShape(shape, first));
    if (other) {
      throw new ShapeError(
        `add "${node.name}": inputs must have one shape, got ${formatShape(first)} and ${formatShape(other)}. Broadcasting is not supported.`,
      );
    }
    return first;
  },
  build({ kernels, inputs, output: y }, { signal }) {
    const length = y.width * y.channels;
    return {
      forward() {
        const [first, ...rest] = inputs;
        let left = mustHave(first, "input");
        for (const right of rest) {
          // biome-ignore format: one group of arguments a line
          kernels.split("add", y.height,y.address, y.rowStride, left.address, left.rowStride, right.address, right.rowStride, length);
          left = y;
        }
      },
      ruleName: (rules) => rules.sum,
      prepareRelevance(context) {
        const { relevance: r, inputRelevance, rules } = context;
        if (hasRuleLibrary && rules.sum === "gradient") {
          return gradientPass(() => {
            for (const dx of inputRelevance) copyImage(kernels, dx, r, y);
          });
        }
        if (signal !== undefined) return prepareSignal(kernels, context, y, signal);
        return prepareShares(kernels, context, inputs, y);
      },
    };
  },
};

/** All relevance for one of the inputs. */
function prepareSignal(
  kernels: Kernels,
  { relevance: r, inputRelevance }: RelevanceContext,
  y: FeatureMap,
  signal: number,
): RelevancePass {
  return {
    scratchBytes: [],
    run() {
      inputRelevance.forEach((dx, k) => {
        if (k !== signal) kernels.split("fill", dx.height * dx.rowStride, dx.address, 0);
        else copyImage(kernels, dx, r, y);
      });
      return nothingLost;
    },
  };
}

/** For every input its share of the sum. */
function prepareShares(
  kernels: Kernels,
  context: RelevanceContext,
  inputs: readonly FeatureMap[],
  y: FeatureMap,
): RelevancePass {
  const scratch = new Scratch();
  const ratiosOf = prepareRatios(kernels, context, y, scratch);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      const { ratios, lost } = ratiosOf(addresses);
      context.inputRelevance.forEach((dx, k) => {
        multiplyInput(kernels, dx, mustHave(inputs[k], "input"), ratios);
      });
      return lost;
    },
  };
}
