import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/**
 * Opens a file for reading. A named pipe would otherwise wait, in the call that opens it, for somebody who writes.
 * @throws the system's error (ENOENT, EACCES, EISDIR) when it cannot be opened; RangeError when it is a pipe, a socket or a device
 */
export async function openFile(path: string): Promise<FileHandle> {
  // Without meaning for files; Windows does not have it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await file.stat();
    // A folder is left to the first read, whose error says so.
    if (stat.isFile() || stat.isDirectory()) return file;
    const kind = stat.isFIFO() ? "a pipe" : stat.isSocket() ? "a socket" : "a device";
    throw new RangeError(`this is ${kind}, not a file.`);
  } catch (error) {
    await file.close();
    throw error;
  }
}
