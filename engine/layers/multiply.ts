import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import type { FeatureMap, Pixels } from "../memory/feature-map.ts";
import { undivided } from "../memory/kernels.ts";
import { type LayerKind, type NodeOf, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";

/** A part of a product as the kernels are told of it: its strides are 0 where it repeats along the product's axis. */
interface Repeated extends Pixels {
  readonly channelStride: number;
}

function repeated(part: FeatureMap, whole: FeatureMap): Repeated {
  return {
    address: part.address,
    rowStride: part.height === whole.height ? part.rowStride : 0,
    pixelStride: part.width === whole.width ? part.pixelStride : 0,
    channelStride: part.channels === whole.channels ? 1 : 0,
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
    const factors = [mustHave(inputs[0], "input"), mustHave(inputs[1], "input")] as const;
    const gate = gateOf(node, inputShapes);
    const { height, width, channels } = y;
    return {
      forward() {
        const [a, b] = [repeated(factors[0], y), repeated(factors[1], y)];
        const aside = { aChannel: a.channelStride, bChannel: b.channelStride };
        kernel.productForward(kernels, height, { y, a, b, ...aside, width, channels });
      },
      ruleName: (rules) => rules.product,
      prepareRelevance({ relevance: r, inputRelevance, rules }) {
        const backward = (index: number, factor: number, isDerivative: boolean): void => {
          const dx = mustHave(inputRelevance[index], "relevance of the input");
          const to = repeated(dx, y);
          const from = repeated(mustHave(factors[1 - index], "input"), y);
          const other = isDerivative ? from : { ...from, address: 0 };
          const aside = { dxChannel: to.channelStride, otherChannel: from.channelStride };
          // Where the factor has one channel for all of the product, its sum is one thread's.
          const by = dx.channels === channels ? kernels : undivided(kernels);
          kernel.productBackward(by, channels, { dx: to, r, other, ...aside, factor, height, width });
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
