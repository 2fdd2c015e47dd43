import { clampBounds } from "./clamp.ts";
import { buildClamp, elementwise } from "./elementwise.ts";
import type { LayerKind } from "./layer-kind.ts";

const rectifier = { low: 0, high: Number.POSITIVE_INFINITY };

/** max(x, 0); where it follows a convolution or dense layer that layer applies it. */
export const relu: LayerKind<"relu"> = {
  ...elementwise,
  absorbedAs: () => ({ what: "clamp", ...rectifier }),
  sign: () => "nonNegative",
  bounds: (_node, inputs) => clampBounds(rectifier, inputs),
  inputVanishing: () => "withOutput",
  build: (construction) => buildClamp(construction, rectifier),
};
