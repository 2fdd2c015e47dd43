import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { clampBounds, clampSign, keepsZero } from "./clamp.ts";
import { buildClamp, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";

/** min(max(x, low), high); as in ONNX, high wins where low exceeds it. */
export const clip: LayerKind<"clip"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (Number.isNaN(node.low) || Number.isNaN(node.high)) {
      throw new ShapeError(`clip "${node.name}": needs numbers low and high, got ${node.low} and ${node.high}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: ({ low, high }) => ({ what: "clamp", low, high }),
  sign: clampSign,
  bounds: clampBounds,
  // Where 0 becomes another value, that value's relevance is the input's.
  inputVanishing: (node) => (keepsZero(node) ? "withOutput" : "never"),
  build: (construction, node) => buildClamp(construction, node),
};
