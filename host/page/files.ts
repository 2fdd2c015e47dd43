import { readdirSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { packagePath } from "../files/package-folder.ts";
import { oneFilePage } from "./one-file.ts";

/** Files of a folder of the package whose names match, by the address that the page knows them under. */
function filesIn(folder: string, place: string, names: RegExp): [string, string][] {
  return readdirSync(packagePath(folder))
    .filter((name) => names.test(name))
    .map((name) => [`${place}${name}`, packagePath(folder, name)]);
}

/** Every file of the page: its address, relative to the page, and where it lies in this package. */
export function pageFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...filesIn("build/page", "", /^[^.].*\.(html|css|js|svg|webmanifest)$/),
    ...filesIn("build/kernels-as", "", /^kernels(-shared)?\.wasm$/),
    ...filesIn("examples", "examples/", /\.jpg$/),
    ...filesIn("models", "models/", /\.safetensors$/),
  ]);
}

/**
 * Writes the page as static files, to be served from anywhere or opened from disk (`srmap.html` is the whole page in one file, to which
 * `index.html` leads there). The folder appears whole or not at all. A path that ends in .html gets the one file alone.
 * @throws Error when the folder is there and not empty, or the file is there, and the system's errors
 */
export async function writePage(path: string): Promise<void> {
  const target = resolve(path);
  const files = pageFiles();
  if (/\.html?$/i.test(path)) {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await oneFilePage(files), { flag: "wx" });
    return;
  }
  const there = await readdir(target).catch(() => undefined);
  if (there !== undefined && there.length > 0) {
    throw new Error(`${path}: the folder is not empty. Name one that is new, or empty it.`);
  }
  await mkdir(dirname(target), { recursive: true });
  const made = await mkdtemp(join(dirname(target), ".srmap-page-"));
  try {
    for (const [address, file] of files) {
      await mkdir(dirname(join(made, address)), { recursive: true });
      await copyFile(file, join(made, address));
    }
    await writeFile(join(made, "srmap.html"), await oneFilePage(files));
    await chmod(made, 0o777 & ~process.umask()); // as mkdir makes folders: a server of another user has to read it
    if (there !== undefined) await rm(target, { recursive: true });
    await rename(made, target);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}
