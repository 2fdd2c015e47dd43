import { UnsupportedError } from "../../engine/basics/errors.ts";
import { ints, type Translate } from "./attributes.ts";
import { convolve } from "./convolutions.ts";
import type { GraphNode, Translation } from "./translation.ts";

// TensorFlow writes a dilated convolution as a plain one between two moves: each pixel of a block goes into a photo of its own, and back.

/** What may stand between: the convolution, and around that of a signal what makes an image of one row of it. */
const between = ["Conv2D", "DepthwiseConv2dNative", "ExpandDims", "Squeeze", "BatchToSpaceND"];

/** @throws UnsupportedError for anything else that reads an image in pieces */
export function refuseBatched(to: Translation, node: GraphNode): void {
  if (node.inputs.some((input) => to.batched.has(input)) && !between.includes(node.op))
    throw new UnsupportedError("only a convolution may stand between SpaceToBatchND and BatchToSpaceND.");
}

/** A node that passes an image in pieces on. */
export const passBatched =
  (otherwise: Translate): Translate =>
  (to, node) => {
    const [x = ""] = node.inputs;
    const image = to.batched.get(x);
    if (image === undefined) return otherwise(to, node);
    to.batched.set(node.name, image);
  };

export const spaceToBatch: Translate = async (to, node) => {
  const [x = "", block, paddings] = node.inputs;
  to.batched.set(node.name, { x, block: await to.numbers(block), paddings: await to.numbers(paddings) });
};

/** The zeros that were put around, less what is cut off now, are the convolution's own. */
export const batchToSpace: Translate = async (to, node) => {
  const [from = "", blockName, crops] = node.inputs;
  const image = to.batched.get(from);
  const [block, cut] = [await to.numbers(blockName), await to.numbers(crops)];
  const isSignal = block.length === 1;
  if (image?.convolution === undefined || block.length > 2 || image.block.join() !== block.join())
    throw new UnsupportedError(
      "it undoes no SpaceToBatchND of the same block of rows and columns around a convolution.",
    );
  const { x, convolution, paddings } = image;
  if (convolution.ints("strides").some((stride) => stride !== 1) || convolution.text("padding") !== "VALID")
    throw new UnsupportedError("its convolution must have stride 1 and padding VALID.");
  const left = paddings.map((size, k) => {
    const by = cut[k];
    if (by === undefined || by > size) throw new UnsupportedError("it cuts more off than was put around.");
    return size - by;
  });
  const [top = 0, bottom = 0, before = 0, after = 0] = isSignal ? [0, 0, ...left] : left;
  const window = { dilations: ints(...(isSignal ? [1] : []), ...block), pads: ints(top, before, bottom, after) };
  const isDepthwise = convolution.op === "DepthwiseConv2dNative";
  const rows = to.list([1]); // the axis of rows that a signal lacks
  const y = convolve(to, convolution, isSignal ? to.add("Unsqueeze", [x, rows]) : x, isDepthwise, window);
  to.add(isSignal ? "Squeeze" : "Identity", isSignal ? [y, rows] : [y], {}, node.name);
};
