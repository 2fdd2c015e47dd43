import { readdirSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const packageFolder = fileURLToPath(new URL("../../../", import.meta.url));

/** Files of a folder of the package whose names match, by the address that the page knows them under. */
function filesIn(folder: string, place: string, names: RegExp): [string, string][] {
  return readdirSync(join(packageFolder, folder))
    .filter((name) => names.test(name))
    .map((name) => [`${place}${name}`, join(packageFolder, folder, name)]);
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
 * Writes the page as static files, to be served from anywhere. The folder appears whole or not at all.
 * @throws Error when the folder is there and not empty, and the system's errors
 */
export async function writePage(folder: string): Promise<void> {
  const target = resolve(folder);
  const there = await readdir(target).catch(() => undefined);
  if (there !== undefined && there.length > 0) {
    throw new Error(`${folder}: the folder is not empty. Name one that is new, or empty it.`);
  }
  await mkdir(dirname(target), { recursive: true });
  const made = await mkdtemp(join(dirname(target), ".srmap-page-"));
  try {
    for (const [address, path] of pageFiles()) {
      await mkdir(dirname(join(made, address)), { recursive: true });
      await copyFile(path, join(made, address));
    }
    if (there !== undefined) await rm(target, { recursive: true });
    await rename(made, target);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}
