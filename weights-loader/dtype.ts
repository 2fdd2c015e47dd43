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
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

/**
 * Little-endian elements as float32. f32 is a view of `bytes` where their alignment allows it, f16 and bf16 convert exactly,
 * f64 rounds to nearest (too large a value becomes infinite, which binding refuses).
 * WebAssembly fixes the byte order of the hosts that matter here: all are little-endian.
 */
export function toFloat32(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
  const count = bytes.byteLength / dtypeBytes[dtype];
  const { buffer, byteOffset } = aligned(bytes, dtypeBytes[dtype]);
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer, byteOffset, count);
    case "f64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case "f16": {
      const halves = new Uint16Array(buffer, byteOffset, count);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = halfToFloat(halves[i]!);
      return values;
    }
    case "bf16": {
      const halves = new Uint16Array(buffer, byteOffset, count);
      const bits = new Uint32Array(count);
      for (let i = 0; i < count; i++) bits[i] = halves[i]! << 16;
      return new Float32Array(bits.buffer);
    }
    default:
      dtype satisfies never;
      throw new TypeError(`dtype ${String(dtype)} cannot be read as float32.`);
  }
}
