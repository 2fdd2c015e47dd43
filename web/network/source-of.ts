import { type ByteSource, blobSource, bytesSource } from "../../weights-loader/bytes/source.ts";
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

/** The bytes of the weights, and how messages call them. */
export async function sourceOf(
  { weights, cache = true, sha256 }: WebNetwork,
  { report, isAborted, onNotKept }: LoadWatch,
): Promise<{ source: ByteSource; name: string }> {
  if (weights instanceof Blob) {
    return { source: blobSource(weights), name: "name" in weights ? String(weights.name) : "file" };
  }
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
  return { source: blobSource(blob), name };
}
