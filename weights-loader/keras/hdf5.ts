import type { ByteSource } from "../bytes/source.ts";
import type { Dtype } from "../tensors/dtype.ts";

// HDF5 is read by a library of the host's; here is what the loader needs of it, as data.

/** An array of an HDF5 file. */
export interface Hdf5Dataset {
  /** Where it lies, from the root on: `/model_weights/conv1/conv1/kernel:0`. */
  readonly path: string;
  /** undefined where the elements are no numbers that weight files name. */
  readonly dtype: Dtype | undefined;
  /** The elements in words, for messages. */
  readonly elements: string;
  readonly shape: readonly number[];
}

/** A group of an HDF5 file with everything in it. */
export interface Hdf5Group {
  /** Attributes of text, as lists; the host need not read attributes that nobody asks for (`isWantedAttribute`). */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  readonly groups: ReadonlyMap<string, Hdf5Group>;
  readonly datasets: ReadonlyMap<string, Hdf5Dataset>;
}

/** An opened HDF5 file. */
export interface Hdf5File {
  readonly root: Hdf5Group;
  /**
   * Rows of a dataset along axis 0 (all of it where it has no axes), little-endian, in C order.
   * @throws FormatError when they cannot be read
   */
  readRows(path: string, firstRow: number, rowCount: number): Promise<Uint8Array>;
}

/**
 * Opens a part of the weight file as HDF5.
 * @throws FormatError when it is damaged; UnsupportedError when it needs something that is not supported, or HDF5 cannot be read here
 */
export type OpenHdf5 = (offset: number, byteLength: number) => Promise<Hdf5File>;

/** The attributes that Keras describes its files with. Long lists are split: layer_names0, layer_names1, ... */
export function isWantedAttribute(name: string): boolean {
  return /^(model_config|keras_version|backend|name|dtype|(layer|weight)_names\d*)$/.test(name);
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** True when the bytes start as an HDF5 file does. */
export function looksLikeHdf5(start: Uint8Array): boolean {
  return signature.every((byte, i) => start[i] === byte);
}

/** True when an HDF5 file starts behind a block of the user's, at byte 512, 1024, 2048 and so on. */
export async function hasUserBlock(source: ByteSource): Promise<boolean> {
  for (let at = 512; at + signature.length <= source.byteLength; at *= 2) {
    if (looksLikeHdf5(await source.read(at, signature.length))) return true;
  }
  return false;
}
