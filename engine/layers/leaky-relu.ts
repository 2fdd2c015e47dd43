import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { activationRelevance, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";

/** x where x >= 0, slope * x elsewhere. */
export const leakyRelu: LayerKind<"leakyRelu"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (!Number.isFinite(node.slope)) {
      throw new ShapeError(`leakyRelu "${node.name}": needs a finite slope, got ${node.slope}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: () => undefined,
  sign: ({ slope }) => (slope <= 0 ? "nonNegative" : "keeps"),
  inputVanishing: () => "withOutput",
  build(construction, node) {
    const { kernels, output: y } = construction;
    const x = mustHave(construction.inputs[0], "input");
    const length = y.width * y.channels;
    return {
      forward() {
        kernels.split("leakyRelu", y.height, y.address, y.rowStride, x.address, x.rowStride, length, node.slope);
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        const slope = usesDerivative ? node.slope : 1;
        kernel.leakyReluGrad(kernels, y.height, { out: dx, x: r, gate: input, length, slope, positiveOnly });
      }),
    };
  },
};
