import { ShapeError, UnsupportedError } from "../basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import type { Construction, LayerRuntime, OpKind } from "./layer-kind.ts";
import { nothingLost } from "./ledger.ts";

/** Inputs side by side along the channels. */
export const concat: OpKind<"concat"> = {
  sign: "keeps",
  outputShape(node, inputs) {
    const [first] = inputs;
    if (first === undefined) throw new ShapeError(`concat "${node.name}": needs at least one input.`);
    const rest = (shape: Shape): string => formatShape(shape.slice(1));
    const other = inputs.find((shape) => shape.length !== first.length || rest(shape) !== rest(first));
    if (other) {
      throw new ShapeError(
        `concat "${node.name}": inputs may differ in their channels only, got ${formatShape(first)} and ${formatShape(other)}.`,
      );
    }
    return [inputs.reduce((sum, shape) => sum + (shape[0] ?? 0), 0), ...first.slice(1)];
  },
  build({ kernels, inputs, output: y }) {
    const { split } = kernels;
    return {
      forward() {
        let channel = 0;
        for (const x of inputs) {
          // biome-ignore format: one group of arguments a line
          split("copyChannels", x.height,y.address + 4 * channel, y.rowStride, y.pixelStride, x.address, x.rowStride, x.pixelStride,
            x.width, x.channels);
          channel += x.channels;
        }
      },
      ruleName: () => "split",
      prepareRelevance: ({ relevance: r, inputRelevance }) => ({
        scratchBytes: [],
        run() {
          let channel = 0;
          for (const dx of inputRelevance) {
            // biome-ignore format: one group of arguments a line
            split("copyChannels", dx.height,dx.address, dx.rowStride, dx.pixelStride, r.address + 4 * channel, r.rowStride, r.pixelStride,
              dx.width, dx.channels);
            channel += dx.channels;
          }
          return nothingLost;
        },
      }),
    };
  },
};

/** Changes the shape and keeps the order C, H, W of the elements. */
function buildReshape({ kernels, inputs, output: y }: Construction): LayerRuntime {
  const { split, arena } = kernels;
  const x = inputs[0];
  if (x === undefined) throw new ShapeError("reshape: has no input.");
  const flat = arena.allocate(4 * x.channels * x.height * x.width);
  return {
    forward() {
      split("toChannelFirst", x.channels, flat, x.address, x.rowStride, x.pixelStride, x.height, x.width);
      split("fromChannelFirst", y.channels, y.address, y.rowStride, y.pixelStride, flat, y.height, y.width);
    },
    ruleName: () => "pass",
    prepareRelevance: ({ relevance: r, inputRelevance: [dx] }) => ({
      scratchBytes: [],
      run() {
        if (dx === undefined) return nothingLost;
        split("toChannelFirst", r.channels, flat, r.address, r.rowStride, r.pixelStride, r.height, r.width);
        split("fromChannelFirst", dx.channels, dx.address, dx.rowStride, dx.pixelStride, flat, dx.height, dx.width);
        return nothingLost;
      },
    }),
  };
}

/** [C,H,W] -> [C*H*W]. */
export const flatten: OpKind<"flatten"> = {
  sign: "keeps",
  outputShape: (_node, inputs) => [elementCount(inputs[0] ?? [])],
  build: buildReshape,
};

/** To a given shape [F] or [C,H,W]. */
export const reshape: OpKind<"reshape"> = {
  sign: "keeps",
  outputShape(node, inputs) {
    const where = `reshape "${node.name}"`;
    const count = elementCount(inputs[0] ?? []);
    const free = node.shape.filter((size) => size === -1).length;
    const known = elementCount(node.shape.filter((size) => size !== -1));
    const shape = node.shape.map((size) => (size === -1 ? count / known : size));
    const fits = shape.every((size) => Number.isSafeInteger(size) && size > 0) && elementCount(shape) === count;
    if (free > 1 || !fits || (shape.length !== 1 && shape.length !== 3)) {
      throw new ShapeError(
        `${where}: shape must be [F] or [C,H,W] with ${count} elements (one size may be -1), got ${formatShape(node.shape)} for an input of ${formatShape(inputs[0] ?? [])}.`,
      );
    }
    return shape;
  },
  build: buildReshape,
};

/** Softmax over the channels; the network's last layer, evaluated for probabilities, or an inner one for forward only. */
export const softmax: OpKind<"softmax"> = {
  sign: "nonNegative",
  outputShape: (_node, inputs) => inputs[0] ?? [],
  build({ kernels, inputs: [x], output: y, layer }) {
    return {
      forward() {
        if (x === undefined) return;
        // biome-ignore format: one group of arguments a line
        kernels.split("softmax", y.height,y.address, y.rowStride, y.pixelStride, x.address, x.rowStride, x.pixelStride, y.width, y.channels);
      },
      ruleName: () => "none",
      prepareRelevance() {
        throw new UnsupportedError(
          `softmax "${layer.name}": relevance through a softmax inside a network is not defined here. End the network before it.`,
        );
      },
    };
  },
};
