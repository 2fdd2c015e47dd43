import { copyOf } from "../bytes/copy-of.ts";

/** Bytes per element of each element type that weight files name. */
export const dtypeBytes = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
} as const;

/** Element type of a stored tensor. Weights are f32, f16, bf16 or f64; the others are listed but cannot be read as weights. */
export type Dtype = keyof typeof dtypeBytes;

/** Element types that can be weights; all are read as float32. */
export type FloatDtype = "f64" | "f32" | "f16" | "bf16";

/** True for the element types that can be weights. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === "f64" || dtype === "f32" || dtype === "f16" || dtype === "bf16";
}

// One float32 seen as its bits.
const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** The float32 whose IEEE bits are `bits`. */
function fromBits(bits: number): number {
  asBits[0] = bits;
  return asFloat[0] ?? 0;
}

/** Value of IEEE half precision bits; exact in float32. */
export function halfToFloat(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return (sign === 0 ? 1 : -1) * mantissa * 2 ** -24; // zero and subnormals
  // Exponents are biased by 15 in half, by 127 in single precision; 31 means infinity or NaN, 255 there.
  return fromBits((sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13)) >>> 0);
}

/** The bytes as a buffer of their own when they do not start at a multiple of `size` (typed arrays cannot start there). */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : copyOf(bytes);
}

let halves: Float32Array | undefined;

/** The float32 of every half: a table is ten times as fast as taking bits apart, and converted files are read again for every use. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfToFloat(bits));
  return halves;
}

/** Where the bytes of elements go so that `decode` can turn them into float32 in place: at the end of their memory. */
export function rawPart(values: Float32Array, dtype: Dtype): Uint8Array {
  const length = values.length * dtypeBytes[dtype];
  if (length > values.byteLength) return new Uint8Array(length);
  return new Uint8Array(values.buffer, values.byteOffset + values.byteLength - length, length);
}

/**
 * Writes little-endian elements as float32: f16 and bf16 convert exactly, f64 rounds to nearest (too large a value becomes infinite,
 * which binding refuses). WebAssembly fixes the byte order of the hosts that matter here: all are little-endian.
 * @param values as many as `bytes` has elements; they may share memory as `rawPart` lays it: an element is read before its place is
 *   written
 */
export function decode(values: Float32Array, bytes: Uint8Array, dtype: FloatDtype): void {
  const { buffer, byteOffset } = aligned(bytes, dtypeBytes[dtype]);
  const count = values.length;
  switch (dtype) {
    case "f32":
      if (buffer !== values.buffer || byteOffset !== values.byteOffset) {
        values.set(new Float32Array(buffer, byteOffset, count));
      }
      return;
    case "f64":
      values.set(new Float64Array(buffer, byteOffset, count));
      return;
    case "f16": {
      const table = halfTable();
      const stored = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) values[i] = table[stored[i]!]!;
      return;
    }
    case "bf16": {
      const stored = new Uint16Array(buffer, byteOffset, count);
      const bits = new Uint32Array(values.buffer, values.byteOffset, count);
      for (let i = 0; i < count; i++) bits[i] = stored[i]! << 16;
      return;
    }
    default:
      dtype satisfies never;
      throw new TypeError(`dtype ${String(dtype)} cannot be read as float32.`);
  }
}

/** Writes rows of int8 as float32, each integer times its row's scale, rounded once. Memory may be shared as in `decode`. */
export function decodeScaledRows(values: Float32Array, bytes: Uint8Array, scales: Float32Array): void {
  const integers = new Int8Array(bytes.buffer, bytes.byteOffset, values.length);
  const width = values.length / scales.length;
  for (let row = 0, i = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    for (const end = i + width; i < end; i++) values[i] = integers[i]! * scale;
  }
}

/** Little-endian elements as float32, as `decode`; f32 is a view of `bytes` where their alignment allows it. */
export function toFloat32(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
  const count = bytes.byteLength / dtypeBytes[dtype];
  if (dtype === "f32") {
    const { buffer, byteOffset } = aligned(bytes, 4);
    return new Float32Array(buffer, byteOffset, count);
  }
  const values = new Float32Array(count);
  decode(values, bytes, dtype);
  return values;
}
