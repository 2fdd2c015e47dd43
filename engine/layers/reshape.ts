import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape } from "../basics/tensor.ts";
import type { LayerKind } from "./layer-kind.ts";
import { sameElements } from "./same-elements.ts";

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
