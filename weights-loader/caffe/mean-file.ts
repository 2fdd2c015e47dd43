import { FormatError } from "../../engine/basics/errors.ts";
import type { ByteSource } from "../bytes/source.ts";
import { ProtoReader } from "../containers/protobuf.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import { readBlob } from "./model.ts";

/** Largest mean image that is read; ImageNet's has 196,608 numbers. */
const maximumNumbers = 1 << 24;

/**
 * The mean colour in one of Caffe's files of a mean image (.binaryproto, written by compute_image_mean): the mean of each of its
 * channels, of pixels from 0 to 255, in the file's order (blue, green, red). Caffe's own networks subtract the image pixel by pixel;
 * its classifiers for photos of any size, and pycaffe's examples, the mean colour.
 * @param what names the file in messages
 * @throws FormatError when it is no such file
 */
export async function readCaffeMean(source: ByteSource, what: string): Promise<number[]> {
  const whole = { offset: 0, length: source.byteLength };
  const blob = await readBlob(new ProtoReader(source, what), whole, "mean", "", 0);
  const [count = 0, channels = 0, height = 0, width = 0] = blob.shape.length === 4 ? blob.shape : [1, ...blob.shape];
  const area = height * width;
  if (count !== 1 || !(channels >= 1 && area >= 1) || blob.shape.length < 3)
    throw new FormatError(`${what}: a mean image must have the axes [1,C,H,W], got [${blob.shape.join(",")}].`);
  if (channels * area > maximumNumbers)
    throw new FormatError(`${what}: a mean image of ${channels * area} numbers is too large.`);
  const values = await storedWeights({ name: what, format: "caffe", metadata: {} }, [blob]).read(blob.name);
  return Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c * area; i < (c + 1) * area; i++) sum += values[i]!;
    return sum / area;
  });
}
