import { UnsupportedError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";

/**
 * A .npy file as a float32 tensor; float64 is rounded.
 * @throws FormatError, UnsupportedError
 */
export function parseTensor(bytes: Uint8Array, name: string): Tensor {
  const { shape, data } = parseNpy(bytes, name);
  if (data instanceof Float32Array) return tensor(shape, data);
  if (data instanceof Float64Array) return tensor(shape, Float32Array.from(data));
  throw new UnsupportedError(
    `npy "${name}": elements must be float32 or float64. Save it with array.astype("float32").`,
  );
}

/** The power of two that brings the largest magnitude into [1, 2); 1 where there is none or it is not finite. */
function scaleOf(values: Float64Array): number {
  let largest = 0;
  for (const value of values) {
    if (!(Math.abs(value) <= largest)) largest = Math.abs(value);
  }
  if (largest === 0 || !Number.isFinite(largest)) return 1;
  // In two steps, for the numbers below 2^-1022 have no exponent of their own.
  let exponent = 0;
  if (largest < 2 ** -1000) {
    largest *= 2 ** 1000;
    exponent = -1000;
  }
  const bits = new DataView(Float64Array.of(largest).buffer).getUint16(6, true);
  exponent += ((bits >> 4) & 0x7ff) - 1023;
  // 2 ** -exponent itself may lie beyond the largest float64.
  return 2 ** Math.min(-exponent, 1023);
}

/**
 * A .npy file as an attribution map, of which only the proportions count: float64 is multiplied by a power of two before it is rounded,
 * so that a map of very small or very large values keeps them.
 * @throws FormatError, UnsupportedError
 */
export function parseMap(bytes: Uint8Array, name: string): Tensor {
  const { shape, data } = parseNpy(bytes, name);
  if (!(data instanceof Float64Array)) return parseTensor(bytes, name);
  const scale = scaleOf(data);
  return tensor(
    shape,
    Float32Array.from(data, (value) => value * scale),
  );
}
