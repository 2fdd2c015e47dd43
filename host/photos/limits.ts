// 100 megapixels of 16-bit RGBA, not compressed at all, would be 800 MB; real photos are a tenth of this limit.
/** Most bytes of a photo's file. */
export const maxPhotoBytes: number = 512 * 2 ** 20;

/** The error of a file with more. */
export function tooLarge(bytes: number): RangeError {
  return new RangeError(`the file has ${Math.round(bytes / 2 ** 20)} MiB, photos may have ${maxPhotoBytes / 2 ** 20}.`);
}
