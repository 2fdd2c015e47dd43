import { version } from "../../host/version.ts";
import type { SourceFile } from "../inputs/photo.ts";
import type { ComparedModel, ComparedPhoto } from "./models.ts";

/** How one network did. */
export interface ModelScore {
  readonly model: string;
  readonly weights: SourceFile;
  /** Photos named right; undefined without labels. */
  readonly right: number | undefined;
  readonly accuracy: number | undefined;
}

/** summary.json: the outcome of a comparison. */
export interface Summary {
  readonly srmap: string;
  readonly composite: string;
  readonly photos: number;
  readonly models: readonly ModelScore[];
  /** Photos that all networks give the same class. */
  readonly agreed: number;
  readonly agreement: number;
  /** Photos that one network has right and another wrong or, without labels, on which they disagree. */
  readonly found: readonly (Omit<ComparedPhoto, "path" | "isOfInterest" | "isAgreed"> & {
    /** File name of its sheet; undefined beyond --limit. */
    readonly sheet: string | undefined;
  })[];
  /** Photos that took no part, and why. */
  readonly leftOut: readonly { readonly file: string; readonly reason: string }[];
}

/** Counts. `sheets` has the sheet's file name by photo path. */
export function summarize(
  composite: string,
  models: readonly ComparedModel[],
  photos: readonly ComparedPhoto[],
  sheets: ReadonlyMap<string, string>,
  leftOut: Summary["leftOut"],
): Summary {
  const isLabelled = photos.some(({ label }) => label !== undefined);
  const agreed = photos.filter(({ isAgreed }) => isAgreed).length;
  return {
    srmap: version,
    composite,
    photos: photos.length,
    models: models.map(({ name, weights }, i) => {
      const right = isLabelled ? photos.filter(({ verdicts }) => verdicts[i]?.isRight === true).length : undefined;
      return { model: name, weights, right, accuracy: right === undefined ? undefined : right / photos.length };
    }),
    agreed,
    agreement: photos.length === 0 ? 0 : agreed / photos.length,
    found: photos
      .filter(({ isOfInterest }) => isOfInterest)
      .map(({ path, file, label, verdicts }) => ({ file, label, verdicts, sheet: sheets.get(path) })),
    leftOut,
  };
}
