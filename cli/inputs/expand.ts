import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, relative } from "node:path";
import { describeError } from "../terminal/errors.ts";
import { expandFolder, isMeant } from "./folder.ts";
import type { Input, InputKind } from "./found-input.ts";
import { expandGlob } from "./glob.ts";
import { holdsResults, type LeftOut, leaveOut, nothingLeftOut } from "./left-out.ts";

/** All that the arguments stand for. */
export interface Inputs {
  readonly inputs: readonly Input[];
  /** True when each photo gets a folder of its own: several photos, or arguments that can stand for several. */
  readonly areSeveral: boolean;
  /** What lay beside them and was not taken. */
  readonly leftOut: LeftOut;
}

/** Pictures, and tensors in their place. */
export const photoInputs: InputKind = {
  name: "photo or .npy file",
  endings: [
    ...[".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".npy"],
    // Read by an optional package, or told to be of a format that is not.
    ...[".webp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"],
  ],
  refusesResults: true,
};

/** Attribution maps, which may be results. */
export const mapInputs: InputKind = { name: ".npy file", endings: [".npy"], refusesResults: false };

/** Whether an argument is the address of a photo and no path. */
export function isUrl(argument: string): boolean {
  return /^https?:\/\//i.test(argument);
}

/** What an input is called: the file's name, that of a URL's file, or `stdin`. */
export function inputName(path: string): string {
  if (path === "-") return "stdin";
  if (!isUrl(path)) return basename(path);
  const { pathname, hostname } = new URL(path);
  return basename(pathname) || hostname;
}

/** Names in a folder; none where it may be entered but not read. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function filesOfPattern(pattern: string, kind: InputKind, leftOut: LeftOut): Promise<Input[]> {
  const { paths, failed, root } = await expandGlob(pattern);
  const areResults = new Map<string, boolean>();
  const found: Input[] = [];
  for (const path of paths) {
    if (!isMeant(basename(path), kind)) {
      leaveOut(leftOut, basename(path));
      continue;
    }
    const folder = dirname(path);
    let isResult = areResults.get(folder);
    if (isResult === undefined) {
      isResult = kind.refusesResults && holdsResults(await namesIn(folder));
      areResults.set(folder, isResult);
      if (isResult) leftOut.resultFolders.push(folder);
    }
    if (!isResult) found.push({ path, relative: relative(root, path), label: undefined });
  }
  return [...found, ...failed];
}

async function expandArgument(argument: string, kind: InputKind, leftOut: LeftOut): Promise<Input[]> {
  if (argument === "-") return [{ path: argument, relative: inputName(argument), label: undefined }];
  if (isUrl(argument)) {
    try {
      return [{ path: argument, relative: inputName(argument), label: undefined }];
    } catch {
      return [{ path: argument, error: "this is no valid URL." }];
    }
  }
  try {
    if (!(await stat(argument)).isDirectory()) {
      return [{ path: argument, relative: basename(argument), label: undefined }];
    }
  } catch (error) {
    // A name that exists is taken as it is, even with an asterisk in it.
    if (!/[*?]/.test(argument)) return [{ path: argument, error: describeError(error) }];
    const found = await filesOfPattern(argument, kind, leftOut);
    return found.length > 0 ? found : [{ path: argument, error: `no ${kind.name} matches this pattern.` }];
  }
  try {
    const found = await expandFolder(argument, kind, leftOut);
    return found.length > 0 ? found : [{ path: argument, error: `there is no ${kind.name} in this folder.` }];
  } catch (error) {
    return [{ path: argument, error: describeError(error) }];
  }
}

/**
 * What files, folders, patterns (with `*`, `?` and `**`, for shells that do not expand them), URLs and `-` (standard input) stand
 * for, in the order given, each once. A folder stands for the files in it, or, where it has folders alone, for one folder per class.
 */
export async function expandInputs(args: readonly string[], kind: InputKind): Promise<Inputs> {
  const inputs: Input[] = [];
  const seen = new Set<string>();
  const leftOut = nothingLeftOut();
  let areSeveral = args.length > 1;
  for (const argument of args) {
    const expanded = await expandArgument(argument, kind, leftOut);
    areSeveral ||= expanded.length > 1 || expanded[0]?.path !== argument;
    for (const input of expanded) {
      // Bytes that are no UTF-8 all read as this character: two such names that look alike are two files.
      if (seen.has(input.path) && !input.path.includes("\uFFFD")) continue;
      seen.add(input.path);
      inputs.push(input);
    }
  }
  return { inputs, areSeveral, leftOut };
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
