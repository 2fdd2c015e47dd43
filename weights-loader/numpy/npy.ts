import { asBytes, type BytesLike } from "../../engine/basics/bytes.ts";
import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import { copyOf } from "../bytes/copy-of.ts";

/** An array of a .npy file, C order; the kind of `data` tells the element type. */
export interface NpyArray {
  readonly shape: Shape;
  readonly data: Float32Array | Float64Array | Uint8Array | BigInt64Array;
}

// numpy.lib.format: magic, version, header length, header (a Python dict as text, padded so that data start at a multiple of 64).
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"
const elementBytes: Record<string, number> = { "<f4": 4, "<f8": 8, "|u1": 1, "<i8": 8 };
const item = `['"](descr|fortran_order|shape)['"]\\s*:\\s*('[^']*'|"[^"]*"|True|False|\\([\\d, ]*\\)|\\[.*?\\])`;
const dictionary = new RegExp(`^\\{\\s*(?:${item})(?:\\s*,\\s*${item}){2}\\s*,?\\s*\\}\\s*$`);

// numpy.load refuses longer ones as well.
const longestHeader = 10000;

interface Header {
  readonly descr: string;
  readonly isFortranOrder: boolean;
  readonly shape: Shape;
}

function parseHeader(text: string, name: string): Header {
  const fail = (): FormatError =>
    new FormatError(
      `npy "${name}": header must hold 'descr', 'fortran_order' and 'shape', got ${JSON.stringify(text.slice(0, 120).trimEnd())}. Save the array again with numpy.save.`,
    );
  if (!dictionary.test(text)) throw fail();
  const values = new Map([...text.matchAll(new RegExp(item, "g"))].map((match) => [match[1], match[2] ?? ""]));
  const descr = values.get("descr");
  const order = values.get("fortran_order");
  const shape = /^\((?:(\d+(?:, *\d+)+),?|(\d+),)?\)$/.exec(values.get("shape") ?? "");
  if (descr === undefined || (order !== "True" && order !== "False") || shape === null) throw fail();
  const sizes = shape[1] ?? shape[2];
  return {
    descr: descr.replace(/^['"]|['"]$/g, ""),
    isFortranOrder: order === "True",
    shape: sizes === undefined ? [] : sizes.split(",").map(Number),
  };
}

/**
 * Reads a .npy file (format versions 1 to 3) of float32, float64, uint8 or int64, little endian, C order. The data are copied.
 * @param name file name for messages
 * @throws FormatError when it is not a .npy file or its sizes lie
 * @throws UnsupportedError for other element types, big endian, Fortran order and pickled objects
 */
export function parseNpy(file: BytesLike, name: string): NpyArray {
  const bytes = asBytes(file, `npy "${name}"`);
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte)) {
    throw new FormatError(
      `npy "${name}": a .npy file must begin with "\\x93NUMPY", got ${bytes.length === 0 ? "an empty file" : "something else"}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(6);
  if (version < 1 || version > 3)
    throw new FormatError(`npy "${name}": format version must be 1, 2 or 3, got ${version}.`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? 0 : view.getUint32(8, true);
  if (start + length > bytes.length) {
    throw new FormatError(
      `npy "${name}": header needs ${start + length} bytes, got ${bytes.length}. The file is truncated; copy it again.`,
    );
  }
  if (length > longestHeader) {
    throw new FormatError(`npy "${name}": header must be at most ${longestHeader} bytes long, got ${length}.`);
  }
  let text = "";
  for (const byte of bytes.subarray(start, start + length)) text += String.fromCharCode(byte);
  const { descr, isFortranOrder, shape } = parseHeader(text, name);

  if (/^[<>|=]?O/.test(descr)) {
    throw new UnsupportedError(`npy "${name}": arrays of pickled Python objects are not read. Save a float32 array.`);
  }
  const size = elementBytes[descr];
  if (size === undefined) {
    throw new UnsupportedError(
      `npy "${name}": element type must be one of ${Object.keys(elementBytes).join(", ")}, got ${descr}. Convert it with .astype("<f4").`,
    );
  }
  if (isFortranOrder) {
    throw new UnsupportedError(
      `npy "${name}": array must be in C order, got Fortran order. Save numpy.ascontiguousarray of it.`,
    );
  }
  const expected = elementCount(shape) * size;
  const got = bytes.length - start - length;
  if (expected !== got) {
    throw new FormatError(
      `npy "${name}": shape ${formatShape(shape)} of ${descr} needs ${expected} bytes of data, got ${got}. The file is truncated or its header lies.`,
    );
  }
  const { buffer } = copyOf(bytes.subarray(start + length)); // aligned
  if (descr === "<f4") return { shape, data: new Float32Array(buffer) };
  if (descr === "<f8") return { shape, data: new Float64Array(buffer) };
  if (descr === "<i8") return { shape, data: new BigInt64Array(buffer) };
  return { shape, data: new Uint8Array(buffer) };
}

function descrOf(data: NpyArray["data"]): string {
  if (data instanceof Float32Array) return "<f4";
  if (data instanceof Float64Array) return "<f8";
  if (data instanceof BigInt64Array) return "<i8";
  return "|u1";
}

/** Writes a .npy file (format version 1), as numpy.save does. A float32 `Tensor` is an NpyArray. */
export function writeNpy({ shape, data }: NpyArray): Uint8Array {
  if (elementCount(shape) !== data.length) {
    throw new RangeError(`npy: shape ${formatShape(shape)} needs ${elementCount(shape)} elements, got ${data.length}.`);
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(magic);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  const header = `${text.padEnd(start - 11)}\n`;
  for (let i = 0; i < header.length; i++) bytes[10 + i] = header.charCodeAt(i);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
