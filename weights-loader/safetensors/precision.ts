import { UnsupportedError } from "../../engine/basics/errors.ts";

/** How weights are held in a file. int8 has one scale per row: value = integer * scale. */
export type Precision = "f32" | "f16" | "bf16" | "int8";

/** Bits per weight of each precision; int8's scales add 32 per row. */
export const precisionBits: Readonly<Record<Precision, number>> = { f32: 32, f16: 16, bf16: 16, int8: 8 };

// float32 seen as its bits.
const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** Rounds off the lowest `count` bits to nearest, ties to even. */
function roundBits(bits: number, count: number): number {
  const isOdd = (bits >>> count) & 1;
  return (bits + (1 << (count - 1)) - 1 + isOdd) >>> count;
}

/** IEEE half precision bits of a finite number, rounded to nearest, ties to even; infinity's where it is too large. */
export function floatToHalf(value: number): number {
  asFloat[0] = value;
  const bits = asBits[0] ?? 0;
  const sign = bits >>> 31 === 1 ? 0x8000 : 0;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above
  // Normal halves start at 2^-14: drop 13 bits and move the exponent's bias from 127 to 15.
  if (magnitude >= 0x38800000) return sign | (roundBits(magnitude, 13) - (112 << 10));
  // Subnormals are multiples of 2^-24; the product is exact, and so is the rounding of numbers below 2^10.
  const scaled = Math.abs(asFloat[0]) * 2 ** 24;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}

/** bfloat16 bits of a finite number, rounded to nearest, ties to even. */
export function floatToBfloat(value: number): number {
  asFloat[0] = value;
  return roundBits(asBits[0] ?? 0, 16);
}

/** Rows as half-precision numbers. @throws UnsupportedError when a value is too large for them */
export function toHalves(values: Float32Array, precision: "f16" | "bf16", what: string): Uint16Array {
  const convert = precision === "f16" ? floatToHalf : floatToBfloat;
  const infinity = precision === "f16" ? 0x7c00 : 0x7f80;
  const result = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const bits = convert(values[i]!);
    if ((bits & 0x7fff) === infinity) {
      throw new UnsupportedError(
        `${what} holds ${values[i]}, which is too large for ${precision}. Choose another precision.`,
      );
    }
    result[i] = bits;
  }
  return result;
}

/** The scale of every row: its largest magnitude becomes 127. */
export function rowScales(values: Float32Array, rowElements: number): Float32Array {
  return Float32Array.from({ length: values.length / rowElements }, (_, row) => {
    let largest = 0;
    for (let i = row * rowElements; i < (row + 1) * rowElements; i++) largest = Math.max(largest, Math.abs(values[i]!));
    return largest / 127;
  });
}

/** Rows as multiples of their scale, rounded to nearest: the error is at most half a scale. */
export function quantizeRows(values: Float32Array, rowElements: number, scales: Float32Array): Int8Array {
  const result = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const scale = scales[Math.floor(i / rowElements)] ?? 0;
    // The quotient can round up to 127.00001 when the scale was rounded down.
    result[i] = scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(values[i]! / scale)));
  }
  return result;
}
