import { createHash } from "node:crypto";

/** SHA-256 of bytes, or of an array's numbers as they lie in memory (little endian), as 64 hexadecimal digits. */
export function sha256(data: Uint8Array | Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}
