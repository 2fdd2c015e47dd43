import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { discard, removeLitter, temporaryPath } from "./litter.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/**
 * A folder with the files takes its name in one step. One that was there is moved aside just before and removed afterwards; its
 * other files are in both from the start, as second links, so that nothing is lost whenever the process is killed.
 * @param others names of files in the folder that stay
 */
function writeWholeFolder(path: string, files: Files, others: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = temporaryPath(dirname(path), basename(path), "new");
  const previous = temporaryPath(dirname(path), basename(path), "old");
  try {
    mkdirSync(next);
    for (const [name, bytes] of files) writeFileSync(join(next, name), bytes);
    for (const name of others) linkSync(join(path, name), join(next, name));
    if (existsSync(path)) renameSync(path, previous);
    try {
      renameSync(next, path);
    } catch (error) {
      if (existsSync(previous)) renameSync(previous, path);
      throw error;
    }
  } catch (error) {
    discard(next);
    throw error;
  }
  discard(previous);
}

/**
 * Files take their places one by one, without what is obsolete. The last one, the report that says what the others are, is taken away before: a folder that
 * has it has everything.
 */
function writeIntoFolder(path: string, files: Files, obsolete: readonly string[]): void {
  const moves: (readonly [from: string, to: string])[] = [];
  try {
    for (const [name, bytes] of files) {
      const temporary = temporaryPath(path, name, "new");
      moves.push([temporary, join(path, name)]);
      writeFileSync(temporary, bytes);
    }
    const last = moves.at(-1);
    if (moves.length > 1 && last !== undefined) rmSync(last[1], { force: true });
    for (const name of obsolete) rmSync(join(path, name), { force: true });
    for (const [from, to] of moves) renameSync(from, to);
  } catch (error) {
    for (const [from] of moves) discard(from);
    throw error;
  }
}

/** The files of a folder that may be replaced as a whole; undefined when it holds folders, or somebody stands in it. */
function filesOf(path: string): string[] | undefined {
  if (!relative(path, process.cwd()).startsWith("..")) return undefined;
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.every((entry) => entry.isFile()) ? entries.map(({ name }) => name) : undefined;
}

const cleaned = new Set<string>();

/** Removes what killed runs left in a folder, once for each folder and run. */
export function cleanOnce(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  removeLitter(folder);
}

/** Somebody else made a folder of this name meanwhile. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}

function write(path: string, files: Files, isObsolete: (name: string) => boolean): void {
  cleanOnce(dirname(path));
  if (!existsSync(path)) {
    try {
      writeWholeFolder(path, files, []);
      return;
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  cleanOnce(path);
  const goes = (name: string): boolean => !files.has(name) && isObsolete(name);
  const present = filesOf(path);
  if (present !== undefined) {
    try {
      const others = present.filter((name) => !files.has(name) && !goes(name));
      writeWholeFolder(path, files, others);
      return;
    } catch {
      // A disk without links, a folder that must not be renamed (a mount, one that is open on Windows): file by file then, and
      // an error that comes again is told.
    }
  }
  writeIntoFolder(path, files, readdirSync(path).filter(goes));
}

/**
 * Does something synchronous that Ctrl-C or a kill must not cut in two: the signal waits until it is done. Outside of this,
 * signals are not watched and end the process at once, also during a computation.
 */
async function uninterrupted(work: () => void): Promise<void> {
  // What a shell reports for these signals.
  const onInterrupt = (): void => process.exit(130);
  const onTermination = (): void => process.exit(143);
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTermination);
  try {
    work();
  } finally {
    // A signal that came meanwhile is delivered when the event loop polls, which it has surely done by the second turn.
    await setImmediate();
    await setImmediate();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTermination);
  }
}

/**
 * Writes a set of files into a folder so that nobody ever finds a half-written set, not even after `kill -9`: the folder appears
 * or is replaced with all its files at once, other files in it stay. Where that cannot be done (it holds folders, is the working
 * folder, or the disk has no links), files are replaced one by one, each whole, and the last of `files` is missing until all are
 * there. What killed runs left beside it or in it is removed first.
 * @param isObsolete tells, by name, files of an earlier result: they go where the new ones do not replace them. Default: none.
 * @throws the system's error when something cannot be written; nothing new is left then
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  isObsolete: (name: string) => boolean = () => false,
): Promise<void> {
  const path = resolve(folder);
  await uninterrupted(() => write(path, files, isObsolete));
}

/** Writes one file so that nobody finds it half-written, making its folder; one of the same bytes is left as it is. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryPath(dirname(path), basename(path), "new");
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

/**
 * Finds out, before hours of work, whether files can be written into a folder (which need not exist yet), and removes what killed
 * runs left in it.
 * @throws the system's error when they cannot
 */
export function checkWritable(folder: string): void {
  // The nearest folder above that exists is where a new one would be made.
  let path = resolve(folder);
  cleanOnce(dirname(path));
  cleanOnce(path);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  const probe = temporaryPath(path, "srmap", "new");
  try {
    mkdirSync(probe);
  } finally {
    discard(probe);
  }
}
