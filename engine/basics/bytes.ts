/** Bytes in whatever a caller holds them: Node's Buffer, any typed array or DataView at any offset, or a whole buffer. */
export type BytesLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/**
 * The same bytes as a plain Uint8Array, without a copy: the door of every function that takes a caller's bytes. On Node's Buffer (a
 * subclass) `slice` is a view and not a copy, so that behind it code which writes to its own "copy" would change the caller's bytes,
 * and code which aligns numbers by copying them would not.
 * @param what for the message: "photo"
 * @throws TypeError for anything else
 */
export function asBytes(bytes: BytesLike, what: string): Uint8Array {
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = Object.prototype.toString.call(bytes);
  // By name and not by instanceof: buffers of another realm (a worker's, a frame's) are as good.
  if (kind === "[object ArrayBuffer]" || kind === "[object SharedArrayBuffer]") return new Uint8Array(bytes);
  throw new TypeError(`${what}: its bytes must be a Uint8Array, Buffer or ArrayBuffer, got ${kind.slice(8, -1)}.`);
}
