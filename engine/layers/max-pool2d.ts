import * as kernel from "../../kernels-as/kernel-calls.js";
import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape } from "../basics/tensor.ts";
import { outputSize, type Window, windowOf } from "../graph/window.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
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

/** Windows side by side that cover the input: each position belongs to one. */
function areTiles({ kernelShape, strides, pads, dilations }: Window, x: FeatureMap, y: FeatureMap): boolean {
  const [kh, kw] = kernelShape;
  return (
    [strides[0] - kh, strides[1] - kw, ...pads].every((n) => n === 0) &&
    dilations.every((dilation) => dilation === 1) &&
    x.height === y.height * kh &&
    x.width === y.width * kw
  );
}

/** The relevance of a pooling's output and where that of its input goes, beside the images that it pools. */
interface PoolImages {
  readonly x: FeatureMap;
  readonly y: FeatureMap;
  readonly dx: FeatureMap;
  readonly dy: FeatureMap;
}

/** Hands relevance to the winners of windows that are tiles. */
function route(kernels: Kernels, window: Window, images: PoolImages): void {
  const { height, width: outW, channels } = images.y;
  kernel.maxPool2dRoute(kernels, height, { ...images, window, channels, outW });
}

/** Hands relevance down by a rule, whatever the windows. */
function scatter(kernels: Kernels, window: Window, images: PoolImages, rule: MaxPoolRule): void {
  const { x, y, dx } = images;
  kernels.split("fill", dx.height * dx.rowStride, dx.address, 0);
  const sizes = { inH: x.height, inW: x.width, outH: y.height, outW: y.width };
  kernel.maxPool2dScatter(kernels, x.channels, { ...images, window, ...sizes, mode: modes[rule] });
}

/** Max pooling over an explicit window; global max pooling is the window as large as the image. */
export function buildMaxPool({ kernels, inputs, sources, output: y }: Construction, window: Window): LayerRuntime {
  const x = mustHave(inputs[0], "input");
  const [kh, kw] = window.kernelShape;
  const [dh, dw] = window.dilations;
  const [top, left, bottom, right] = window.pads;
  const isTiling = areTiles(window, x, y);
  const hasEmptyWindows = Math.max(top, bottom) > (kh - 1) * dh || Math.max(left, right) > (kw - 1) * dw;
  const exact = sources[0]?.exact;
  const nearTies = exact && new NearTies(kernels, window, x, y, exact);
  return {
    forward() {
      nearTies?.forget();
      const { channels, width: outW } = y;
      kernel.maxPool2dForward(kernels, y.height, { y, x, window, inH: x.height, inW: x.width, outW, channels });
    },
    ruleName: (rules) => rules.maxPool,
    prepareRelevance({ relevance: dy, inputRelevance, rules: { maxPool } }) {
      const images = { x, y, dx: mustHave(inputRelevance[0], "relevance of the input"), dy };
      const isRouted = isTiling && (maxPool === "winner" || maxPool === "overwrite");
      const handDown = (): void =>
        isRouted ? route(kernels, window, images) : scatter(kernels, window, images, maxPool);
      // Where windows overwrite one another or share, nothing can be moved afterwards.
      const settles = maxPool === "winner" || isRouted;
      // proportional drops windows that sum to 0, overwrite loses what a later window overwrites, and a window that lies in the
      // padding alone has nowhere to put its relevance.
      const conserves = maxPool === "winner" || maxPool === "shared" || isRouted;
      return {
        scratchBytes: [],
        run() {
          if (settles && nearTies) routeToWinners(kernels, nearTies.winners, dy, images.dx, handDown);
          else handDown();
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
  bounds: (_node, inputs) => inputs[0],
  // Where the maximum is 0 every winner is; shares of x / sum are 0 where x is.
  inputVanishing: () => "withOutput",
  outputShape(node, inputs) {
    const where = `maxPool2d "${node.name}"`;
    const [channels, height, width] = requireImage(where, mustHave(inputs[0], "input"));
    return [channels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  build: (construction, node) => buildMaxPool(construction, windowOf(`maxPool2d "${node.name}"`, node)),
};
