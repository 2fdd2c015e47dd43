import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { imageArgs, named, namedCallOver } from "../memory/named.ts";
import { type LayerKind, type NodeOf, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";

/** Strides of a part as the kernels call them, 0 where it repeats along the product's axis. */
function stridesIn<N extends string>(
  name: N,
  part: FeatureMap,
  whole: FeatureMap,
): { readonly [P in `${N}Row` | `${N}Pixel` | `${N}Channel`]: number } {
  const result: Record<string, number> = {
    [`${name}Row`]: part.height === whole.height ? part.rowStride : 0,
    [`${name}Pixel`]: part.width === whole.width ? part.pixelStride : 0,
    [`${name}Channel`]: part.channels === whole.channels ? 1 : 0,
  };
  return result as { readonly [P in `${N}Row` | `${N}Pixel` | `${N}Channel`]: number }; // the three names above
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
    return {
      forward() {
        split(
          "productForward",
          y.height,
          ...named("productForward", imageArgs("y", y), stridesIn("a", a, y), stridesIn("b", b, y), {
            a: a.address,
            b: b.address,
            width: y.width,
            channels: y.channels,
          }),
        );
      },
      ruleName: (rules) => rules.product,
      prepareRelevance({ relevance: r, inputRelevance, rules }) {
        const backward = (index: number, factor: number, isDerivative: boolean): void => {
          const dx = mustHave(inputRelevance[index], "relevance of the input");
          const other = mustHave(factors[1 - index], "input");
          const args = {
            dx: dx.address,
            ...stridesIn("dx", dx, y),
            ...imageArgs("r", r),
            other: isDerivative ? other.address : 0,
            ...stridesIn("o", other, y),
            factor,
            height: y.height,
            width: y.width,
          };
          // Where the factor has one channel for all of the product, its sum is one thread's.
          if (dx.channels !== y.channels) call.productBackward(...namedCallOver("productBackward", y.channels, args));
          else split("productBackward", y.channels, ...named("productBackward", args));
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
