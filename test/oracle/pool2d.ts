import type { Pads, Pair } from "../../engine/graph/definition.ts";
import { windowCount } from "./sizes.ts";

/** A pooling of one image [C,H,W]. Average pooling has dilation 1. */
export interface Pool2dGeometry {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly ceilMode: boolean;
}

/** [C,OH,OW] of a pooling. */
export function pool2dOutputShape(g: Pool2dGeometry): [number, number, number] {
  const axis = (a: 0 | 1, size: number): number =>
    windowCount(
      {
        size,
        kernel: g.kernelShape[a],
        stride: g.strides[a],
        padBefore: g.pads[a],
        padAfter: g.pads[a + 2]!,
        dilation: g.dilations[a],
      },
      g.ceilMode,
    );
  return [g.channels, axis(0, g.height), axis(1, g.width)];
}

/** A window: its output's flat index, the flat indices of its inputs inside the image (row by row), and its full size. */
export interface PoolWindow {
  readonly outIndex: number;
  readonly inside: readonly number[];
  /** Positions inside image and pads: what countIncludePad divides by. Ceil mode can reach beyond the pads. */
  readonly paddedCount: number;
}

/** Visits every window, outputs in order. */
export function forEachWindow(g: Pool2dGeometry, visit: (window: PoolWindow) => void): void {
  const [channels, outHeight, outWidth] = pool2dOutputShape(g);
  for (let c = 0; c < channels; c++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const inside: number[] = [];
        let paddedCount = 0;
        for (let i = 0; i < g.kernelShape[0]; i++) {
          const y = oy * g.strides[0] - g.pads[0] + i * g.dilations[0];
          if (y >= g.height + g.pads[2]) continue;
          for (let j = 0; j < g.kernelShape[1]; j++) {
            const x = ox * g.strides[1] - g.pads[1] + j * g.dilations[1];
            if (x >= g.width + g.pads[3]) continue;
            paddedCount++;
            if (y >= 0 && y < g.height && x >= 0 && x < g.width) inside.push((c * g.height + y) * g.width + x);
          }
        }
        visit({ outIndex: (c * outHeight + oy) * outWidth + ox, inside, paddedCount });
      }
    }
  }
}

/** Largest value per window and the flat input index of its first occurrence, row by row. */
export interface MaxPoolResult {
  readonly values: Float64Array;
  readonly winners: Int32Array;
}

/** Max pooling; padding never wins. A window wholly in the padding has value -Infinity and winner -1. */
export function maxPool2d(g: Pool2dGeometry, x: ArrayLike<number>): MaxPoolResult {
  const [channels, outHeight, outWidth] = pool2dOutputShape(g);
  const values = new Float64Array(channels * outHeight * outWidth).fill(Number.NEGATIVE_INFINITY);
  const winners = new Int32Array(values.length).fill(-1);
  forEachWindow(g, ({ outIndex, inside }) => {
    for (const i of inside) {
      if (x[i]! > values[outIndex]!) {
        values[outIndex] = x[i]!;
        winners[outIndex] = i;
      }
    }
  });
  return { values, winners };
}

/** How a max pooling's relevance finds its way back. */
export type MaxPoolMode = "winner" | "tiesShared" | "proportional" | "overwrite";

/**
 * Relevance (or, for "winner", gradient) through a max pooling.
 *   winner: all to the first largest value; several windows with the same winner add up
 *   tiesShared: equally to all values equal to the largest
 *   proportional: R_i = sum over windows of x_i / s(sum of the window's x) * R, s(z) = z + stabilizer * sign(z), sign(0) = 1; nothing where s is 0
 *   overwrite: as winner, but of windows with the same winner only the last one (row by row) counts (max_unpool2d)
 */
export function maxPool2dRelevance(
  g: Pool2dGeometry,
  x: ArrayLike<number>,
  relevance: ArrayLike<number>,
  mode: MaxPoolMode,
  stabilizer = 1e-6,
): Float64Array {
  const result = new Float64Array(g.channels * g.height * g.width);
  const { values, winners } = maxPool2d(g, x);
  forEachWindow(g, ({ outIndex: o, inside }) => {
    const r = relevance[o]!;
    const winner = winners[o]!;
    if (winner < 0) return;
    if (mode === "winner") {
      result[winner]! += r;
    } else if (mode === "overwrite") {
      result[winner] = r;
    } else if (mode === "tiesShared") {
      const tied = inside.filter((i) => x[i] === values[o]);
      for (const i of tied) result[i]! += r / tied.length;
    } else {
      const sum = inside.reduce((partial, i) => partial + x[i]!, 0);
      const denominator = sum + (sum < 0 ? -stabilizer : stabilizer);
      if (denominator !== 0) for (const i of inside) result[i]! += (x[i]! / denominator) * r;
    }
  });
  return result;
}

/**
 * Visits every product of an average pooling: y = sum of x / divisor.
 * @param countIncludePad divide by the positions inside image and pads instead of those inside the image alone
 * Source: PyTorch, avg_pool2d in aten/src/ATen/native/cpu/AvgPoolKernel.cpp; ONNX opset 19 agrees.
 */
export function forEachAverageTap(
  g: Pool2dGeometry,
  countIncludePad: boolean,
  visit: (outIndex: number, inIndex: number, weight: number) => void,
): void {
  forEachWindow(g, ({ outIndex, inside, paddedCount }) => {
    const divisor = countIncludePad ? paddedCount : inside.length;
    for (const i of inside) visit(outIndex, i, 1 / divisor);
  });
}

/** Average pooling; a window wholly in the padding is 0. */
export function averagePool2d(g: Pool2dGeometry, countIncludePad: boolean, x: ArrayLike<number>): Float64Array {
  const [channels, outHeight, outWidth] = pool2dOutputShape(g);
  const y = new Float64Array(channels * outHeight * outWidth);
  forEachAverageTap(g, countIncludePad, (o, i, weight) => {
    y[o]! += weight * x[i]!;
  });
  return y;
}

/** The whole image as one window. */
export function globalWindow(channels: number, height: number, width: number): Pool2dGeometry {
  return {
    channels,
    height,
    width,
    kernelShape: [height, width],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    ceilMode: false,
  };
}
