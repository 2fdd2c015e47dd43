import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { describeError } from "../terminal/errors.ts";
import type { Input } from "./found-input.ts";

/** In the order of the names' code points, the same on every machine. */
function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What a folder holds, in the order of the names. */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await readdir(folder === "" ? "." : folder, { withFileTypes: true })).sort(byName);
}

/** A folder that cannot be read, among the inputs: what it holds is not done, and that is said. */
export function unreadable(path: string, error: unknown): Input {
  return { path, error: describeError(error) };
}

/** Whether there is no such folder, which is no fault where a pattern only might have meant one. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** `*` any characters, `?` one character; neither crosses a folder or matches a leading dot. */
function segmentPattern(segment: string): RegExp {
  const source = segment
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${segment.startsWith(".") ? "" : "(?!\\.)"}${source}$`);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Paths below `folder` that match; `**` stands for any number of folders. Folders that cannot be read go to `failed`. */
async function expandSegments(folder: string, segments: readonly string[], failed: Input[]): Promise<string[]> {
  const [first, ...rest] = segments;
  if (first === undefined) return [];
  if (!/[*?]/.test(first)) {
    const path = join(folder, first);
    if (rest.length > 0) return expandSegments(path, rest, failed);
    return (await isFile(path)) ? [path] : [];
  }
  const found: string[] = first === "**" && rest.length > 0 ? await expandSegments(folder, rest, failed) : [];
  let entries: Dirent[];
  try {
    entries = await entriesOf(folder);
  } catch (error) {
    if (!isAbsent(error)) failed.push(unreadable(folder, error));
    return found;
  }
  const pattern = first === "**" ? /^[^.]/ : segmentPattern(first);
  for (const entry of entries.filter(({ name }) => pattern.test(name))) {
    const path = join(folder, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && first !== "**" && !(await isFile(path)));
    if (isFolder) found.push(...(await expandSegments(path, first === "**" ? segments : rest, failed)));
    else if (rest.length === 0) found.push(path);
  }
  return found;
}

/** The files that a pattern means, each once, the folders that it could not look into, and the folder above its first wildcard. */
export async function expandGlob(pattern: string): Promise<{ paths: string[]; failed: Input[]; root: string }> {
  const segments = pattern.split(/[/\\]/).filter((segment, i) => segment !== "" || i === 0);
  const isAbsolute = segments[0] === "";
  const parts = isAbsolute ? segments.slice(1) : segments;
  const start = isAbsolute ? sep : "";
  const wildcard = parts.findIndex((segment) => /[*?]/.test(segment));
  const root = join(start, ...parts.slice(0, Math.max(0, wildcard)));
  const failed: Input[] = [];
  const found = await expandSegments(start, parts, failed);
  const odd = found.filter((path) => path.includes("\uFFFD")); // names that are no UTF-8 look alike and are not
  return { paths: [...new Set(found.filter((path) => !path.includes("\uFFFD"))), ...odd], failed, root };
}
