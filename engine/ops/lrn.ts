import { ShapeError } from "../errors.ts";
import { nothingLost } from "../ledger.ts";
import { requireImage } from "./max-pool2d.ts";
import type { Construction, LayerRuntime, NodeOf, OpKind } from "./op.ts";

function buildLrn(construction: Construction, node: NodeOf<"lrn">): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { call, arena } = kernels;
  const x = inputs[0];
  if (x === undefined) throw new ShapeError(`lrn "${node.name}": has no input.`);
  const { size, beta, bias, alpha } = node;
  const across = node.region === "withinChannel" ? 0 : 1;
  const alphaOverN = alpha / (across ? size : size * size);
  return {
    forward() {
      // biome-ignore format: one group of arguments a line
      call.lrnForward(y.address, y.rowStride, y.pixelStride, x.address, x.rowStride, x.pixelStride,
        x.height, x.width, x.channels, size, across, alphaOverN, beta, bias, 0, x.height);
    },
    ruleName: (rules) => rules.lrn,
    prepareRelevance({ relevance: r, inputRelevance: [dx], rules }) {
      if (dx === undefined) throw new ShapeError(`lrn "${node.name}": has no input.`);
      const count = r.height * r.rowStride;
      switch (rules.lrn) {
        case "identity":
          return {
            scratchBytes: [],
            run() {
              call.copyChannels(dx.address, 0, count, r.address, 0, count, 1, count, 0, 1);
              return nothingLost;
            },
          };
        case "taylor":
          return {
            scratchBytes: [4 * count, 4 * count, 8 * r.height],
            run([own = 0, neighbour = 0, sums = 0]) {
              // biome-ignore format: one group of arguments a line
              call.lrnRelevanceShares(own, neighbour, r.address, x.address, x.rowStride, x.pixelStride,
                x.height, x.width, x.channels, size, across, alphaOverN, beta, bias, 0, 1, 0, 0, x.height);
              // biome-ignore format: one group of arguments a line
              call.lrnRelevanceGather(dx.address, own, neighbour, x.address, x.rowStride, x.pixelStride,
                x.height, x.width, x.channels, size, across, 0, x.height);
              const total = (address: number): number => {
                call.sumRows(sums, address, r.rowStride, r.rowStride, 0, r.height);
                return arena.f64(sums, r.height).reduce((a, b) => a + b, 0);
              };
              // Relevance of an output that is 0 has nowhere to go.
              return { ...nothingLost, dropped: total(r.address) - total(dx.address) };
            },
          };
        default:
          return rules.lrn satisfies never;
      }
    },
  };
}

/** Local response normalisation, across channels or within a channel. */
export const lrn: OpKind<"lrn"> = {
  sign: "keeps",
  outputShape(node, inputs) {
    const where = `lrn "${node.name}"`;
    if (!Number.isSafeInteger(node.size) || node.size < 1 || node.size % 2 === 0) {
      throw new ShapeError(`${where}: size must be a positive odd integer, got ${node.size}.`);
    }
    if (![node.alpha, node.beta, node.bias].every(Number.isFinite) || node.bias <= 0 || node.alpha < 0) {
      throw new ShapeError(
        `${where}: needs finite alpha >= 0, beta and bias > 0, got alpha ${node.alpha}, beta ${node.beta}, bias ${node.bias}.`,
      );
    }
    return requireImage(where, inputs[0] ?? []);
  },
  build: buildLrn,
};
