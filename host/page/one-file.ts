import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** What the page in one file brings: its worker, kernels, the default network and the examples. */
const broughtFiles =
  /^(icon\.svg|worker\.js|kernels\.wasm|models\/squeezenet1_1-caffe\.safetensors|examples\/.*\.jpg)$/;

/** Replaces a piece of the page's own document. @throws Error when it is not there: document and this file have parted */
function put(html: string, old: RegExp, piece: string): string {
  if (!old.test(html)) throw new Error(`page: index.html has no ${old}`);
  return html.replace(old, () => piece);
}

/**
 * The page as one HTML file that can be opened from disk or mailed: it fetches nothing. Its policy names its one script by hash; the
 * worker is a blob, the only kind that browsers start for pages from disk.
 * @param files the page's files, as `pageFiles` lists them
 */
export async function oneFilePage(files: ReadonlyMap<string, string>): Promise<string> {
  const read = (address: string): Promise<Buffer> => readFile(files.get(address) ?? address);
  const brought: Record<string, string> = {};
  for (const address of files.keys()) {
    if (broughtFiles.test(address)) brought[address] = (await read(address)).toString("base64");
  }
  const script = (await read("page.js")).toString();
  if (/<\/script|<!--/i.test(script)) throw new Error("page: page.js cannot be written into a document");
  const icon = `data:image/svg+xml;base64,${(await read("icon.svg")).toString("base64")}`;
  const hash = createHash("sha256").update(script).digest("base64");
  const style = (await read("style.css")).toString();
  const styleHash = createHash("sha256").update(style).digest("base64");
  const policy = `default-src 'none'; script-src 'sha256-${hash}' 'wasm-unsafe-eval'; worker-src blob:; style-src 'sha256-${styleHash}'; img-src blob: data:; media-src blob:; connect-src data:; base-uri 'none'; form-action 'none'`;
  let html = (await read("index.html")).toString();
  html = put(html, /content="default-src [^"]*"/, `content="${policy}"`);
  html = put(html, / *<link rel="manifest"[^>]*>\n/, "");
  html = put(html, /href="icon\.svg"/, `href="${icon}"`);
  html = put(html, /<link rel="stylesheet"[^>]*>/, `<style>${style}</style>`);
  html = put(html, / *<script defer src="page\.js"><\/script>\n/, "");
  // After the body's contents: an inline script cannot be deferred.
  return put(
    html,
    /<\/body>/,
    `<script type="application/json" id="files">${JSON.stringify(brought)}</script>\n<script>${script}</script>\n</body>`,
  );
}
