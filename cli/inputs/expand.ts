import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, sep } from "node:path";
import { describeError } from "../terminal/errors.ts";

/** A photo to work on, or why an argument gave none. */
export type Input =
  | { readonly path: string; readonly error?: undefined }
  | { readonly path: string; readonly error: string };

/** All that the arguments stand for. */
export interface Inputs {
  readonly inputs: readonly Input[];
  /** True when each photo gets a folder of its own: several photos, or arguments that can stand for several. */
  readonly areSeveral: boolean;
}

/** Which files of a folder or pattern are meant. A file named by itself is always taken. */
export interface InputKind {
  /** In messages: "PNG, JPEG or .npy file". */
  readonly name: string;
  /** Endings in lower case, with the dot. */
  readonly endings: readonly string[];
}

/** Pictures, and tensors in their place. */
export const photoInputs: InputKind = {
  name: "PNG, JPEG or .npy file",
  endings: [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".npy"],
};

/** Attribution maps. */
export const mapInputs: InputKind = { name: ".npy file", endings: [".npy"] };

function isMeant(name: string, kind: InputKind): boolean {
  return !name.startsWith(".") && kind.endings.includes(extname(name).toLowerCase());
}

/** In the order of the names' code points, the same on every machine. */
function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await readdir(folder === "" ? "." : folder, { withFileTypes: true })).sort(byName);
}

/** `*` any characters, `?` one character; neither crosses a folder or matches a leading dot. */
function segmentPattern(segment: string): RegExp {
  const source = segment
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${segment.startsWith(".") ? "" : "(?!\\.)"}${source}$`);
}

/** Paths below `folder` that match; `**` stands for any number of folders. */
async function expandGlob(folder: string, segments: readonly string[]): Promise<string[]> {
  const [first, ...rest] = segments;
  if (first === undefined) return [];
  if (!/[*?]/.test(first)) {
    const path = join(folder, first);
    if (rest.length > 0) return expandGlob(path, rest);
    return (await isFile(path)) ? [path] : [];
  }
  const found: string[] = first === "**" && rest.length > 0 ? await expandGlob(folder, rest) : [];
  let entries: Dirent[];
  try {
    entries = await entriesOf(folder);
  } catch {
    return found; // a folder that cannot be read holds no match
  }
  const pattern = first === "**" ? /^[^.]/ : segmentPattern(first);
  for (const entry of entries.filter(({ name }) => pattern.test(name))) {
    const path = join(folder, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && first !== "**" && !(await isFile(path)));
    if (isFolder) found.push(...(await expandGlob(path, first === "**" ? segments : rest)));
    else if (rest.length === 0) found.push(path);
  }
  return found;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function expandArgument(argument: string, kind: InputKind): Promise<Input[]> {
  let isFolder = false;
  try {
    isFolder = (await stat(argument)).isDirectory();
  } catch (error) {
    // A name that exists is taken as it is, even with an asterisk in it.
    if (!/[*?]/.test(argument)) return [{ path: argument, error: describeError(error) }];
    const segments = argument.split(/[/\\]/).filter((segment, i) => segment !== "" || i === 0);
    const start = segments[0] === "" ? sep : "";
    const found = await expandGlob(start, start === "" ? segments : segments.slice(1));
    const photos = [...new Set(found)].filter((path) => isMeant(basename(path), kind));
    if (photos.length === 0) return [{ path: argument, error: `no ${kind.name} matches this pattern.` }];
    return photos.map((path) => ({ path }));
  }
  if (!isFolder) return [{ path: argument }];
  try {
    const names = (await entriesOf(argument)).filter(({ name }) => isMeant(name, kind)).map(({ name }) => name);
    if (names.length === 0) return [{ path: argument, error: `there is no ${kind.name} in this folder.` }];
    return names.map((name) => ({ path: join(argument, name) }));
  } catch (error) {
    return [{ path: argument, error: describeError(error) }];
  }
}

/**
 * The photos that files, folders (not their subfolders) and patterns (with `*`, `?` and `**`, for shells that do not expand them)
 * stand for, in the order given, each once.
 */
export async function expandInputs(args: readonly string[], kind: InputKind): Promise<Inputs> {
  const inputs: Input[] = [];
  const seen = new Set<string>();
  let areSeveral = args.length > 1;
  for (const argument of args) {
    const expanded = await expandArgument(argument, kind);
    areSeveral ||= expanded.length > 1 || expanded[0]?.path !== argument;
    for (const input of expanded) {
      if (seen.has(input.path)) continue;
      seen.add(input.path);
      inputs.push(input);
    }
  }
  return { inputs, areSeveral };
}

/** Folder names for photos: their names without ending, numbered where two would share one. */
export function folderNames(paths: readonly string[]): string[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const name = basename(path, extname(path)) || "photo";
    let unique = name;
    // Compared without case: on many disks "A" and "a" are one folder.
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${name}-${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
