// The page in one file (srmap.html) brings its worker, kernels, network and examples along: pages from disk can fetch nothing.

import type { WebNetwork } from "../messages.ts";

const types: Readonly<Record<string, string>> = { ".jpg": "image/jpeg", ".svg": "image/svg+xml" };

let brought: Readonly<Record<string, string>> | undefined | "unread" = "unread";

/** Files that this document brings, in base64 by their address; undefined where they lie beside the page. */
function broughtFiles(): Readonly<Record<string, string>> | undefined {
  if (brought === "unread") {
    const block = document.getElementById("files");
    brought = block === null ? undefined : (JSON.parse(block.textContent ?? "{}") as Record<string, string>); // written by host/page/one-file.ts
  }
  return brought;
}

/** True for a page that was opened from disk and brings nothing: it has to go to the one that does. */
export function isStranded(): boolean {
  return location.protocol === "file:" && broughtFiles() === undefined;
}

/** True where the page has this file. */
export function hasFile(address: string): boolean {
  const files = broughtFiles();
  return files === undefined || address in files;
}

/** Address under which a file of the page can be fetched and shown. */
export function fileAddress(address: string): string {
  const file = broughtFiles()?.[address];
  if (file === undefined) return address;
  return `data:${types[address.slice(address.lastIndexOf("."))] ?? "application/octet-stream"};base64,${file}`;
}

/** Starts the explainer's worker for this network: for those of the page without the formats that others come in. */
export function startPageWorker({ weights, model }: WebNetwork): Worker {
  const isBundled = typeof weights === "string" && model !== undefined; // the page's are addresses, a visitor's are files
  const script = broughtFiles()?.["worker.js"];
  if (script === undefined)
    return new Worker(isBundled ? "bundled-worker.js" : "worker.js", { name: "srmap-explainer" });
  const bytes = Uint8Array.from(atob(script), (char) => char.charCodeAt(0));
  return new Worker(URL.createObjectURL(new Blob([bytes], { type: "text/javascript" })));
}
