import { mustHave } from "../basics/must-have.ts";
import { outputSize, type Window, windowOf } from "../graph/window.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import { imageArgs, named, rowArgs, windowArgs } from "../memory/named.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import {
  type Construction,
  type InputVanishing,
  type LayerKind,
  type LayerRuntime,
  noParameters,
} from "./layer-kind.ts";
import { addShares, bookTheRest, shareBytes } from "./ledger.ts";
import { requireImage } from "./max-pool2d.ts";

/** Layers that sum: x over the sum of x is 0 where x is; a derivative knows nothing of x. */
export function sumVanishing(_node: unknown, { sum }: LayerRules): InputVanishing {
  return sum === "norm" ? "always" : "never";
}

/** A layer that sums its input with fixed weights, as kernels. */
export interface SumKernels {
  forward(): void;
  /** Adds W^T s, for s in the layout of `relevance`, to `out`, in that of `dx`. */
  inputGrad(out: number, dx: FeatureMap, s: number, relevance: FeatureMap): void;
}

/** A layer that sums its input with fixed weights: x over the sum of x, or the gradient. */
export function sumRelevance(kernels: Kernels, x: FeatureMap, y: FeatureMap, sum: SumKernels): LayerRuntime {
  const { split, arena } = kernels;
  return {
    forward: sum.forward,
    ruleName: (rules) => rules.sum,
    prepareRelevance({ relevance: r, inputRelevance, rules }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      const inputGrad = (out: number, s: number): void => {
        split("fill", dx.height * dx.rowStride, out, 0);
        sum.inputGrad(out, dx, s, r);
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
      const scratch = new Scratch();
      const ratios = scratch.reserve(4 * r.height * r.rowStride);
      const gradient = scratch.reserve(4 * dx.height * dx.rowStride);
      const shares = scratch.reserve(shareBytes(y.height));
      return {
        scratchBytes: scratch.bytes,
        run(addresses) {
          const [s, c, ledger] = [ratios(addresses), gradient(addresses), shares(addresses)];
          // R_i = x_i w_i * R / (sum + stabiliser), summed over windows: the epsilon rule.
          split(
            "ratio",
            y.height,
            ...named("ratio", rowArgs("r", r), rowArgs("z", y), {
              s,
              sRow: r.rowStride,
              g: 0,
              gRow: 0,
              bias: 0,
              ledger,
              length: y.width * y.channels,
              channels: y.channels,
              coefficient: 1,
              stabilizer: rules.normStabilizer,
              signedStabilizer: 1,
              gateSign: 0,
            }),
          );
          inputGrad(c, s);
          split(
            "multiply",
            x.height,
            ...named("multiply", rowArgs("out", dx), rowArgs("x", x), {
              c,
              cRow: dx.rowStride,
              sums: 0,
              length: x.width * x.channels,
              factor: 1,
              accumulate: 0,
            }),
          );
          return addShares({ bias: 0, stabilizer: 0, dropped: 0 }, arena, ledger, y.height);
        },
      };
    },
  };
}

/** Average pooling over an explicit window; global average pooling is the window as large as the image. */
export function buildAveragePool(construction: Construction, window: Window, countIncludePad: boolean): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split } = kernels;
  const x = mustHave(inputs[0], "input");
  const include = countIncludePad ? 1 : 0;
  return sumRelevance(kernels, x, y, {
    forward() {
      split(
        "averagePool2dForward",
        y.height,
        ...named("averagePool2dForward", imageArgs("y", y), imageArgs("x", x), windowArgs(window), {
          inH: x.height,
          inW: x.width,
          outW: y.width,
          channels: y.channels,
          includePad: include,
        }),
      );
    },
    inputGrad(out, dx, s, r) {
      split(
        "averagePool2dInputGrad",
        x.channels,
        ...named("averagePool2dInputGrad", imageArgs("dx", dx, out), imageArgs("dy", r, s), windowArgs(window), {
          inH: x.height,
          inW: x.width,
          outH: y.height,
          outW: y.width,
          includePad: include,
        }),
      );
    },
  });
}

/** Mean of each window. */
export const averagePool2d: LayerKind<"averagePool2d"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: sumVanishing,
  outputShape(node, inputs) {
    const where = `averagePool2d "${node.name}"`;
    const [channels, height, width] = requireImage(where, mustHave(inputs[0], "input"));
    return [channels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  build: (construction, node) =>
    buildAveragePool(construction, windowOf(`averagePool2d "${node.name}"`, node), node.countIncludePad ?? false),
};
