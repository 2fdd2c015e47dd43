import { ShapeError, UnsupportedError } from "../basics/errors.ts";
import { formatShape, type Shape, type Tensor } from "../basics/tensor.ts";
import type { Preprocessing } from "../graph/definition.ts";
import { checkImage, createImage, formatSize, type Image, onWhite } from "./image.ts";
import { resizeAndCrop } from "./resize.ts";

/** What a network is shown: its input tensor [3,H,W] and the same as a picture, for overlays. */
export interface NetworkInput {
  readonly tensor: Tensor;
  /** The resized and cropped 8-bit picture, H x W, before scale, mean and standard deviation. */
  readonly picture: Image;
}

/** Python's round(): to nearest, ties to even. Centre crops of odd margins depend on it. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Puts transparency on white (as Node's decoders and web pages' pixels both need it), then resizes and crops a photo the way torchvision's Resize and CenterCrop do on a Pillow picture.
 *   shorter: the shorter side becomes resizeTo, the longer floor(resizeTo * long / short); crop at round((side - size) / 2)
 *   squash: both sides become resizeTo
 * @param inputShape [3,H,W]
 * @throws ShapeError when `resize` is "none" and the photo does not fit, or the resized photo is smaller than the crop.
 */
export function fitPhoto(photo: Image, preprocessing: Preprocessing, inputShape: Shape): Image {
  checkImage(photo);
  const [channels, height, width] = inputShape;
  if (inputShape.length !== 3 || channels !== 3 || height === undefined || width === undefined) {
    throw new UnsupportedError(
      `preprocess: photos fit networks with input [3,H,W], this one has ${formatShape(inputShape)}. Give a .npy tensor instead.`,
    );
  }
  const { resize, resizeTo } = preprocessing;
  let resizedWidth = photo.width;
  let resizedHeight = photo.height;
  switch (resize) {
    case "none":
      if (photo.width !== width || photo.height !== height) {
        throw new ShapeError(
          `preprocess: this network takes photos of ${width}x${height} pixels as they are, got ${formatSize(photo)}. Resize the photo first.`,
        );
      }
      break;
    case "squash":
      resizedWidth = resizeTo;
      resizedHeight = resizeTo;
      break;
    case "shorter":
      if (photo.width <= photo.height) {
        resizedWidth = resizeTo;
        resizedHeight = Math.trunc((resizeTo * photo.height) / photo.width);
      } else {
        resizedWidth = Math.trunc((resizeTo * photo.width) / photo.height);
        resizedHeight = resizeTo;
      }
      break;
    default:
      resize satisfies never;
  }
  if (resizedWidth < width || resizedHeight < height) {
    throw new ShapeError(
      `preprocess: resizeTo ${resizeTo} makes ${resizedWidth}x${resizedHeight} pixels, less than the network's ${width}x${height}. Correct the network's preprocessing.`,
    );
  }
  return resizeAndCrop(onWhite(photo), resizedWidth, resizedHeight, {
    left: roundHalfEven((resizedWidth - width) / 2),
    top: roundHalfEven((resizedHeight - height) / 2),
    width,
    height,
  });
}

/**
 * Turns a photo into a network's input: fit (see `fitPhoto`), then (pixel * scale - mean[c]) / std[c], computed in double
 * and rounded to float32 once, channels in `channelOrder`.
 * @throws ShapeError, UnsupportedError as `fitPhoto` does
 */
export function preprocess(photo: Image, preprocessing: Preprocessing, inputShape: Shape): NetworkInput {
  const picture = fitPhoto(photo, preprocessing, inputShape);
  const { scale, mean, std, channelOrder } = preprocessing;
  if (mean.length !== 3 || std.length !== 3) {
    throw new ShapeError(
      `preprocess: mean and std must have 3 values, got ${mean.length} and ${std.length}. Correct the network's preprocessing.`,
    );
  }
  const pixels = picture.width * picture.height;
  const data = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const byte = channelOrder === "rgb" ? channel : 2 - channel;
    const values = Float32Array.from({ length: 256 }, (_, pixel) => (pixel * scale - mean[channel]!) / std[channel]!);
    for (let i = 0; i < pixels; i++) data[channel * pixels + i] = values[picture.data[i * 4 + byte]!]!;
  }
  return { tensor: { shape: inputShape, data }, picture };
}

/**
 * The picture that a preprocessed tensor [3,H,W] came from, as far as 8 bits can show it: round((value * std + mean) / scale),
 * clipped to 0..255. For looking at inputs that were never a photo.
 * @throws UnsupportedError when the tensor does not have 3 channels
 */
export function pictureOf({ shape, data }: Tensor, preprocessing: Preprocessing): Image {
  const [channels, height = 0, width = 0] = shape;
  if (shape.length !== 3 || channels !== 3) {
    throw new UnsupportedError(
      `preprocess: only tensors [3,H,W] can be shown as a picture, got ${formatShape(shape)}.`,
    );
  }
  const { scale, mean, std, channelOrder } = preprocessing;
  const picture = createImage(width, height);
  const pixels = width * height;
  for (let channel = 0; channel < 3; channel++) {
    const byte = channelOrder === "rgb" ? channel : 2 - channel;
    for (let i = 0; i < pixels; i++) {
      const value = Math.floor((data[channel * pixels + i]! * std[channel]! + mean[channel]!) / scale + 0.5);
      picture.data[i * 4 + byte] = Math.min(255, Math.max(0, value));
    }
  }
  return picture;
}
