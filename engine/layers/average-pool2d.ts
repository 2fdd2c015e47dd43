import * as kernel from "../../kernels-as/kernel-calls.js";
import { mustHave } from "../basics/must-have.ts";
import { outputSize, type Window, windowOf } from "../graph/window.ts";
import { type Construction, type LayerKind, type LayerRuntime, noParameters } from "./layer-kind.ts";
import { requireImage } from "./max-pool2d.ts";
import { sumRelevance, sumVanishing } from "./sums.ts";

/** Average pooling over an explicit window; global average pooling is the window as large as the image. */
export function buildAveragePool(construction: Construction, window: Window, countIncludePad: boolean): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const x = mustHave(inputs[0], "input");
  const includePad = countIncludePad ? 1 : 0;
  return sumRelevance(kernels, x, y, {
    forward() {
      const sizes = { inH: x.height, inW: x.width, outW: y.width, channels: y.channels };
      kernel.averagePool2dForward(kernels, y.height, { y, x, window, ...sizes, includePad });
    },
    inputGrad(dx, dy) {
      const sizes = { inH: x.height, inW: x.width, outH: y.height, outW: y.width };
      kernel.averagePool2dInputGrad(kernels, x.channels, { dx, dy, window, ...sizes, includePad });
    },
  });
}

/** Mean of each window. */
export const averagePool2d: LayerKind<"averagePool2d"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: sumVanishing,
  outputShape(node, inputs) {
    const where = `averagePool2d "${node.name}"`;
    const [channels, height, width] = requireImage(where, mustHave(inputs[0], "input"));
    return [channels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  build: (construction, node) =>
    buildAveragePool(construction, windowOf(`averagePool2d "${node.name}"`, node), node.countIncludePad ?? false),
};
