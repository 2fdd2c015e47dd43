import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { copyValues } from "../memory/copy.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import type { LrnRule } from "../rules/rules.ts";
import {
  type Construction,
  type LayerKind,
  type LayerRuntime,
  type NodeOf,
  noParameters,
  type RelevanceContext,
  type RelevancePass,
} from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";
import { requireImage } from "./max-pool2d.ts";

/** The kernel's kind of messages and what they are divided by; see lrnRelevanceShares. */
const messages = {
  taylor: { kind: 0, normalize: 1 },
  caffeToolbox: { kind: 0, normalize: 0 },
  epsilon: { kind: 1, normalize: 2 },
  gradient: { kind: 2, normalize: 0 },
} satisfies Record<Exclude<LrnRule, "identity">, { kind: number; normalize: number }>;

/** How the kernels are told of the layer. */
interface LrnArguments {
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly size: number;
  readonly across: 0 | 1;
  readonly alphaOverN: number;
  readonly beta: number;
  readonly k: number;
}

function lrnArguments({ size, beta, bias, alpha, region }: NodeOf<"lrn">, x: FeatureMap): LrnArguments {
  const across = region === "withinChannel" ? 0 : 1;
  const alphaOverN = alpha / (across ? size : size * size);
  return { inH: x.height, inW: x.width, channels: x.channels, size, across, alphaOverN, beta, k: bias };
}

function buildLrn({ kernels, inputs, output: y }: Construction, node: NodeOf<"lrn">): LayerRuntime {
  const x = mustHave(inputs[0], "input");
  const args = lrnArguments(node, x);
  return {
    forward() {
      kernel.lrnForward(kernels, x.height, { y, x, ...args });
    },
    ruleName: (rules) => rules.lrn,
    prepareRelevance(context) {
      const { relevance: r, inputRelevance, rules } = context;
      if (rules.lrn !== "identity") return prepareMessages(kernels, context, rules.lrn, x, args);
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      return {
        scratchBytes: [],
        run() {
          copyValues(kernels, dx.address, r.address, r.height * r.rowStride);
          return nothingLost;
        },
      };
    },
  };
}

/** Every output hands a share to its own input and shares to its neighbours; every input gathers what it is handed. */
function prepareMessages(
  kernels: Kernels,
  { relevance: r, inputRelevance, rules }: RelevanceContext,
  rule: keyof typeof messages,
  x: FeatureMap,
  args: LrnArguments,
): RelevancePass {
  const dx = mustHave(inputRelevance[0], "relevance of the input").address;
  const { kind, normalize } = messages[rule];
  const stabilizer = rule === "epsilon" ? rules.normStabilizer : 0;
  const scratch = new Scratch();
  const bytes = 4 * r.height * r.rowStride;
  const [own, neighbour] = [scratch.reserve(bytes), scratch.reserve(bytes)];
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      const shares = { x, ownShare: own(addresses), neighbourShare: neighbour(addresses), kind };
      kernel.lrnRelevanceShares(kernels, x.height, { ...args, ...shares, r: r.address, normalize, stabilizer });
      kernel.lrnRelevanceGather(kernels, x.height, { ...args, ...shares, dx });
      // taylor drops the relevance of outputs that are 0; the others do not promise to conserve.
      return bookTheRest;
    },
  };
}

/** Local response normalisation, across channels or within a channel. */
export const lrn: LayerKind<"lrn"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: (_node, { lrn }) => (lrn === "gradient" ? "never" : "withOutput"),
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
    return requireImage(where, mustHave(inputs[0], "input"));
  },
  build: buildLrn,
};
