import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape } from "../basics/tensor.ts";
import { outputSize, type Window, windowOf } from "../graph/window.ts";
import { imageArgs, named, windowArgs } from "../memory/named.ts";
import type { MaxPoolRule } from "../rules/rules.ts";
import { type Construction, type LayerKind, type LayerRuntime, noParameters } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";
import { NearTies, routeToWinners } from "./near-ties.ts";

/** The kernel's number for each mode. */
const modes = { winner: 0, shared: 1, proportional: 2, overwrite: 3 } satisfies Record<MaxPoolRule, number>;

/**
 * @throws ShapeError unless the input is an image [C,H,W]
 */
export function requireImage(where: string, input: Shape): readonly [channels: number, height: number, width: number] {
  const [channels, height, width, ...more] = input;
  if (channels === undefined || height === undefined || width === undefined || more.length > 0) {
    throw new ShapeError(`${where}: needs an image [C,H,W], got ${formatShape(input)}.`);
  }
  return [channels, height, width];
}

/** Max pooling over an explicit window; global max pooling is the window as large as the image. */
export function buildMaxPool({ kernels, inputs, sources, output }: Construction, window: Window): LayerRuntime {
  const { split } = kernels;
  const x = mustHave(inputs[0], "input");
  const y = output;
  const [kh, kw] = window.kernelShape;
  const [sh, sw] = window.strides;
  const [dh, dw] = window.dilations;
  const [top, left, bottom, right] = window.pads;
  // Windows side by side that cover the input: each position belongs to one.
  const isTiling =
    [sh - kh, sw - kw, top, left, bottom, right].every((n) => n === 0) &&
    [dh, dw].every((dilation) => dilation === 1) &&
    x.height === y.height * kh &&
    x.width === y.width * kw;
  const hasEmptyWindows = Math.max(top, bottom) > (kh - 1) * dh || Math.max(left, right) > (kw - 1) * dw;
  const exact = sources[0]?.exact;
  const nearTies = exact && new NearTies(kernels, window, x, y, exact);
  return {
    forward() {
      nearTies?.forget();
      split(
        "maxPool2dForward",
        y.height,
        ...named("maxPool2dForward", {
          ...imageArgs("y", y),
          ...imageArgs("x", x),
          inH: x.height,
          inW: x.width,
          outW: y.width,
          channels: y.channels,
          ...windowArgs(window),
        }),
      );
    },
    ruleName: (rules) => rules.maxPool,
    prepareRelevance({ relevance: r, inputRelevance, rules }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      const hasOneWinner = rules.maxPool === "winner" || rules.maxPool === "overwrite";
      const scatter = (): void => {
        if (isTiling && hasOneWinner) {
          split(
            "maxPool2dRoute",
            y.height,
            ...named("maxPool2dRoute", {
              ...imageArgs("dx", dx),
              ...imageArgs("dy", r),
              ...imageArgs("x", x),
              ...imageArgs("y", y),
              channels: y.channels,
              outW: y.width,
              kh,
              kw,
            }),
          );
          return;
        }
        split("fill", dx.height * dx.rowStride, dx.address, 0);
        split(
          "maxPool2dScatter",
          x.channels,
          ...named("maxPool2dScatter", {
            ...imageArgs("dx", dx),
            ...imageArgs("dy", r),
            ...imageArgs("x", x),
            ...imageArgs("y", y),
            mode: modes[rules.maxPool],
            inH: x.height,
            inW: x.width,
            outH: y.height,
            outW: y.width,
            ...windowArgs(window),
          }),
        );
      };
      // Where windows overwrite one another or share, nothing can be moved afterwards.
      const settles = rules.maxPool === "winner" || (isTiling && hasOneWinner);
      // proportional drops windows that sum to 0, overwrite loses what a later window overwrites, and a window that lies in the
      // padding alone has nowhere to put its relevance.
      const conserves = rules.maxPool === "winner" || rules.maxPool === "shared" || (isTiling && hasOneWinner);
      return {
        scratchBytes: [],
        run() {
          if (settles && nearTies) routeToWinners(kernels, nearTies.winners, r, dx, scatter);
          else scatter();
          return conserves && !hasEmptyWindows ? nothingLost : bookTheRest;
        },
      };
    },
  };
}

/** Largest value of each window. */
export const maxPool2d: LayerKind<"maxPool2d"> = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  // Where the maximum is 0 every winner is; shares of x / sum are 0 where x is.
  inputVanishing: () => "withOutput",
  outputShape(node, inputs) {
    const where = `maxPool2d "${node.name}"`;
    const [channels, height, width] = requireImage(where, mustHave(inputs[0], "input"));
    return [channels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  build: (construction, node) => buildMaxPool(construction, windowOf(`maxPool2d "${node.name}"`, node)),
};
