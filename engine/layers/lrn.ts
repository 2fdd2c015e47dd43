import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { copyValues } from "../memory/copy.ts";
import { imageArgs, named } from "../memory/named.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import type { LrnRule } from "../rules/rules.ts";
import { type Construction, type LayerKind, type LayerRuntime, type NodeOf, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";
import { requireImage } from "./max-pool2d.ts";

/** The kernel's kind of messages and what they are divided by; see lrnRelevanceShares. */
const messages = {
  taylor: { kind: 0, normalize: 1 },
  caffeToolbox: { kind: 0, normalize: 0 },
  epsilon: { kind: 1, normalize: 2 },
  gradient: { kind: 2, normalize: 0 },
} satisfies Record<Exclude<LrnRule, "identity">, { kind: number; normalize: number }>;

function buildLrn(construction: Construction, node: NodeOf<"lrn">): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split } = kernels;
  const x = mustHave(inputs[0], "input");
  const { size, beta, bias, alpha } = node;
  const across = node.region === "withinChannel" ? 0 : 1;
  const alphaOverN = alpha / (across ? size : size * size);
  return {
    forward() {
      split(
        "lrnForward",
        x.height,
        ...named("lrnForward", imageArgs("y", y), imageArgs("x", x), {
          inH: x.height,
          inW: x.width,
          channels: x.channels,
          size,
          across,
          alphaOverN,
          beta,
          k: bias,
        }),
      );
    },
    ruleName: (rules) => rules.lrn,
    prepareRelevance({ relevance: r, inputRelevance, rules }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      const count = r.height * r.rowStride;
      if (rules.lrn === "identity") {
        return {
          scratchBytes: [],
          run() {
            copyValues(kernels, dx.address, r.address, count);
            return nothingLost;
          },
        };
      }
      const { kind, normalize } = messages[rules.lrn];
      const stabilizer = rules.lrn === "epsilon" ? rules.normStabilizer : 0;
      const scratch = new Scratch();
      const [ownShares, neighbourShares] = [scratch.reserve(4 * count), scratch.reserve(4 * count)];
      return {
        scratchBytes: scratch.bytes,
        run(addresses) {
          const [own, neighbour] = [ownShares(addresses), neighbourShares(addresses)];
          split(
            "lrnRelevanceShares",
            x.height,
            ...named("lrnRelevanceShares", imageArgs("x", x), {
              ownShare: own,
              neighbourShare: neighbour,
              r: r.address,
              inH: x.height,
              inW: x.width,
              channels: x.channels,
              size,
              across,
              alphaOverN,
              beta,
              k: bias,
              kind,
              normalize,
              stabilizer,
            }),
          );
          split(
            "lrnRelevanceGather",
            x.height,
            ...named("lrnRelevanceGather", imageArgs("x", x), {
              dx: dx.address,
              ownShare: own,
              neighbourShare: neighbour,
              inH: x.height,
              inW: x.width,
              channels: x.channels,
              size,
              across,
              kind,
            }),
          );
          // taylor drops the relevance of outputs that are 0; the others do not promise to conserve.
          return bookTheRest;
        },
      };
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
