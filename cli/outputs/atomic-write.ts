import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

/** A hidden name beside the final one, on the same disk, so that renaming is one step. */
function temporaryPath(folder: string, name: string): string {
  return join(folder, `.${name}-${randomBytes(6).toString("hex")}`);
}

/** Never throws: what cannot be removed could not be made, and the first error is the one to tell. */
function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // See above.
  }
}

function writeNewFolder(path: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryPath(dirname(path), basename(path));
  try {
    mkdirSync(temporary);
    for (const [name, bytes] of files) writeFileSync(join(temporary, name), bytes);
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

function writeIntoFolder(path: string, files: ReadonlyMap<string, Uint8Array>): void {
  const moves: (readonly [from: string, to: string])[] = [];
  try {
    for (const [name, bytes] of files) {
      const temporary = temporaryPath(path, name);
      moves.push([temporary, join(path, name)]);
      writeFileSync(temporary, bytes);
    }
    for (const [from, to] of moves) renameSync(from, to);
  } catch (error) {
    for (const [from] of moves) discard(from);
    throw error;
  }
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
 * Writes a set of files into a folder so that nobody ever finds a half-written file. A folder that does not exist yet appears
 * with all its files at once. In one that exists, every file is written under a temporary name first; once all are complete they
 * take their places, the last of `files` last. Other files in the folder stay.
 * @throws the system's error when something cannot be written; nothing new is left then
 */
export async function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const path = resolve(folder);
  await uninterrupted(() => (existsSync(path) ? writeIntoFolder(path, files) : writeNewFolder(path, files)));
}

/**
 * Finds out, before hours of work, whether files can be written into a folder (which need not exist yet).
 * @throws the system's error when they cannot
 */
export function checkWritable(folder: string): void {
  // The nearest folder above that exists is where a new one would be made.
  let path = resolve(folder);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  const probe = temporaryPath(path, "srmap");
  try {
    mkdirSync(probe);
  } finally {
    discard(probe);
  }
}
