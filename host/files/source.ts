import { openSync, readSync as readFileSync } from "node:fs";
import { checkRange } from "../../weights-loader/bytes/source.ts";
import type { ByteSource } from "../../weights-loader/index.ts";
import { openFile } from "./open-file.ts";

/**
 * A file that is read at positions, never as a whole; close it when done. What reads it without waiting goes on after that: such a file stays
 * open as long as the process lives.
 */
export interface FileSource extends ByteSource {
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Opens a file for positional reads.
 * @throws the system's error (ENOENT, EACCES) when it cannot be opened, RangeError when it is no regular file
 */
export async function fileSource(path: string): Promise<FileSource> {
  const file = await openFile(path);
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new RangeError(`"${path}" is not a file.`);
  }
  const byteLength = stat.size;
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    checkRange(offset, target.byteLength, byteLength);
    for (let done = 0; done < target.byteLength; ) {
      const { bytesRead } = await file.read(target, done, target.byteLength - done, offset + done);
      if (bytesRead === 0) throw new RangeError(`"${path}" became shorter while it was read.`);
      done += bytesRead;
    }
  };
  let descriptor: number | undefined;
  const readSync = (offset: number, target: Uint8Array): void => {
    descriptor ??= openSync(path, "r");
    for (let done = 0; done < target.byteLength; ) {
      const bytesRead = readFileSync(descriptor, target, done, target.byteLength - done, offset + done);
      if (bytesRead === 0) throw new RangeError(`"${path}" became shorter while it was read.`);
      done += bytesRead;
    }
  };
  return {
    path,
    byteLength,
    readInto,
    readSync,
    read: async (offset, length) => {
      checkRange(offset, length, byteLength);
      // A buffer of its own, not one of Node's shared pool: the bytes start at a multiple of 8 and become float views.
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
    close: () => file.close(),
  };
}
