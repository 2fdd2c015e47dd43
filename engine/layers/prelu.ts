import * as kernel from "../../kernels-as/kernel-calls.js";
import { mustHave } from "../basics/must-have.ts";
import { imageSize } from "../memory/feature-map.ts";
import { activationRelevance, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";

/** x where x >= 0, a slope per channel times x elsewhere. */
export const prelu: LayerKind<"prelu"> = {
  ...elementwise,
  absorbedAs: () => undefined,
  parameters: (node, _layer, input) => [{ name: node.slope, shape: [imageSize(input).channels] }],
  sign: () => "keeps",
  inputVanishing: () => "withOutput",
  build(construction, node) {
    const { kernels, inputs, output: y } = construction;
    const { split, arena } = kernels;
    const x = mustHave(inputs[0], "input");
    const slopes = arena.allocate(4 * y.channels);
    const ones = arena.allocate(4 * y.channels);
    arena.f32(ones, y.channels).fill(1);
    return {
      forward() {
        split("preluForward", y.height, y.address, y.rowStride, x.address, x.rowStride, slopes, y.width, y.channels);
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        const slope = usesDerivative ? slopes : ones;
        const { height, width, channels } = y;
        kernel.preluGrad(kernels, height, { dx, dy: r, x: input, slope, width, channels, positiveOnly });
      }),
      setRows(name, firstRow, rows) {
        if (name === node.slope) arena.f32(slopes, y.channels).set(rows, firstRow);
      },
    };
  },
};
