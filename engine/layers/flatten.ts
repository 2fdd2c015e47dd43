import { mustHave } from "../basics/must-have.ts";
import { elementCount } from "../basics/tensor.ts";
import type { LayerKind } from "./layer-kind.ts";
import { sameElements } from "./same-elements.ts";

/** [C,H,W] -> [C*H*W]. */
export const flatten: LayerKind<"flatten"> = {
  ...sameElements,
  outputShape: (_node, inputs) => [elementCount(mustHave(inputs[0], "input"))],
};
