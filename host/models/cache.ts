import { stat } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { registeredWeights } from "../../weights-loader/registry.ts";

/**
 * Where fetched weights are kept: `SRMAP_CACHE`, or the platform's place for caches (XDG on Linux, Library/Caches on macOS,
 * LOCALAPPDATA on Windows).
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const chosen = env["SRMAP_CACHE"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const xdg = env["XDG_CACHE_HOME"];
  if (xdg !== undefined && xdg !== "") return join(xdg, "srmap");
  if (platform() === "darwin") return join(homedir(), "Library", "Caches", "srmap");
  if (platform() === "win32") return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "srmap", "cache");
  return join(homedir(), ".cache", "srmap");
}

/**
 * Path of a network's official weights if they were fetched before. Files get their final name only when their checksum was
 * right, so a file that is there is whole.
 * @throws RangeError for a network without registered weights
 */
export async function cachedWeights(model: string, folder: string = cacheFolder()): Promise<string | undefined> {
  const { file, byteLength } = registeredWeights(model);
  const path = join(folder, file);
  try {
    const { size } = await stat(path);
    return byteLength === undefined || size === byteLength ? path : undefined;
  } catch {
    return undefined;
  }
}
