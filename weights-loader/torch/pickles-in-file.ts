import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import { dtypeBytes } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { readPickle } from "./pickle.ts";
import { PickleTruncated } from "./pickle-bytes.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";
import { type StateDict, storedTensors, type TorchStorage } from "./state-dict.ts";

/** Longest pickle that is read; a state dict of 50,000 tensors stays below it. */
export const maximumPickleBytes: number = 16 << 20;

/**
 * Reads pickles that follow each other from `begin` on, where their lengths are not known: the window grows until they fit.
 * @param end first byte that cannot belong to them
 */
export async function readPickles(
  source: ByteSource,
  begin: number,
  end: number,
  hooks: readonly PickleHooks[],
  what: string,
): Promise<{ values: PickleValue[]; end: number }> {
  for (let window = 1 << 16; ; window *= 8) {
    const length = Math.min(window, end - begin, maximumPickleBytes);
    const bytes = await readRange(source, begin, length, what);
    try {
      const values: PickleValue[] = [];
      let at = 0;
      for (const hook of hooks) {
        const pickle = readPickle(bytes, at, hook, what);
        values.push(pickle.value);
        at = pickle.end;
      }
      return { values, end: begin + at };
    } catch (error) {
      if (error instanceof PickleTruncated && length === window && length < maximumPickleBytes) continue;
      throw error;
    }
  }
}

export async function readInt64(source: ByteSource, offset: number, what: string): Promise<number> {
  const bytes = await readRange(source, offset, 8, what);
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FormatError(`${what}: a size of ${value} at byte ${offset}.`);
  return value;
}

export function checkLittleEndian(system: PickleValue | undefined, file: string): void {
  if (typeof system === "object" && system?.kind === "dict" && system.entries.get("little_endian") === false) {
    throw new UnsupportedError(`${file}: written on a big-endian machine; only little-endian files are read.`);
  }
}

type Locate = (storage: TorchStorage) => { offset: number; bytes: number };

/** The tensors that a state dict keeps, whose storages lie where `locate` says. */
export function finish(
  name: string,
  format: string,
  source: ByteSource,
  { key, tensors }: StateDict,
  locate: Locate,
): WeightFile {
  const stored = storedTensors({ key, tensors }, source, locate, dtypeBytes, `weights "${name}"`);
  return storedWeights({ name, format, metadata: key === "" ? {} : { stateDict: key } }, stored);
}
