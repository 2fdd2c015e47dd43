import { decodeText } from "../../weights-loader/index.ts";
import { openFile } from "./open-file.ts";

/**
 * The text of a file that people write: UTF-8 or UTF-16, with or without a byte order mark, which editors on Windows put there.
 * @throws the system's error when it cannot be read, RangeError when it is a pipe or a device
 */
export async function readTextFile(path: string): Promise<string> {
  const file = await openFile(path);
  try {
    return decodeText(await file.readFile());
  } finally {
    await file.close();
  }
}
