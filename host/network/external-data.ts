import { realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { FormatError } from "../../engine/basics/errors.ts";
import type { ExternalData } from "../../weights-loader/index.ts";
import { type FileSource, fileSource } from "../files/source.ts";

/** Where a link leads, or undefined where nothing is. */
async function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  });
}

/** Names under which exporters put a model's data beside it: what a file is called after both were renamed. */
function namesAfter(model: string): string[] {
  const stem = model.replace(/\.[^.]*$/, "");
  return [`${model}.data`, `${model}_data`, `${stem}.data`];
}

/**
 * Opens data beside a model (ONNX, TensorFlow.js): in the folder where it is named, else in the folder where the file itself lies, which
 * differs where the model is a link. A link is followed into these two folders alone. That is how the cache of Hugging Face is built:
 * `snapshots/.../model.onnx` and its data are links to `blobs/...`.
 *
 * Where the data is missing and one file has the name that an exporter would give to this model's data, both were renamed: it is taken,
 * and a note says so.
 * @param opened hears of every file that was opened, for closing it
 */
export function externalData(path: string, opened: FileSource[], notes: string[]): ExternalData {
  const name = basename(path);
  const about = `weights "${name}"`;
  let renamed: { readonly from: string; readonly to: string } | undefined;

  const renamedFile = async (location: string, folders: readonly string[]): Promise<string | undefined> => {
    if (renamed !== undefined && renamed.from !== location) return undefined; // one file cannot stand for two
    const places = folders.flatMap((folder) => namesAfter(name).map((candidate) => join(folder, candidate)));
    const there = new Set<string>();
    for (const place of places) {
      const target = await realPathOf(place);
      if (target !== undefined) there.add(target);
    }
    const [only, second] = there;
    if (only === undefined || second !== undefined) return undefined;
    if (renamed === undefined) {
      notes.push(
        `its weights should lie in "${location}", which is not there; "${basename(only)}", which is called after the model, is read instead.`,
      );
    }
    renamed = { from: location, to: only };
    return only;
  };

  return async (location) => {
    const folders = [...new Set([await realpath(dirname(path)), dirname(await realpath(path))])];
    let target: string | undefined;
    for (const folder of folders) target ??= await realPathOf(join(folder, location));
    target ??= await renamedFile(location, folders);
    if (target === undefined) {
      throw new FormatError(
        `${about}: part of its weights lies in "${location}", which is not there. Put that file, under that name, into the folder of "${name}".`,
      );
    }
    if (!folders.some((folder) => target.startsWith(folder.endsWith(sep) ? folder : folder + sep))) {
      throw new FormatError(`${about}: its external data "${location}" would lie outside the model's folder.`);
    }
    const source = await fileSource(target);
    opened.push(source);
    return source;
  };
}
