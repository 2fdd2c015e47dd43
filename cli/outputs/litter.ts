import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

// Which machine and process made a temporary name, so that nobody removes what another is still writing. Several machines may
// write into one folder (shards on a network disk).
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const pattern = /^\.(.+)\.srmap-(new|old)-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}$/;

/** What a temporary file or folder is: the next content of a name, or its content before. */
export type TemporaryKind = "new" | "old";

/** A hidden name beside the final one, on the same disk, so that renaming is one step. */
export function temporaryPath(folder: string, name: string, kind: TemporaryKind): string {
  return join(folder, `.${name}.srmap-${kind}-${machine}-${process.pid}-${randomBytes(4).toString("hex")}`);
}

/** Never throws: what cannot be removed could not be made, and the first error is the one to tell. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // See above.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Removes what runs that were killed left in a folder, and puts back what they had moved aside and not replaced. What a running
 * process or another machine made is left alone. Never throws: litter that stays harms nobody.
 */
export function removeLitter(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const entry of names) {
    const [, name, kind, madeBy, pid] = pattern.exec(entry) ?? [];
    if (name === undefined || madeBy !== machine || isRunning(Number(pid))) continue;
    const path = join(folder, entry);
    const final = join(folder, name);
    if (kind === "old" && !existsSync(final)) {
      try {
        renameSync(path, final);
        continue;
      } catch {
        // Somebody has just made the final one.
      }
    }
    discard(path);
  }
}
