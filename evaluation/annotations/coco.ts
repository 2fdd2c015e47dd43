import { FormatError } from "../../engine/basics/errors.ts";
import { type AnnotatedObject, type AnnotatedPhoto, type Annotations, boxProblem } from "./objects.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "number" && Number.isFinite(entry));

function listOf(document: Json, key: string): Json[] {
  const list = document[key];
  if (!Array.isArray(list) || !list.every(isObject)) {
    throw new FormatError(`annotations: "${key}" must be a list of objects, as COCO's JSON has it.`);
  }
  return list;
}

function numberOf(entry: Json, key: string, where: string): number {
  const value = entry[key];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new FormatError(`annotations: ${where} must have a number "${key}", got ${JSON.stringify(value)}.`);
}

/**
 * COCO's compressed RLE: each run in groups of 5 bits from the lowest, bit 6 says that more follow, from the third run on as the
 * difference to the run before the last. Source: pycocotools, maskApi.c, rleFrString.
 */
export function decodeRuns(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, shift] = [0, 0];
    for (;;) {
      const bits = text.charCodeAt(at++) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 25) throw new FormatError("annotations: a compressed RLE is damaged.");
      value |= (bits & 31) << shift;
      shift += 5;
      if ((bits & 32) !== 0) continue;
      if ((bits & 16) !== 0) value |= -1 << shift;
      break;
    }
    runs.push(value + (runs.length > 2 ? runs[runs.length - 2]! : 0));
  }
  return runs;
}

/** The outline of an annotation: polygons, or runs that cover the picture. Undefined where it has none. */
function outlineOf(segmentation: unknown, area: number): Pick<AnnotatedObject, "polygons" | "runs"> | undefined {
  if (Array.isArray(segmentation) && segmentation.length > 0) {
    const isOutline = segmentation.every((each) => isNumbers(each) && each.length >= 6 && each.length % 2 === 0);
    return isOutline ? { polygons: segmentation as number[][] } : undefined;
  }
  if (!isObject(segmentation)) return {};
  const { counts } = segmentation;
  const runs = typeof counts === "string" ? decodeRuns(counts) : counts;
  if (!isNumbers(runs) || runs.some((run) => run < 0)) return undefined;
  return runs.reduce((sum, run) => sum + run, 0) === area ? { runs } : undefined;
}

/**
 * Reads COCO's JSON: images, annotations with boxes and, where they have them, polygons or RLE, categories. What cannot count is left
 * out and told: boxes without area or outside the picture, outlines of another size, crowd regions.
 * @throws FormatError when the document is none of COCO's
 */
export function parseCoco(document: unknown): Annotations {
  if (!isObject(document))
    throw new FormatError("annotations: must be COCO's JSON, an object with images and annotations.");
  const names = new Map(
    listOf(document, "categories").map((each) => [numberOf(each, "id", "a category"), String(each["name"])]),
  );
  const notes: string[] = [];
  const photos = new Map<number, AnnotatedPhoto & { objects: AnnotatedObject[] }>();
  const sizeless = new Set<number>();
  for (const image of listOf(document, "images")) {
    const { file_name: file, width, height } = image;
    if (typeof file !== "string") throw new FormatError('annotations: an image has no "file_name".');
    const id = numberOf(image, "id", `image "${file}"`);
    if (isNumbers([width, height]) && Number(width) > 0 && Number(height) > 0) {
      photos.set(id, { file: baseName(file), width: Number(width), height: Number(height), objects: [] });
    } else {
      sizeless.add(id);
      notes.push(`image "${file}": has no "width" and "height" above 0, left out.`);
    }
  }
  for (const each of listOf(document, "annotations")) {
    const id = numberOf(each, "id", "an annotation");
    const photo = photos.get(numberOf(each, "image_id", `annotation ${id}`));
    const categoryId = numberOf(each, "category_id", `annotation ${id}`);
    if (photo === undefined && sizeless.has(Number(each["image_id"]))) continue; // told above
    const { bbox } = each;
    const leaveOut = (reason: string): void => void notes.push(`annotation ${id}: ${reason}, left out.`);
    if (photo === undefined) leaveOut("belongs to an image that the file does not list");
    else if (!isNumbers(bbox) || bbox.length !== 4) leaveOut('has no "bbox" of four numbers');
    else {
      const [left = 0, top = 0, width = 0, height = 0] = bbox;
      const outline = outlineOf(each["segmentation"], photo.width * photo.height);
      const problem = boxProblem({ left, top, width, height }, photo);
      if (problem !== undefined) leaveOut(problem);
      else if (outline === undefined) leaveOut(`its segmentation does not fit "${photo.file}"`);
      else {
        const label = names.get(categoryId) ?? String(categoryId);
        const isCrowd = each["iscrowd"] === 1;
        photo.objects.push({ label, categoryId, box: { left, top, width, height }, isCrowd, ...outline });
      }
    }
  }
  return { photos: byName([...photos.values()], notes), notes };
}

/** Exports name photos with their folders, of this or another system; they are looked for by their names. */
const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

/** Photos by name; of two of one name nobody could say which is meant. */
function byName(photos: readonly AnnotatedPhoto[], notes: string[]): Map<string, AnnotatedPhoto> {
  const found = new Map<string, AnnotatedPhoto>();
  const twice = new Set<string>();
  for (const photo of photos) {
    if (found.has(photo.file)) twice.add(photo.file);
    found.set(photo.file, photo);
  }
  for (const name of twice) {
    found.delete(name);
    notes.push(`${name}: the annotations have several photos of this name, left out.`);
  }
  return found;
}
