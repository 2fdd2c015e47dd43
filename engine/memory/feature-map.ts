import type { Shape } from "../basics/tensor.ts";
import type { Pads } from "../graph/definition.ts";
import type { Arena } from "./arena.ts";

/**
 * An image in kernel memory: NHWC, one batch entry, with a border of zeros that the consumer's padding reads. A vector [F]
 * is an image of one pixel with F channels. Strides are in elements.
 */
export interface FeatureMap {
  /** Address of pixel (0,0), channel 0. */
  readonly address: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rowStride: number;
  readonly pixelStride: number;
  readonly border: Pads;
}

/** Where the pixels of an image lie, as the kernels are told. */
export type Pixels = Pick<FeatureMap, "address" | "rowStride" | "pixelStride">;

/** The same strides from another address on: a group's channels, or what the first tap of a convolution reads. */
export function pixelsAt({ rowStride, pixelStride }: FeatureMap, address: number): Pixels {
  return { address, rowStride, pixelStride };
}

export const noBorder: Pads = [0, 0, 0, 0];

/** Height, width and channels of a shape [C,H,W] or [F]. */
export function imageSize(shape: Shape): { height: number; width: number; channels: number } {
  const [channels = 1, height = 1, width = 1] = shape;
  return { channels, height, width };
}

/** Bytes that an image with this border occupies. */
export function featureMapBytes(shape: Shape, border: Pads): number {
  const { channels, height, width } = imageSize(shape);
  return 4 * channels * (height + border[0] + border[2]) * (width + border[1] + border[3]);
}

/** Describes an image whose memory, border included, begins at `base`. */
export function featureMapAt(base: number, shape: Shape, border: Pads): FeatureMap {
  const { channels, height, width } = imageSize(shape);
  const rowStride = (width + border[1] + border[3]) * channels;
  const address = base + 4 * (border[0] * rowStride + border[1] * channels);
  return { address, height, width, channels, rowStride, pixelStride: channels, border };
}

/** Reserves a zeroed image. */
export function allocateFeatureMap(arena: Arena, shape: Shape, border: Pads): FeatureMap {
  return featureMapAt(arena.allocate(featureMapBytes(shape, border)), shape, border);
}

/** The smallest border that contains all the given ones. */
export function widestBorder(borders: readonly Pads[]): Pads {
  const at = (side: 0 | 1 | 2 | 3): number => Math.max(0, ...borders.map((border) => border[side]));
  return [at(0), at(1), at(2), at(3)];
}
