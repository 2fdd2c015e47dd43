import * as kernel from "../../kernels-as/kernel-calls.js";
import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { type FeatureMap, type Pixels, pixelsAt } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import type { InputVanishing, LayerRuntime, RelevanceContext, RelevancePass } from "./layer-kind.ts";
import { addShares, bookTheRest, type LedgerTerms, shareBytes } from "./ledger.ts";
import { noGate } from "./rectify.ts";

// Layers that sum their inputs with fixed weights: additions, mean pooling, resampling.

/** x over the sum of x is 0 where x is; a derivative knows nothing of x. */
export function sumVanishing(_node: unknown, { sum }: LayerRules): InputVanishing {
  return sum === "norm" ? "always" : "never";
}

/** Reserves and computes R / (sum + stabiliser), the epsilon rule's share of a unit of input, in the layout of R. */
export function prepareRatios(
  kernels: Kernels,
  { relevance: r, rules }: RelevanceContext,
  y: FeatureMap,
  scratch: Scratch,
): (addresses: readonly number[]) => { readonly ratios: Pixels; readonly lost: LedgerTerms } {
  const ratiosAt = scratch.reserve(4 * r.height * r.rowStride);
  const shares = scratch.reserve(shareBytes(y.height));
  return (addresses) => {
    const [ratios, ledger] = [pixelsAt(r, ratiosAt(addresses)), shares(addresses)];
    kernel.ratio(kernels, y.height, {
      s: ratios,
      r,
      z: y,
      g: noGate,
      bias: 0,
      ledger,
      length: y.width * y.channels,
      channels: y.channels,
      coefficient: 1,
      stabilizer: rules.normStabilizer,
      signedStabilizer: 1,
      gateSign: 0,
    });
    return { ratios, lost: addShares({ bias: 0, stabilizer: 0, dropped: 0 }, kernels.arena, ledger, y.height) };
  };
}

/** dx = x * c. */
export function multiplyInput(kernels: Kernels, dx: FeatureMap, x: FeatureMap, c: Pixels): void {
  const length = x.width * x.channels;
  kernel.multiply(kernels, x.height, { out: dx, x, c, sums: 0, length, factor: 1, accumulate: 0 });
}

/** A layer that sums its one input with fixed weights, as kernels. */
export interface SumKernels {
  forward(): void;
  /** Adds W^T s to `out`. */
  inputGrad(out: Pixels, s: Pixels): void;
}

/** A layer that sums its one input with fixed weights: x over the sum of x, or the gradient. */
export function sumRelevance(kernels: Kernels, x: FeatureMap, y: FeatureMap, sum: SumKernels): LayerRuntime {
  return {
    forward: sum.forward,
    ruleName: (rules) => rules.sum,
    prepareRelevance(context) {
      const dx = mustHave(context.inputRelevance[0], "relevance of the input");
      const inputGrad = (out: Pixels, s: Pixels): void => {
        kernels.split("fill", dx.height * dx.rowStride, out.address, 0);
        sum.inputGrad(out, s);
      };
      return hasRuleLibrary && context.rules.sum === "gradient"
        ? gradientPass(() => inputGrad(dx, context.relevance))
        : prepareNorm(kernels, context, x, y, inputGrad);
    },
  };
}

/** The pass of a derivative, which does not say where relevance went. */
export function gradientPass(run: () => void): RelevancePass {
  return {
    scratchBytes: [],
    run() {
      run();
      return bookTheRest;
    },
  };
}

/** R_i = x_i w_i * R / (sum + stabiliser), summed over windows: the epsilon rule. */
function prepareNorm(
  kernels: Kernels,
  context: RelevanceContext,
  x: FeatureMap,
  y: FeatureMap,
  inputGrad: (out: Pixels, s: Pixels) => void,
): RelevancePass {
  const dx = mustHave(context.inputRelevance[0], "relevance of the input");
  const scratch = new Scratch();
  const ratiosOf = prepareRatios(kernels, context, y, scratch);
  const gradientAt = scratch.reserve(4 * dx.height * dx.rowStride);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      const { ratios, lost } = ratiosOf(addresses);
      const gradient = pixelsAt(dx, gradientAt(addresses));
      inputGrad(gradient, ratios);
      multiplyInput(kernels, dx, x, gradient);
      return lost;
    },
  };
}
