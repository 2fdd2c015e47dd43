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
