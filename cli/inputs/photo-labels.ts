import { FormatError } from "../../engine/basics/errors.ts";
import { imagenetLabels } from "../../engine/labels/imagenet.ts";
import { imagenetFolders } from "../../engine/labels/imagenet-folders.ts";
import { readTextFile } from "../../host/files/text-file.ts";
import { CommandError, describeError } from "../terminal/errors.ts";
import type { Input } from "./found-input.ts";

/** True class of each photo, by file name: a class name. */
export type PhotoLabels = ReadonlyMap<string, string>;

/** A class name as names are compared: without regard to case, `_` and blanks being the same. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll("_", " ").trim();
}

/**
 * The true classes that a tree with a folder per class tells. A folder counts when it is called like one of
 * ImageNet's folders (`n01440764`) or like a class; other folders may mean anything, so that their photos have no true class.
 * @param paths what each input is called in the results, which the map has as its keys
 * @param known class names of the network, where they are known already
 * @returns undefined when no photo has one
 */
export function labelsOfFolders(
  inputs: readonly Input[],
  paths: readonly string[],
  known: readonly string[],
): PhotoLabels | undefined {
  const names = new Map([...imagenetLabels, ...known].map((name) => [plainName(name), name]));
  for (const [index, folder] of imagenetFolders().entries()) names.set(folder, imagenetLabels[index] ?? folder);
  const labels = new Map<string, string>();
  for (const [i, input] of inputs.entries()) {
    if (input.error !== undefined || input.label === undefined) continue;
    const name = names.get(plainName(input.label));
    if (name !== undefined) labels.set(paths[i] ?? input.relative, name);
  }
  return labels.size === 0 ? undefined : labels;
}

function classOf(file: string, value: unknown): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  const index: unknown = typeof value === "object" && value !== null && "index" in value ? value.index : undefined;
  const name = typeof index === "number" ? imagenetLabels[index] : undefined;
  if (name !== undefined) return name;
  throw new FormatError(
    `"${file}" must have a class name ("tench") or an ImageNet index ({"index": 0}), 0 to 999, got ${JSON.stringify(value)}.`,
  );
}

/**
 * Reads a file of true classes: {"photo.jpg": {"index": 0}} with ImageNet indices, or {"photo.jpg": "tench"}.
 * @throws CommandError when it cannot be read or is not of this form
 */
export async function readLabels(path: string): Promise<PhotoLabels> {
  try {
    const parsed: unknown = JSON.parse(await readTextFile(path));
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw new FormatError('must be an object of file names, {"photo.jpg": "tench"}.');
    }
    return new Map(Object.entries(parsed).map(([file, value]) => [file, classOf(file, value)]));
  } catch (error) {
    throw new CommandError(`labels ${path}: ${describeError(error)}`);
  }
}
