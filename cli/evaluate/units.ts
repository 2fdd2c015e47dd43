import { basename } from "node:path";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { type AnnotatedObject, type AnnotatedPhoto, type Annotations, annotatedPhoto } from "../../evaluation/index.ts";
import { plainName } from "../inputs/photo-labels.ts";
import { counted } from "../terminal/counted.ts";

/** One photo and one class of objects on it: what one line of the evaluation is about. */
export interface Unit {
  readonly path: string;
  readonly file: string;
  readonly annotated: AnnotatedPhoto;
  readonly label: string;
  /** The network's number of the class. */
  readonly index: number;
  readonly objects: readonly AnnotatedObject[];
}

/** The network's number of an annotated class: by number where the name agrees, else by a name that only one class has. */
function classOf({ label, categoryId }: AnnotatedObject, { labels }: NetworkDefinition): number | undefined {
  const isNamed = (name: string | undefined): boolean =>
    name !== undefined &&
    (plainName(name) === plainName(label) || plainName(name.split(",")[0] ?? "") === plainName(label));
  if (isNamed(labels?.[categoryId])) return categoryId;
  const found = [...(labels ?? []).keys()].filter((index) => isNamed(labels?.[index]));
  return found.length === 1 ? found[0] : undefined;
}

/**
 * What is to be evaluated, and a sentence for each photo and object that can not be.
 * @param paths the photos
 */
export function unitsOf(
  paths: readonly string[],
  annotations: Annotations,
  definition: NetworkDefinition,
): { units: Unit[]; leftOut: string[] } {
  const leftOut = [...annotations.notes];
  const units: Unit[] = [];
  const seen = new Set<AnnotatedPhoto>();
  const names = new Set<string>();
  for (const path of paths) {
    const file = basename(path);
    const annotated = annotatedPhoto(annotations, file);
    if (annotated === undefined || names.has(file)) {
      leftOut.push(
        annotated === undefined
          ? `${file}: the annotations do not have it.`
          : `${path}: another photo of this name was given, left out.`,
      );
      continue;
    }
    names.add(file);
    seen.add(annotated);
    const byClass = new Map<string, AnnotatedObject[]>();
    let crowds = 0;
    for (const object of annotated.objects) {
      if (object.isCrowd) crowds++;
      else byClass.set(object.label, [...(byClass.get(object.label) ?? []), object]);
    }
    if (crowds > 0) leftOut.push(`${file}: ${counted(crowds, "crowd region")}, which count as no object.`);
    if (byClass.size === 0) leftOut.push(`${file}: no object is left in its annotations.`);
    for (const [label, objects] of byClass) {
      const index = objects[0] && classOf(objects[0], definition);
      if (index === undefined) leftOut.push(`${file}: ${definition.name} does not know the class "${label}".`);
      else units.push({ path, file, annotated, label, index, objects });
    }
  }
  const missing = annotations.photos.size - seen.size;
  if (missing > 0) leftOut.push(`${counted(missing, "annotated photo")} ${missing === 1 ? "was" : "were"} not given.`);
  return { units, leftOut };
}
