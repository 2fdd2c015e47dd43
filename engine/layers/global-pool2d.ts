import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import { type Window, windowOf } from "../graph/window.ts";
import { buildAveragePool } from "./average-pool2d.ts";
import { type Construction, type LayerKind, type NodeOf, noParameters } from "./layer-kind.ts";
import { buildMaxPool, requireImage } from "./max-pool2d.ts";
import type { OutputSign } from "./output-sign.ts";
import { sumVanishing } from "./sums.ts";

/** A window as large as the image. */
function wholeImage(where: string, { inputShapes }: Construction): Window {
  const [, height, width] = requireImage(where, mustHave(inputShapes[0], "input"));
  return windowOf(where, { kernelShape: [height, width] });
}

/** What both have in common. */
const onePixel = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: (): OutputSign => "keeps",
  outputShape: ({ op, name }: NodeOf<"globalAveragePool2d" | "globalMaxPool2d">, inputs: readonly Shape[]) => [
    requireImage(`${op} "${name}"`, mustHave(inputs[0], "input"))[0],
    1,
    1,
  ],
} as const;

/** Mean over the image, [C,H,W] -> [C,1,1]. */
export const globalAveragePool2d: LayerKind<"globalAveragePool2d"> = {
  ...onePixel,
  inputVanishing: sumVanishing,
  build: (construction, node) => buildAveragePool(construction, wholeImage(node.name, construction), false),
};

/** Maximum over the image, [C,H,W] -> [C,1,1]. */
export const globalMaxPool2d: LayerKind<"globalMaxPool2d"> = {
  ...onePixel,
  inputVanishing: () => "withOutput",
  build: (construction, node) => buildMaxPool(construction, wholeImage(node.name, construction)),
};
