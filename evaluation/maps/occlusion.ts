import { type Tensor, tensor } from "../../engine/basics/tensor.ts";

/**
 * Occlusion: how far the score drops when a square is replaced by the baseline, shared by the pixels of all squares over them.
 * Source: Zeiler and Fergus 2014, section 4.2; the mean over the windows. The last squares are moved back inside.
 * @param input [C,H,W]
 * @param baseline [C,H,W]
 * @param score one call for the input and one for each square
 * @returns [H,W]
 */
export function occlusionMap(
  input: Tensor,
  baseline: Tensor,
  score: (input: Tensor) => number,
  size = 32,
  stride = 16,
): Float64Array {
  const [channels = 1, height = 1, width = 1] = input.shape;
  const starts = (side: number): number[] => {
    const last = Math.max(0, side - size);
    return [...Array.from({ length: Math.ceil(last / stride) }, (_, i) => i * stride), last];
  };
  const whole = score(input);
  const sums = new Float64Array(height * width);
  const counts = new Float64Array(height * width);
  for (const top of starts(height)) {
    for (const left of starts(width)) {
      const data = input.data.slice();
      const rows = Math.min(height, top + size);
      const columns = Math.min(width, left + size);
      for (let channel = 0; channel < channels; channel++) {
        for (let y = top; y < rows; y++) {
          const at = (channel * height + y) * width;
          data.set(baseline.data.subarray(at + left, at + columns), at + left);
        }
      }
      const drop = whole - score(tensor(input.shape, data));
      for (let y = top; y < rows; y++) {
        for (let x = left; x < columns; x++) {
          sums[y * width + x]! += drop;
          counts[y * width + x]!++;
        }
      }
    }
  }
  return sums.map((sum, i) => sum / counts[i]!);
}
