import type { Tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Image } from "../../engine/picture/image.ts";
import { photoFit, preprocess } from "../../engine/picture/preprocess.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import {
  type AnnotatedPhoto,
  type Attention,
  absoluteMap,
  type Mask,
  type PlacedObjects,
  placeObjects,
  shareOn,
  summarizeAttention,
} from "../../evaluation/index.ts";
import { sha256 } from "../outputs/hash.ts";
import { CommandError } from "../terminal/errors.ts";

/** What all photos of a check share. */
export interface AttendSettings {
  readonly network: Network;
  readonly composite: string;
  readonly settings: ResolvedSalientRelevanceOptions;
  /** How photos are prepared, where it is not what the network says. */
  readonly preprocessing?: Preprocessing;
  /** A picture that is white, or anything but black, where nothing may be relevant; it is fitted as a photo is. */
  readonly forbidden?: Image;
}

/** A photo as the network sees it. */
export interface SeenPhoto {
  readonly tensor: Tensor;
  readonly picture: Image;
  readonly preprocessing: Preprocessing;
  /** Its objects, where any are annotated. */
  readonly placed: PlacedObjects | undefined;
}

function forbiddenMask(mask: Image, photo: Image, preprocessing: Preprocessing, inputShape: readonly number[]): Mask {
  if (mask.width !== photo.width || mask.height !== photo.height) {
    throw new CommandError(
      `the forbidden region has ${mask.width}x${mask.height} pixels, the photo ${photo.width}x${photo.height}: they must be of one size.`,
    );
  }
  const { resizedWidth, resizedHeight, ...crop } = photoFit(photo, preprocessing, inputShape);
  const { data } = resizeAndCrop(mask, resizedWidth, resizedHeight, crop);
  return Uint8Array.from({ length: data.length / 4 }, (_, i) =>
    Number(Math.max(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!) > 127),
  );
}

/**
 * Prepares a photo and takes its objects along.
 * @param annotated its objects, all of which count; undefined without annotations
 */
export function seePhoto(
  photo: Image | Tensor,
  annotated: AnnotatedPhoto | undefined,
  { network, preprocessing: other }: AttendSettings,
): SeenPhoto & { readonly photo: Image } {
  if ("shape" in photo) throw new CommandError("is a tensor; check compares photos.");
  const { inputShape, preprocessing: own } = network.definition;
  const preprocessing = other ?? own;
  if (preprocessing === undefined) throw new CommandError("nobody says how photos are prepared: give --preprocess.");
  const objects = annotated?.objects.filter(({ isCrowd }) => !isCrowd) ?? [];
  const placed =
    annotated === undefined || objects.length === 0
      ? undefined
      : placeObjects(annotated, objects, photo, photoFit(photo, preprocessing, inputShape));
  return { ...preprocess(photo, preprocessing, inputShape), photo, preprocessing, placed };
}

/** Explains a photo's likeliest class and sums its maps up. @returns what is recorded of it */
export function attend(
  file: string,
  fileSha256: string,
  given: Image | Tensor,
  annotated: AnnotatedPhoto | undefined,
  settings: AttendSettings,
): Attention {
  const { network, composite, settings: salientRelevance, forbidden } = settings;
  const { tensor, photo, preprocessing, placed } = seePhoto(given, annotated, settings);
  const explained = explain(network, tensor, { composite, salientRelevance });
  const { data, shape } = explained.salientRelevance;
  const { index, label, probability } = explained.target;
  const region =
    forbidden === undefined ? undefined : forbiddenMask(forbidden, photo, preprocessing, network.definition.inputShape);
  return {
    photo: file,
    sha256: fileSha256,
    prediction: {
      index,
      label,
      ...(probability === undefined ? {} : { probability: Number(probability.toPrecision(6)) }),
    },
    ...summarizeAttention(data, shape[1] ?? 1),
    ...(placed === undefined || placed.boxes.length === 0 ? {} : { inside: shareOn(data, placed.mask) }),
    ...(region === undefined ? {} : { forbidden: shareOn(absoluteMap(explained.relevance), region) }),
    mapSha256: sha256(data),
  };
}
