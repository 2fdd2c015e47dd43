import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

// Temporary files of this process, removed when it ends early.
const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // What cannot be removed here could not be made either.
    }
  }
}

// 130 and 143 are what a shell reports for these signals. Leaving by exit() removes what is unfinished.
const onInterrupt = (): void => process.exit(130);
const onTermination = (): void => process.exit(143);

/**
 * A hidden name beside the final one, on the same disk, so that renaming is one step. Signals are watched only while such files
 * exist: a watched Ctrl-C has to wait for the computation that is going on, an unwatched one ends the process at once.
 */
function temporaryPath(folder: string, name: string): string {
  const path = join(folder, `.${name}-${randomBytes(6).toString("hex")}`);
  if (unfinished.size === 0) {
    process.on("exit", removeUnfinished);
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onTermination);
  }
  unfinished.add(path);
  return path;
}

/** A temporary path has got its final name, or is no more. */
function finish(path: string): void {
  unfinished.delete(path);
  if (unfinished.size > 0) return;
  process.off("exit", removeUnfinished);
  process.off("SIGINT", onInterrupt);
  process.off("SIGTERM", onTermination);
}

/** Removes a temporary path. Never throws: what cannot be removed could not be made, and the first error is the one to tell. */
async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
  finish(path);
}

/**
 * Writes a set of files into a folder so that nobody ever finds a half-written file. A folder that does not exist yet appears
 * with all its files at once. In one that exists, every file is written under a temporary name first; once all are complete they
 * take their places, the last of `files` last. Other files in the folder stay.
 * @throws the system's error when something cannot be written; nothing new is left then
 */
export async function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const path = resolve(folder);
  if (!existsSync(path)) {
    await mkdir(dirname(path), { recursive: true });
    const temporary = temporaryPath(dirname(path), basename(path));
    try {
      await mkdir(temporary);
      for (const [name, bytes] of files) await writeFile(join(temporary, name), bytes);
      await rename(temporary, path);
      finish(temporary);
    } catch (error) {
      await discard(temporary);
      throw error;
    }
    return;
  }
  const moves: (readonly [from: string, to: string])[] = [];
  try {
    for (const [name, bytes] of files) {
      const temporary = temporaryPath(path, name);
      moves.push([temporary, join(path, name)]);
      await writeFile(temporary, bytes);
    }
    for (const [from, to] of moves) {
      await rename(from, to);
      finish(from);
    }
  } catch (error) {
    for (const [from] of moves) await discard(from);
    throw error;
  }
}

/**
 * Finds out, before hours of work, whether files can be written into a folder (which need not exist yet).
 * @throws the system's error when they cannot
 */
export async function checkWritable(folder: string): Promise<void> {
  // The nearest folder above that exists is where a new one would be made.
  let path = resolve(folder);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  const probe = temporaryPath(path, "srmap");
  try {
    await mkdir(probe);
  } finally {
    await discard(probe);
  }
}
