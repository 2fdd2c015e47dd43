/** One axis of a sliding window. */
export interface WindowAxis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padBefore: number;
  readonly padAfter: number;
  readonly dilation: number;
}

/**
 * Output size of a convolution or pooling along one axis.
 *   floor((size + padBefore + padAfter - dilation*(kernel-1) - 1) / stride) + 1
 * ceilMode rounds up instead, but drops a last window that would start beyond the input and its leading pad.
 * Source: PyTorch, pooling_output_shape_pad_lr in aten/src/ATen/native/Pool.h.
 */
export function windowCount(axis: WindowAxis, ceilMode: boolean): number {
  const span = axis.size + axis.padBefore + axis.padAfter - axis.dilation * (axis.kernel - 1) - 1;
  const windows = (ceilMode ? Math.ceil(span / axis.stride) : Math.floor(span / axis.stride)) + 1;
  return ceilMode && (windows - 1) * axis.stride >= axis.size + axis.padBefore ? windows - 1 : windows;
}
