import { ShapeError } from "../basics/errors.ts";
import { outputSize, type Window, windowOf } from "../graph/window.ts";
import type { Construction, LayerRuntime, OpKind } from "./layer-kind.ts";
import { bookTheRest } from "./ledger.ts";
import { requireImage } from "./max-pool2d.ts";

/** Average pooling over an explicit window; global average pooling is the window as large as the image. */
export function buildAveragePool(construction: Construction, window: Window, countIncludePad: boolean): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split, arena } = kernels;
  const x = inputs[0];
  if (x === undefined) throw new ShapeError("averagePool2d: has no input.");
  const [kh, kw] = window.kernelShape;
  const [sh, sw] = window.strides;
  const [top, left, bottom, right] = window.pads;
  const include = countIncludePad ? 1 : 0;
  return {
    forward() {
      // biome-ignore format: one group of arguments a line
      split("averagePool2dForward", y.height,y.address, y.rowStride, y.pixelStride, x.address, x.rowStride, x.pixelStride,
        x.height, x.width, y.width, y.channels, kh, kw, sh, sw, top, left, bottom, right, include);
    },
    ruleName: (rules) => rules.sum,
    prepareRelevance({ relevance: r, inputRelevance: [dx], rules }) {
      if (dx === undefined) throw new ShapeError("averagePool2d: has no input.");
      const inputGrad = (out: number, s: number): void => {
        split("fill", dx.height * dx.rowStride, out, 0);
        // biome-ignore format: one group of arguments a line
        split("averagePool2dInputGrad", x.channels,out, dx.rowStride, dx.pixelStride, s, r.rowStride, r.pixelStride,
          x.height, x.width, y.height, y.width, kh, kw, sh, sw, top, left, bottom, right, include);
      };
      if (rules.sum === "gradient") {
        return {
          scratchBytes: [],
          run() {
            inputGrad(dx.address, r.address);
            return bookTheRest;
          },
        };
      }
      return {
        scratchBytes: [4 * r.height * r.rowStride, 4 * dx.height * dx.rowStride, 24 * r.height],
        run([s = 0, c = 0, ledger = 0]) {
          // R_i = x_i / n * R / (mean + stabiliser), summed over windows: the epsilon rule of a layer with weights 1 / n.
          // biome-ignore format: one group of arguments a line
          split("ratio", y.height,s, r.rowStride, r.address, r.rowStride, y.address, y.rowStride, 0, 0, 0, ledger,
            y.width * y.channels, y.channels, 1, rules.normStabilizer, 1, 0);
          inputGrad(c, s);
          // biome-ignore format: one group of arguments a line
          split("multiply", x.height,dx.address, dx.rowStride, x.address, x.rowStride, c, dx.rowStride, 0, x.width * x.channels, 1, 0);
          const shares = arena.f64(ledger, 3 * y.height);
          let stabilizer = 0;
          let dropped = 0;
          for (let row = 0; row < y.height; row++) {
            stabilizer += shares[3 * row + 1]!;
            dropped += shares[3 * row + 2]!;
          }
          return { bias: 0, stabilizer, dropped };
        },
      };
    },
  };
}

/** Mean of each window. */
export const averagePool2d: OpKind<"averagePool2d"> = {
  sign: "keeps",
  outputShape(node, inputs) {
    const where = `averagePool2d "${node.name}"`;
    const [channels = 0, height = 0, width = 0] = requireImage(where, inputs[0] ?? []);
    return [channels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  build: (construction, node) =>
    buildAveragePool(construction, windowOf(`averagePool2d "${node.name}"`, node), node.countIncludePad ?? false),
};
