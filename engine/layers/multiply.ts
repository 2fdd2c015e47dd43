import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { type LayerKind, type NodeOf, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";

/** Strides of a factor, 0 where it repeats along the product's axis. */
interface Strides {
  readonly row: number;
  readonly pixel: number;
  readonly channel: number;
}

function stridesIn(part: FeatureMap, whole: FeatureMap): Strides {
  return {
    row: part.height === whole.height ? part.rowStride : 0,
    pixel: part.width === whole.width ? part.pixelStride : 0,
    channel: part.channels === whole.channels ? 1 : 0,
  };
}

/** The factor that only scales the other. */
function gateOf(node: NodeOf<"multiply">, inputs: readonly Shape[]): number {
  const [a, b] = [mustHave(inputs[0], "input"), mustHave(inputs[1], "input")];
  return node.gate ?? (elementCount(a) < elementCount(b) ? 0 : 1);
}

/** Product of two inputs. */
export const multiply: LayerKind<"multiply"> = {
  ...noParameters,
  arity: "two",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  // The signal gets what its product has; a product with 0 is 0, but a sum over what repeats it may not be.
  inputVanishing: () => "never",
  outputShape(node, inputs) {
    const [a, b] = [mustHave(inputs[0], "input"), mustHave(inputs[1], "input")];
    const fits = a.length === b.length && a.every((size, axis) => size === b[axis] || size === 1 || b[axis] === 1);
    if (!fits) {
      throw new ShapeError(
        `multiply "${node.name}": inputs must be equally long along every axis, or one of them 1 long, got ${formatShape(a)} and ${formatShape(b)}.`,
      );
    }
    return a.map((size, axis) => Math.max(size, mustHave(b[axis], "size")));
  },
  build({ kernels, inputs, output: y, inputShapes }, node) {
    const { split, call } = kernels;
    const factors = [mustHave(inputs[0], "input"), mustHave(inputs[1], "input")] as const;
    const gate = gateOf(node, inputShapes);
    const [a, b] = factors;
    const [sa, sb] = [stridesIn(a, y), stridesIn(b, y)];
    return {
      forward() {
        // biome-ignore format: one group of arguments a line
        split("productForward", y.height, y.address, y.rowStride, y.pixelStride, a.address, sa.row, sa.pixel, sa.channel,
          b.address, sb.row, sb.pixel, sb.channel, y.width, y.channels);
      },
      ruleName: (rules) => rules.product,
      prepareRelevance({ relevance: r, inputRelevance, rules }) {
        const backward = (index: number, factor: number, isDerivative: boolean): void => {
          const dx = mustHave(inputRelevance[index], "relevance of the input");
          const other = mustHave(factors[1 - index], "input");
          const [own, theirs] = [stridesIn(dx, y), stridesIn(other, y)];
          // biome-ignore format: one group of arguments a line
          const args = [dx.address, own.row, own.pixel, own.channel, r.address, r.rowStride, r.pixelStride,
            isDerivative ? other.address : 0, theirs.row, theirs.pixel, theirs.channel, factor, y.height, y.width] as const;
          // Where the factor has one channel for all of the product, its sum is one thread's.
          if (own.channel === 0) call.productBackward(...args, 0, y.channels);
          else split("productBackward", y.channels, ...args);
        };
        return {
          scratchBytes: [],
          run() {
            for (const index of [0, 1]) {
              if (rules.product === "gradient") backward(index, 1, true);
              else backward(index, rules.product === "uniform" ? 0.5 : index === gate ? 0 : 1, false);
            }
            return rules.product === "gradient" ? bookTheRest : nothingLost;
          },
        };
      },
    };
  },
};
