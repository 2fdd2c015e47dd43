import { readFile } from "node:fs/promises";
import { decodeText } from "../../weights-loader/index.ts";

/**
 * The text of a file that people write: UTF-8 or UTF-16, with or without a byte order mark, which editors on Windows put there.
 * @throws the system's error when it cannot be read
 */
export async function readTextFile(path: string): Promise<string> {
  return decodeText(await readFile(path));
}
