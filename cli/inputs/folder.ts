import { extname, join } from "node:path";
import type { FoundInput, Input, InputKind } from "./found-input.ts";
import { entriesOf, unreadable } from "./glob.ts";
import { holdsResults, type LeftOut, leaveOut } from "./left-out.ts";

/** Whether a file's name is one of the kind; hidden files are not. */
export function isMeant(name: string, kind: InputKind): boolean {
  return !name.startsWith(".") && kind.endings.includes(extname(name).toLowerCase());
}

interface Level {
  /** Names of the files that are meant. */
  readonly files: string[];
  /** Names of the folders that are neither hidden nor results. */
  readonly folders: string[];
}

/** Sorts what a folder holds; what is not meant is counted. A symbolic link counts as what it is named like. */
async function readLevel(folder: string, kind: InputKind, leftOut: LeftOut): Promise<Level | undefined> {
  const entries = await entriesOf(folder);
  if (kind.refusesResults && holdsResults(entries.map(({ name }) => name))) {
    leftOut.resultFolders.push(folder);
    return undefined;
  }
  const level: Level = { files: [], folders: [] };
  for (const entry of entries) {
    const { name } = entry;
    if (entry.isDirectory()) {
      if (!name.startsWith(".")) level.folders.push(name);
    } else if (isMeant(name, kind)) level.files.push(name);
    else leaveOut(leftOut, name);
  }
  return level;
}

async function walk(
  folder: string,
  relative: string,
  label: string,
  kind: InputKind,
  leftOut: LeftOut,
): Promise<Input[]> {
  let level: Level | undefined;
  try {
    level = await readLevel(folder, kind, leftOut);
  } catch (error) {
    return [unreadable(folder, error)];
  }
  if (level === undefined) return [];
  const found: Input[] = level.files.map(
    (name): FoundInput => ({ path: join(folder, name), relative: join(relative, name), label }),
  );
  for (const name of level.folders) {
    found.push(...(await walk(join(folder, name), join(relative, name), label, kind, leftOut)));
  }
  return found;
}

/**
 * What a folder stands for: the files in it. One that has none but has folders is taken to have a folder per class, as ImageNet
 * and torchvision's ImageFolder do: all files below them, each with the class's folder as its label.
 * Folders below it that cannot be read are among the results, with the reason.
 * @throws the system's error when it cannot be read itself
 */
export async function expandFolder(folder: string, kind: InputKind, leftOut: LeftOut): Promise<Input[]> {
  const level = await readLevel(folder, kind, leftOut);
  if (level === undefined) return [];
  const { files, folders } = level;
  if (files.length > 0) {
    for (const name of folders) {
      const path = join(folder, name);
      const names = await entriesOf(path).then(
        (entries) => entries.map((entry) => entry.name),
        () => [], // is not taken, whatever it holds
      );
      if (kind.refusesResults && holdsResults(names)) leftOut.resultFolders.push(path);
      else leftOut.folders.push(path);
    }
    return files.map((name) => ({ path: join(folder, name), relative: name, label: undefined }));
  }
  const found: Input[] = [];
  for (const name of folders) found.push(...(await walk(join(folder, name), name, name, kind, leftOut)));
  return found;
}
