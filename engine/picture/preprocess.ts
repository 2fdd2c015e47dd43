import { notInThisBuild, ShapeError, UnsupportedError } from "../basics/errors.ts";
import { hasGrayPhotos } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape, type Tensor } from "../basics/tensor.ts";
import type { Preprocessing } from "../graph/definition.ts";
import { checkPreprocessingNames } from "../graph/definition-names.ts";
import { checkImage, createImage, formatSize, type Image, onWhite, type Pixels } from "./image.ts";
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

/** What becomes of a photo on the way to a network: the size it is resized to, and where the network's input lies in that. */
export interface PhotoFit {
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How torchvision's Resize and CenterCrop fit a photo of this size into a network.
 *   shorter: the shorter side becomes resizeTo, the longer floor(resizeTo * long / short); crop at round((side - size) / 2)
 *   squash: both sides become resizeTo
 * @param inputShape [3,H,W]
 * @throws ShapeError when `resize` is "none" and the photo does not fit, or the resized photo is smaller than the crop;
 *   UnsupportedError for networks that do not take photos
 */
export function photoFit(
  photo: Pick<Pixels, "width" | "height">,
  preprocessing: Preprocessing,
  inputShape: Shape,
): PhotoFit {
  const [channels, height, width] = inputShape;
  if (inputShape.length !== 3 || (channels !== 3 && channels !== 1) || height === undefined || width === undefined) {
    throw new UnsupportedError(
      `preprocess: photos fit networks with input [3,H,W] or [1,H,W], this one has ${formatShape(inputShape)}. Give a .npy tensor instead.`,
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
    case "fit":
      resizedWidth = width;
      resizedHeight = height;
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
  return {
    resizedWidth,
    resizedHeight,
    left: roundHalfEven((resizedWidth - width) / 2),
    top: roundHalfEven((resizedHeight - height) / 2),
    width,
    height,
  };
}

/**
 * Puts transparency on white (as Node's decoders and web pages' pixels both need it), then resizes and crops a photo as `photoFit` says, the way torchvision
 * does on a Pillow picture.
 * @param inputShape [3,H,W]
 * @throws ShapeError, UnsupportedError as `photoFit` does
 */
export function fitPhoto(photo: Pixels, preprocessing: Preprocessing, inputShape: Shape): Image {
  checkImage(photo);
  const { resizedWidth, resizedHeight, ...crop } = photoFit(photo, preprocessing, inputShape);
  return resizeAndCrop(onWhite(photo), resizedWidth, resizedHeight, crop);
}

/**
 * Turns a photo into a network's input: fit (see `fitPhoto`), then (pixel * scale - mean[c]) / std[c], computed in double
 * and rounded to float32 once, channels in `channelOrder`. Networks of one channel see the photo in gray.
 * @throws UnsupportedError where nobody says how photos are prepared; ShapeError, UnsupportedError as `fitPhoto` does
 */
export function preprocess(photo: Pixels, preprocessing: Preprocessing | undefined, inputShape: Shape): NetworkInput {
  if (preprocessing === undefined) throw unknownPreprocessing();
  checkPreprocessingNames(preprocessing);
  const channels = mustHave(inputShape[0], "channels");
  if (!hasGrayPhotos && (channels === 1 || preprocessing.channelOrder === "gray"))
    throw notInThisBuild("preprocess: photos in gray");
  const own = forChannels(preprocessing, channels);
  const { scale, mean, std, channelOrder } = own;
  if (hasGrayPhotos && channels !== 1 && channelOrder === "gray") {
    throw new UnsupportedError(
      `preprocess: photos in gray are for networks of one channel, this one takes ${channels}. Name the order of its colours: rgb or bgr.`,
    );
  }
  const picture = fitPhoto(hasGrayPhotos && channelOrder === "gray" ? grayed(onWhite(photo)) : photo, own, inputShape);
  if (mean.length !== channels || std.length !== channels) {
    throw new ShapeError(
      `preprocess: mean and std must have ${channels} values, got ${mean.length} and ${std.length}. Correct the network's preprocessing.`,
    );
  }
  const pixels = picture.width * picture.height;
  const data = new Float32Array(channels * pixels);
  for (let channel = 0; channel < channels; channel++) {
    const byte = channelOrder === "bgr" ? 2 - channel : channel;
    const values = Float32Array.from({ length: 256 }, (_, pixel) => (pixel * scale - mean[channel]!) / std[channel]!);
    for (let i = 0; i < pixels; i++) data[channel * pixels + i] = values[picture.data[i * 4 + byte]!]!;
  }
  return { tensor: { shape: inputShape, data }, picture };
}

/** What to do where nobody says how photos are prepared; pages have a field instead. */
export const preprocessingAdvice: string =
  "Name the preprocessing (--preprocess), or give an input that is preprocessed already (.npy).";

/** The error for a photo where nobody says how photos are prepared. */
function unknownPreprocessing(): UnsupportedError {
  return new UnsupportedError(
    `preprocess: neither the weights nor you say how photos are prepared for this network. ${preprocessingAdvice}`,
  );
}

/** A way to prepare photos for a network of one channel, where its three channels are treated alike. */
function forChannels(preprocessing: Preprocessing, channels: number): Preprocessing {
  const { mean, std, channelOrder } = preprocessing;
  if (!hasGrayPhotos || channels !== 1 || channelOrder === "gray") return preprocessing;
  const areAlike = [mean, std].every((list) => list.every((value) => value === list[0]));
  if (!areAlike) {
    throw new UnsupportedError(
      `preprocess: this network takes one channel, but its photos are prepared with a mean [${mean.join(",")}] and deviation [${std.join(",")}] per colour. Give one of each: --preprocess order=gray,mean=M,std=S.`,
    );
  }
  return { ...preprocessing, channelOrder: "gray", mean: mean.slice(0, 1), std: std.slice(0, 1) };
}

/** A photo in gray, as Pillow converts it to mode L. */
function grayed(photo: Image): Image {
  const gray = createImage(photo.width, photo.height);
  for (let i = 0; i < photo.data.length; i += 4) {
    const [r, g, b] = [photo.data[i]!, photo.data[i + 1]!, photo.data[i + 2]!];
    gray.data.fill((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16, i, i + 3);
    gray.data[i + 3] = photo.data[i + 3]!;
  }
  return gray;
}

/**
 * The picture that a preprocessed tensor [C,H,W] came from, as far as 8 bits can show it: round((value * std + mean) / scale),
 * clipped to 0..255. Where nobody says how photos are prepared, or the channels are neither one nor three, the mean of the channels
 * from its smallest value (black) to its largest (white). For looking at inputs that were never a photo.
 */
export function pictureOf({ shape, data }: Tensor, preprocessing: Preprocessing | undefined): Image {
  const [channels = 0, height = 0, width = 0] = shape;
  if (preprocessing === undefined || (channels !== 1 && channels !== 3))
    return stretched(data, channels, height, width);
  const { scale, mean, std, channelOrder } = forChannels(preprocessing, channels);
  const picture = createImage(width, height);
  const pixels = width * height;
  for (let colour = 0; colour < 3; colour++) {
    const channel = channels === 1 ? 0 : channelOrder === "bgr" ? 2 - colour : colour;
    for (let i = 0; i < pixels; i++) {
      const value = Math.floor((data[channel * pixels + i]! * std[channel]! + mean[channel]!) / scale + 0.5);
      picture.data[i * 4 + colour] = Math.min(255, Math.max(0, value));
    }
  }
  return picture;
}

function stretched(data: Float32Array, channels: number, height: number, width: number): Image {
  const picture = createImage(width, height);
  const pixels = width * height;
  const means = Float64Array.from({ length: pixels }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += data[channel * pixels + i]!;
    return sum / channels;
  });
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of means) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (const [i, value] of means.entries()) {
    picture.data.fill(high > low ? Math.round((255 * (value - low)) / (high - low)) : 128, i * 4, i * 4 + 3);
  }
  return picture;
}
