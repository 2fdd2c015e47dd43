import { type ConvSize, convOutput } from "./shapes.ts";

/** Some outputs of a convolution, in float64. */
export interface Sampled {
  /** Places in the output [outChannels,height,width]. */
  readonly places: readonly number[];
  readonly values: Float64Array;
}

/**
 * A convolution by its definition in float64, at `pixels` places spread over the image and all output channels there: the exact
 * answer where a whole image would take minutes.
 */
export function convolution64(size: ConvSize, weights: Float32Array, input: Float32Array, pixels: number): Sampled {
  const { channels, height, width, outChannels, kernel, stride, pad, group } = size;
  const [outHeight, outWidth] = [convOutput(size, height), convOutput(size, width)];
  const area = outHeight * outWidth;
  const count = Math.min(pixels, area);
  const perGroup = { in: channels / group, out: outChannels / group };
  const places: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    // Spread by the golden section, so that rows, columns and places within a tile all vary.
    const pixel = count === area ? i : Math.floor(((i * 0.6180339887498949) % 1) * area);
    const [y, x] = [Math.floor(pixel / outWidth) * stride - pad, (pixel % outWidth) * stride - pad];
    for (let m = 0; m < outChannels; m++) {
      const firstChannel = Math.floor(m / perGroup.out) * perGroup.in;
      let sum = 0;
      for (let c = 0; c < perGroup.in; c++) {
        for (let ky = Math.max(0, -y); ky < Math.min(kernel, height - y); ky++) {
          const row = ((firstChannel + c) * height + y + ky) * width + x;
          const taps = ((m * perGroup.in + c) * kernel + ky) * kernel;
          for (let kx = Math.max(0, -x); kx < Math.min(kernel, width - x); kx++)
            sum += weights[taps + kx]! * input[row + kx]!;
        }
      }
      places.push(m * area + pixel);
      values.push(sum);
    }
  }
  return { places, values: Float64Array.from(values) };
}
