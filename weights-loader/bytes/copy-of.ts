/** A copy in memory of its own, so that it starts at offset 0: for typed arrays of larger elements. Right for Node's Buffers, too. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
