import type { Shape } from "../basics/tensor.ts";
import { type Window, windowOf } from "../graph/window.ts";
import { buildAveragePool } from "./average-pool2d.ts";
import type { OpKind } from "./layer-kind.ts";
import { buildMaxPool, requireImage } from "./max-pool2d.ts";

/** A window as large as the image. */
function wholeImage(where: string, input: Shape): Window {
  const [, height = 1, width = 1] = requireImage(where, input);
  return windowOf(where, { kernelShape: [height, width] });
}

/** Mean over the image, [C,H,W] -> [C,1,1]. */
export const globalAveragePool2d: OpKind<"globalAveragePool2d"> = {
  sign: "keeps",
  outputShape: (node, inputs) => [requireImage(`globalAveragePool2d "${node.name}"`, inputs[0] ?? [])[0] ?? 0, 1, 1],
  build: (construction, node) =>
    buildAveragePool(construction, wholeImage(node.name, construction.inputShapes[0] ?? []), false),
};

/** Maximum over the image, [C,H,W] -> [C,1,1]. */
export const globalMaxPool2d: OpKind<"globalMaxPool2d"> = {
  sign: "keeps",
  outputShape: (node, inputs) => [requireImage(`globalMaxPool2d "${node.name}"`, inputs[0] ?? [])[0] ?? 0, 1, 1],
  build: (construction, node) => buildMaxPool(construction, wholeImage(node.name, construction.inputShapes[0] ?? [])),
};
