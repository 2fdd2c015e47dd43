import { magnitudes } from "./conv2d.ts";

/** y = W x + b in float64, W [outFeatures, inFeatures]. */
export function dense(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  outFeatures: number,
): Float64Array {
  const y = new Float64Array(outFeatures);
  for (let j = 0; j < outFeatures; j++) {
    let sum = bias?.[j] ?? 0;
    for (let i = 0; i < x.length; i++) sum += weight[j * x.length + i]! * x[i]!;
    y[j] = sum;
  }
  return y;
}

/** dx = W^T dy. */
export function denseInputGrad(dy: ArrayLike<number>, weight: ArrayLike<number>, inFeatures: number): Float64Array {
  const dx = new Float64Array(inFeatures);
  for (let j = 0; j < dy.length; j++) {
    for (let i = 0; i < inFeatures; i++) dx[i]! += weight[j * inFeatures + i]! * dy[j]!;
  }
  return dx;
}

/** Sum of |w x| (+ |b|) per output. */
export function denseMagnitude(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  outFeatures: number,
): Float64Array {
  return dense(magnitudes(x), magnitudes(weight), bias === undefined ? undefined : magnitudes(bias), outFeatures);
}
