import { FormatError, refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { type ByteSource, blobSource, bytesSource, checkRange } from "../../weights-loader/bytes/source.ts";
import type { Progress } from "../../workers/explainer/messages.ts";
import type { WebNetwork } from "../messages.ts";
import { download } from "./download.ts";

/** What may be watched and ended while a network loads. */
export interface LoadWatch {
  readonly report?: (progress: Progress) => void;
  readonly isAborted?: () => boolean;
  /** Called where the weights could not be kept for the next visit, with the reason. */
  readonly onNotKept?: (why: string) => void;
}

const watchNames = Object.keys({
  report: true,
  isAborted: true,
  onNotKept: true,
} satisfies Record<keyof LoadWatch, true>);

/** @throws TypeError for something that cannot be watched. @param what begins the message */
export function checkWatch(what: string, watch: LoadWatch): void {
  refuseUnknownOptions(what, watch, watchNames);
}

/** The part of the workers' FileReaderSync that is used; the compiler's DOM library has windows alone. */
interface SyncReader {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** ES2024. */
interface Detachable extends ArrayBuffer {
  transfer?(newByteLength: number): ArrayBuffer;
}

/** Reads a Blob also without waiting, where this is a worker. */
function fileSource(blob: Blob): ByteSource {
  const source = blobSource(blob);
  const { FileReaderSync } = globalThis as { readonly FileReaderSync?: new () => SyncReader }; // workers alone have it
  if (FileReaderSync === undefined) return source;
  const reader = new FileReaderSync();
  const readSync = (offset: number, target: Uint8Array): void => {
    checkRange(offset, target.byteLength, blob.size);
    const buffer: Detachable = reader.readAsArrayBuffer(blob.slice(offset, offset + target.byteLength));
    target.set(new Uint8Array(buffer));
    buffer.transfer?.(0); // gives its memory back; the collector would let 30 MB of them come together first
  };
  return { ...source, readSync, readInto: async (offset, target) => readSync(offset, target) };
}

/** The workers' access to a file of the private file system, without waiting; the compiler's DOM library has windows alone. */
interface SyncAccess {
  getSize(): number;
  read(target: Uint8Array, at: { readonly at: number }): number;
}

/** A file's handle, as workers have it. */
type WorkerFileHandle = FileSystemFileHandle & {
  createSyncAccessHandle?(options: { readonly mode: "read-only" }): Promise<SyncAccess>;
};

/** Reads a file by its handle: without waiting where this is a worker and the file one of the private file system, which nobody writes. */
async function handleSource(handle: WorkerFileHandle): Promise<ByteSource> {
  let access: SyncAccess | undefined;
  try {
    access = await handle.createSyncAccessHandle?.({ mode: "read-only" });
  } catch {
    // A file that a visitor chose, or one that is open in another tab of a browser without this mode: it can be read as a Blob.
  }
  if (access === undefined) return fileSource(await handle.getFile());
  const byteLength = access.getSize();
  const readSync = (offset: number, target: Uint8Array): void => {
    checkRange(offset, target.byteLength, byteLength);
    const count = access.read(target, { at: offset });
    if (count !== target.byteLength) {
      throw new FormatError(
        `weights "${handle.name}": ${count} of ${target.byteLength} bytes at ${offset}: the file was cut off meanwhile.`,
      );
    }
  };
  return {
    byteLength,
    readSync,
    readInto: async (offset, target) => readSync(offset, target),
    read: async (offset, length) => {
      const target = new Uint8Array(length);
      readSync(offset, target);
      return target;
    },
  };
}

function isFileHandle(weights: WebNetwork["weights"]): weights is FileSystemFileHandle {
  return "FileSystemFileHandle" in globalThis && weights instanceof FileSystemFileHandle;
}

/** The bytes of the weights, and how messages call them. */
export async function sourceOf(
  { weights, cache = true, sha256 }: WebNetwork,
  { report, isAborted, onNotKept }: LoadWatch,
): Promise<{ source: ByteSource; name: string }> {
  if (weights instanceof Blob) {
    return { source: fileSource(weights), name: "name" in weights ? String(weights.name) : "file" };
  }
  if (isFileHandle(weights)) return { source: await handleSource(weights), name: weights.name };
  if (weights instanceof ArrayBuffer) return { source: bytesSource(weights), name: "bytes" };
  if (weights instanceof Uint8Array) return { source: bytesSource(weights), name: "bytes" };
  const url = String(weights);
  const { blob, notKept } = await download(url, {
    cache,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(isAborted === undefined ? {} : { isAborted }),
    onProgress: (done, total) => report?.({ stage: "download", done, total }),
  });
  if (notKept !== undefined) onNotKept?.(notKept);
  const name = url.startsWith("data:") ? "data" : decodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
  return { source: fileSource(blob), name };
}
