import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { FormatError } from "../../engine/basics/errors.ts";
import {
  type AnnotatedPhoto,
  type Annotations,
  maskPhoto,
  parseCoco,
  parseMaskClasses,
  vocPhoto,
  yoloPhoto,
} from "../../evaluation/index.ts";
import { readTextFile } from "../../host/files/text-file.ts";
import { decodeAnyImage } from "../../host/photos/decode.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import { sha256 } from "../outputs/hash.ts";
import { CommandError, describeError } from "../terminal/errors.ts";
import { readVocXml } from "./voc-xml.ts";

/** What one file of a folder says. */
interface Part {
  readonly photo: AnnotatedPhoto;
  readonly notes: readonly string[];
}

/** Colours of a PNG's palette, 0xrrggbb; undefined where it has none. Source: PNG specification, third edition, section 11.2.2. */
function paletteOf(png: Uint8Array): number[] | undefined {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (kind === "PLTE" && at + 8 + length <= png.length) {
      return Array.from({ length: length / 3 }, (_, i) => view.getUint32(at + 7 + 3 * i) & 0xffffff);
    }
    at += 12 + length;
  }
  return undefined;
}

/** The class names beside a folder's files: in it or in the folder around it. */
async function readClasses(folder: string): Promise<string> {
  for (const path of [join(folder, "classes.txt"), join(dirname(folder), "classes.txt")]) {
    const text = await readTextFile(path).catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new FormatError(
    'needs a file classes.txt in this folder or the one around it: for YOLO a class name a line, for masks lines "#rrggbb NAME" or "INDEX NAME".',
  );
}

type ReadPart = (stem: string, path: string) => Promise<Part>;

/** How the files of a folder with this ending are read. */
async function readerOf(folder: string, ending: string): Promise<ReadPart> {
  if (ending === ".xml") {
    return async (stem, path) => {
      const { size, objects } = readVocXml(stem, await readTextFile(path));
      return vocPhoto(stem, size, objects);
    };
  }
  const classes = await readClasses(folder);
  if (ending === ".txt") {
    const names = classes.split(/\r?\n/).map((name) => name.trim());
    return async (stem, path) => yoloPhoto(stem, await readTextFile(path), names);
  }
  const colors = parseMaskClasses(classes);
  return async (stem, path) => {
    const bytes = await readPhotoBytes(path);
    return { photo: maskPhoto(stem, await decodeAnyImage(bytes), colors, paletteOf(bytes)), notes: [] };
  };
}

/** A folder with a file for each photo. A file that cannot be read is told, the others count. */
async function readFolder(folder: string): Promise<Annotations> {
  const entries = (await readdir(folder)).filter((name) => name !== "classes.txt").sort();
  const ending = [".xml", ".png", ".txt"].find((each) => entries.some((name) => extname(name).toLowerCase() === each));
  if (ending === undefined) {
    throw new FormatError("has no annotations: .xml files (Pascal VOC), .png (masks) or .txt (YOLO), one a photo.");
  }
  const read = await readerOf(folder, ending);
  const photos = new Map<string, AnnotatedPhoto>();
  const notes: string[] = [];
  for (const name of entries.filter((each) => extname(each).toLowerCase() === ending)) {
    const stem = name.slice(0, -ending.length);
    try {
      const part = await read(stem, join(folder, name));
      photos.set(stem, part.photo);
      notes.push(...part.notes);
    } catch (error) {
      notes.push(`${name}: ${describeError(error)}`);
    }
  }
  return { photos, notes };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new FormatError("is no JSON, as COCO's annotations are; of the other formats give the folder.");
  }
}

/**
 * Reads annotations: COCO's JSON, or a folder with a file for each photo, of the photo's name: Pascal VOC's XML, YOLO's text or masks as
 * PNG.
 * @throws CommandError
 */
export async function readAnnotations(path: string): Promise<Annotations> {
  try {
    if ((await stat(path)).isDirectory()) return await readFolder(path);
    return parseCoco(parseJson(await readTextFile(path)));
  } catch (error) {
    throw new CommandError(`annotations ${path}: ${describeError(error)}`);
  }
}

/** SHA-256 of an annotation file, or of what a folder's files say. */
export async function annotationsHash(path: string, { photos, notes }: Annotations): Promise<string> {
  const isFolder = (await stat(path)).isDirectory();
  const bytes = isFolder
    ? new TextEncoder().encode(JSON.stringify([...photos.values(), ...notes]))
    : await readFile(path);
  return sha256(bytes);
}
