import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, partOf, readRange } from "../bytes/source.ts";
import { inflatedSource, inflateStart } from "../containers/inflate.ts";
import type { ZipEntry } from "../containers/zip.ts";
import type { Dtype } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { StoredTensor, WeightFile } from "../tensors/weight-file.ts";

/** NumPy's names of element types, without byte order. */
const dtypes: Readonly<Record<string, Dtype>> = {
  f8: "f64",
  f4: "f32",
  f2: "f16",
  i8: "i64",
  i4: "i32",
  i2: "i16",
  i1: "i8",
  u8: "u64",
  u4: "u32",
  u2: "u16",
  u1: "u8",
  b1: "bool",
};

/** Magic, version and length of the header's length: at most this much stands before the header. */
const prefixBytes = 12;
/** Longest header that is read; one array's has about 100 bytes. */
const maximumHeaderBytes = 1 << 16;

/** True when a file starts as a .npy does. */
export function looksLikeNpy(start: Uint8Array): boolean {
  return start[0] === 0x93 && new TextDecoder("latin1").decode(start.subarray(1, 6)) === "NUMPY";
}

interface NpyHeader {
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly isFortranOrder: boolean;
  /** First byte of the elements. */
  readonly offset: number;
}

/** Reads the header of an .npy. Source: numpy.lib.format, versions 1 to 3. */
function parseHeader(start: Uint8Array, what: string): NpyHeader {
  const broken = (why: string): FormatError =>
    new FormatError(`${what}: ${why}. The file is damaged: get a fresh copy.`);
  if (!looksLikeNpy(start) || start.length < prefixBytes) throw broken("no .npy header");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const isLong = (start[6] ?? 0) >= 2;
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const offset = (isLong ? 12 : 10) + length;
  if (length > maximumHeaderBytes || offset > start.length) throw broken(`a header of ${length} bytes`);
  const text = new TextDecoder("latin1").decode(start.subarray(offset - length, offset));
  const descr = /'descr'\s*:\s*'([<>|=])(\w+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (order === null || shape === null) throw broken("a header without order or shape");
  const dtype = descr === null ? undefined : dtypes[descr[2] ?? ""];
  if (descr === null || dtype === undefined || !Object.hasOwn(dtypes, descr[2] ?? "")) {
    throw new UnsupportedError(`${what}: element type ${text.slice(0, 60).trim()} is not supported.`);
  }
  if (descr[1] === ">") throw new UnsupportedError(`${what}: big-endian elements; only little-endian files are read.`);
  const sizes = (shape[1] ?? "").split(",").map((size) => size.trim().replace("L", ""));
  return { dtype, shape: sizes.filter((size) => size !== "").map(Number), isFortranOrder: order[1] === "True", offset };
}

function asTensor(name: string, header: NpyHeader, source: ByteSource): StoredTensor {
  const { dtype, shape, isFortranOrder, offset } = header;
  if (!isFortranOrder) return { name, dtype, shape, source, offset };
  let next = 1;
  const strides = shape.map((size) => {
    const stride = next;
    next *= Math.max(1, size);
    return stride;
  });
  return { name, dtype, shape, strides, source, offset };
}

/** Opens one .npy array as a weight file with the tensor `array`. */
export async function openNpy(source: ByteSource, name: string): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const length = Math.min(source.byteLength, prefixBytes + maximumHeaderBytes);
  const header = parseHeader(await readRange(source, 0, length, file), file);
  return storedWeights({ name, format: "npy" }, [asTensor("array", header, source)]);
}

/** Opens an .npz: a zip of .npy files, stored or deflated. Deflated arrays are inflated when they are read. */
export async function openNpz(
  source: ByteSource,
  name: string,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const tensors: StoredTensor[] = [];
  for (const entry of entries.values()) {
    if (!entry.name.endsWith(".npy")) continue;
    const what = `${file}: array "${entry.name}"`;
    const length = Math.min(entry.bytes, prefixBytes + maximumHeaderBytes);
    const isStored = entry.method === 0;
    const start = isStored
      ? await readRange(source, entry.offset, length, what)
      : await inflateStart(source, entry, length, what);
    const inner = isStored ? partOf(source, entry.offset, entry.bytes) : inflatedSource(source, entry, what);
    tensors.push(asTensor(entry.name.slice(0, -".npy".length), parseHeader(start, what), inner));
  }
  return storedWeights({ name, format: "npz" }, tensors);
}
