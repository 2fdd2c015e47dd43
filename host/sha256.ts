import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** SHA-256 of a whole file, as 64 hexadecimal digits; the file passes in pieces. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
