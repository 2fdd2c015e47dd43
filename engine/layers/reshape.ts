import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape } from "../basics/tensor.ts";
import {
  type Construction,
  type InputVanishing,
  type LayerKind,
  type LayerRuntime,
  noParameters,
} from "./layer-kind.ts";
import { nothingLost } from "./ledger.ts";
import type { OutputSign } from "./output-sign.ts";

/** Changes the shape and keeps the order C, H, W of the elements. */
function buildReshape({ kernels, inputs, output: y }: Construction): LayerRuntime {
  const { split, arena } = kernels;
  const x = mustHave(inputs[0], "input");
  const flat = arena.allocate(4 * x.channels * x.height * x.width);
  return {
    forward() {
      split("toChannelFirst", x.channels, flat, x.address, x.rowStride, x.pixelStride, x.height, x.width);
      split("fromChannelFirst", y.channels, y.address, y.rowStride, y.pixelStride, flat, y.height, y.width);
    },
    ruleName: () => "pass",
    prepareRelevance({ relevance: r, inputRelevance }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      return {
        scratchBytes: [],
        run() {
          split("toChannelFirst", r.channels, flat, r.address, r.rowStride, r.pixelStride, r.height, r.width);
          split("fromChannelFirst", dx.channels, dx.address, dx.rowStride, dx.pixelStride, flat, dx.height, dx.width);
          return nothingLost;
        },
      };
    },
  };
}

/** What both have in common. */
const sameElements = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: (): OutputSign => "keeps",
  inputVanishing: (): InputVanishing => "withOutput",
  build: buildReshape,
} as const;

/** [C,H,W] -> [C*H*W]. */
export const flatten: LayerKind<"flatten"> = {
  ...sameElements,
  outputShape: (_node, inputs) => [elementCount(mustHave(inputs[0], "input"))],
};

/** To a given shape [F] or [C,H,W]. */
export const reshape: LayerKind<"reshape"> = {
  ...sameElements,
  outputShape(node, inputs) {
    const where = `reshape "${node.name}"`;
    const input = mustHave(inputs[0], "input");
    const count = elementCount(input);
    const free = node.shape.filter((size) => size === -1).length;
    const known = elementCount(node.shape.filter((size) => size !== -1));
    const shape = node.shape.map((size) => (size === -1 ? count / known : size));
    const fits = shape.every((size) => Number.isSafeInteger(size) && size > 0) && elementCount(shape) === count;
    if (free > 1 || !fits || (shape.length !== 1 && shape.length !== 3)) {
      throw new ShapeError(
        `${where}: shape must be [F] or [C,H,W] with ${count} elements (one size may be -1), got ${formatShape(node.shape)} for an input of ${formatShape(input)}.`,
      );
    }
    return shape;
  },
};
