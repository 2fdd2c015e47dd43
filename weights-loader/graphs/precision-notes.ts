// Sentences on numbers that differ from those of the file's own runtime, or of the network before its file was made smaller: said, since
// nobody expects it.

/** @param whose who computes in half precision, and how: `onnxruntime computes this network in float16` */
export function halfPrecisionNote(whose: string): string {
  return `${whose}; here it is computed in float32, so that the last digits differ.`;
}

/** @param stored as what the tensors are stored: "float16" */
export function storedPrecisionNote(count: number, total: number, stored: string): string {
  return `${count} of its ${total} tensors are stored as ${stored}: what is computed, in float32, is the network with these rounded weights, not the one before.`;
}

/** Said of networks whose feature maps are integers. */
export const quantisedNote =
  "it is quantised: here it is computed in float32 with the numbers that its integers stand for, so that logits differ by a few hundredths of the largest from those of integers.";
