import type { Pads, Pair } from "../../engine/graph/definition.ts";
import { windowCount } from "./sizes.ts";

/** Everything that decides which input meets which weight: one image [C,H,W], weights OIHW. */
export interface Conv2dGeometry {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly group: number;
}

/** [M,OH,OW] of a convolution. */
export function conv2dOutputShape(g: Conv2dGeometry): [number, number, number] {
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
      false,
    );
  return [g.outChannels, axis(0, g.height), axis(1, g.width)];
}

/**
 * Visits every product of the convolution's formula once, outputs in order:
 *   y[m,oy,ox] = b[m] + sum over c,i,j of w[m,c,i,j] * x[g*C/group + c, oy*sh - top + i*dh, ox*sw - left + j*dw]
 * @param visit gets the flat indices of y, x and w. Positions in the padding are left out: x is 0 there.
 */
export function forEachConv2dTap(
  g: Conv2dGeometry,
  visit: (outIndex: number, inIndex: number, weightIndex: number) => void,
): void {
  const [outChannels, outHeight, outWidth] = conv2dOutputShape(g);
  const [kernelHeight, kernelWidth] = g.kernelShape;
  const inPerGroup = g.channels / g.group;
  const outPerGroup = outChannels / g.group;
  for (let m = 0; m < outChannels; m++) {
    const firstChannel = Math.floor(m / outPerGroup) * inPerGroup;
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        for (let c = 0; c < inPerGroup; c++) {
          for (let i = 0; i < kernelHeight; i++) {
            const y = oy * g.strides[0] - g.pads[0] + i * g.dilations[0];
            if (y < 0 || y >= g.height) continue;
            for (let j = 0; j < kernelWidth; j++) {
              const x = ox * g.strides[1] - g.pads[1] + j * g.dilations[1];
              if (x < 0 || x >= g.width) continue;
              visit(
                (m * outHeight + oy) * outWidth + ox,
                ((firstChannel + c) * g.height + y) * g.width + x,
                ((m * inPerGroup + c) * kernelHeight + i) * kernelWidth + j,
              );
            }
          }
        }
      }
    }
  }
}

/** Convolution of one image in float64. `bias` undefined is no bias. */
export function conv2d(
  g: Conv2dGeometry,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Float64Array {
  const [outChannels, outHeight, outWidth] = conv2dOutputShape(g);
  const y = new Float64Array(outChannels * outHeight * outWidth);
  if (bias !== undefined) for (let o = 0; o < y.length; o++) y[o] = bias[Math.floor(o / (outHeight * outWidth))]!;
  forEachConv2dTap(g, (o, i, k) => {
    y[o]! += weight[k]! * x[i]!;
  });
  return y;
}

/** Adjoint of the convolution without bias: dx[i] = sum of w * dy over all outputs that read x[i]. */
export function conv2dInputGrad(g: Conv2dGeometry, dy: ArrayLike<number>, weight: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(g.channels * g.height * g.width);
  forEachConv2dTap(g, (o, i, k) => {
    dx[i]! += weight[k]! * dy[o]!;
  });
  return dx;
}

/** Sum of |w x| (+ |b|) per output: what rounding errors of the forward pass are proportional to. */
export function conv2dMagnitude(
  g: Conv2dGeometry,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Float64Array {
  return conv2d(g, magnitudes(x), magnitudes(weight), bias === undefined ? undefined : magnitudes(bias));
}

/** Sum of |w dy| per input: what rounding errors of the input gradient are proportional to. */
export function conv2dInputGradMagnitude(
  g: Conv2dGeometry,
  dy: ArrayLike<number>,
  weight: ArrayLike<number>,
): Float64Array {
  return conv2dInputGrad(g, magnitudes(dy), magnitudes(weight));
}

/** |values|. */
export function magnitudes(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values, Math.abs);
}
