/** Bytes in whatever a caller holds them: Node's Buffer, any typed array or DataView at any offset, or a whole buffer. */
export type BytesLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/**
 * The same bytes as a plain Uint8Array, without a copy. Everything in this room works on what this returns: on Node's Buffer
 * (a subclass) `slice` is a view and not a copy, so that code which writes to its own "copy" would change the caller's bytes.
 * @throws TypeError for anything else
 */
export function asBytes(bytes: BytesLike): Uint8Array {
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = Object.prototype.toString.call(bytes);
  // By name and not by instanceof: buffers of another realm (a worker's, a frame's) are as good.
  if (kind === "[object ArrayBuffer]" || kind === "[object SharedArrayBuffer]") return new Uint8Array(bytes);
  throw new TypeError(`photo: its bytes must be a Uint8Array, Buffer or ArrayBuffer, got ${kind.slice(8, -1)}.`);
}

/** Whether bytes begin with a text of one-byte characters. "?" stands for any byte. */
export function startsWith(bytes: Uint8Array, pattern: string): boolean {
  if (bytes.length < pattern.length) return false;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== "?" && pattern.charCodeAt(i) !== bytes[i]) return false;
  }
  return true;
}

/** Bytes as text where only ASCII is looked for: every other byte becomes some character. */
export function asciiText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
