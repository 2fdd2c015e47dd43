import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import { type Dtype, dtypeBytes } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import { checkedElementCount, rowScaleSuffix, type StoredTensor, type WeightFile } from "../tensors/weight-file.ts";

/** Largest header the format allows (safetensors, "Format": 100 MB). */
const maximumHeaderBytes = 100_000_000;

const dtypes: Readonly<Record<string, Dtype>> = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I16: "i16",
  I8: "i8",
  U64: "u64",
  U32: "u32",
  U16: "u16",
  U8: "u8",
  BOOL: "bool",
};

/** True when a file that starts with these (at least 9) bytes and has this size can be safetensors. */
export function looksLikeSafetensors(start: Uint8Array, byteLength: number): boolean {
  return start[8] === 0x7b && headerLength(start) <= BigInt(byteLength) - 8n; // 0x7b is "{"
}

/** The header's length, the file's first 8 bytes. */
function headerLength(start: Uint8Array): bigint {
  return new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
}

/**
 * Opens a safetensors file: u64 header length, JSON header, then the tensors' bytes without gaps or overlaps.
 * Source: https://huggingface.co/docs/safetensors, "Format".
 * @throws FormatError when header, offsets and shapes contradict each other or the file; UnsupportedError for element types
 * that no supported network uses
 */
export async function openSafetensors(source: ByteSource, name: string): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const length = headerLength(await readRange(source, 0, 8, `${file}: header length`));
  if (length > BigInt(source.byteLength - 8)) {
    throw new FormatError(
      `${file}: the safetensors header claims ${length} bytes, but only ${source.byteLength - 8} follow. The file is truncated or damaged: get a fresh copy.`,
    );
  }
  if (length > BigInt(maximumHeaderBytes)) {
    throw new FormatError(
      `${file}: the safetensors header claims ${length} bytes; the format allows ${maximumHeaderBytes}.`,
    );
  }
  const headerBytes = Number(length);
  const dataStart = 8 + headerBytes;
  const header = parseHeader(await readRange(source, 8, headerBytes, `${file}: header`), file);
  const metadata: Record<string, string> = {};
  const tensors: StoredTensor[] = [];
  const places: { name: string; begin: number; end: number }[] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") {
      for (const [word, text] of Object.entries(asObject(value, `${file}: __metadata__`))) {
        if (typeof text === "string") metadata[word] = text;
      }
      continue;
    }
    const what = `${file}: tensor "${key}"`;
    const { dtype: dtypeName, shape, begin, end } = parseEntry(value, what);
    const dtype = Object.hasOwn(dtypes, dtypeName) ? dtypes[dtypeName] : undefined;
    if (dtype === undefined) {
      throw new UnsupportedError(`${what} holds ${dtypeName}; supported are ${Object.keys(dtypes).join(", ")}.`);
    }
    const bytes = checkedElementCount(shape, what) * dtypeBytes[dtype];
    if (end - begin !== bytes) {
      throw new FormatError(
        `${what}: ${dtypeName} [${shape.join(",")}] needs ${bytes} bytes, but data_offsets [${begin},${end}] span ${end - begin}.`,
      );
    }
    places.push({ name: key, begin, end });
    tensors.push({ name: key, dtype, shape, source, offset: dataStart + begin });
  }
  checkPlaces(places, source.byteLength - dataStart, file);
  return storedWeights({ name, format: "safetensors", metadata }, withRowScales(tensors, metadata, file));
}

/** In files that `convertWeights` wrote as int8, every int8 tensor has its rows' scales beside it: the two are one tensor. */
function withRowScales(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
  file: string,
): readonly StoredTensor[] {
  if (metadata["srmap.precision"] !== "int8") return tensors;
  const scales = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const merged = tensors.map((tensor): StoredTensor => {
    if (tensor.dtype !== "i8") return tensor;
    const rowScales = scales.get(tensor.name + rowScaleSuffix);
    if (rowScales?.dtype !== "f32" || rowScales.shape.length !== 1 || rowScales.shape[0] !== tensor.shape[0]) {
      throw new FormatError(
        `${file}: tensor "${tensor.name}" is int8, but "${tensor.name}${rowScaleSuffix}" has no scale for each row.`,
      );
    }
    scales.delete(rowScales.name);
    return { ...tensor, isQuantized: true, quantization: { rowScales } };
  });
  return merged.filter(({ name }) => scales.has(name));
}

function parseHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError(
      `${file}: the safetensors header is not JSON in UTF-8. The file is damaged: get a fresh copy.`,
    );
  }
  return asObject(value, `${file}: the safetensors header`);
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${what}: must be a JSON object.`);
  }
  return value as Record<string, unknown>; // checked above
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function parseEntry(
  value: unknown,
  what: string,
): { dtype: string; shape: readonly number[]; begin: number; end: number } {
  const { dtype, shape, data_offsets: offsets } = asObject(value, what);
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw new FormatError(
      `${what}: needs "dtype" (text), "shape" and "data_offsets" (non-negative integers below 2^53, two offsets), got ${JSON.stringify(value).slice(0, 200)}.`,
    );
  }
  const [begin = 0, end = 0] = offsets;
  return { dtype, shape, begin, end };
}

/** The tensors must cover the data exactly: neither gaps, in which anything could hide, nor overlaps. */
function checkPlaces(places: { name: string; begin: number; end: number }[], dataBytes: number, file: string): void {
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of places) {
    const what = `${file}: tensor "${name}"`;
    if (begin < covered) {
      throw new FormatError(
        `${what}: data_offsets [${begin},${end}] overlap the tensor before it (ends at ${covered}).`,
      );
    }
    if (begin > covered) {
      throw new FormatError(
        `${what}: data_offsets [${begin},${end}] leave a gap after byte ${covered}; safetensors has none.`,
      );
    }
    if (end > dataBytes) {
      throw new FormatError(
        `${what}: data_offsets [${begin},${end}] leave the file, which has ${dataBytes} bytes of data. It is truncated or damaged: get a fresh copy.`,
      );
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw new FormatError(
      `${file}: the tensors take ${covered} bytes, but ${dataBytes} follow the safetensors header.`,
    );
  }
}
