import { basename } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import type { Prediction } from "../../engine/explain.ts";
import { type PhotoLabels, plainName } from "../inputs/photo-labels.ts";
import type { IndexLine } from "../outputs/run-index.ts";
import type { ExplainedPhoto } from "./photo.ts";

/** The true class of a photo, by its path below the run's base or by its file name alone. */
export function truthOf(labels: PhotoLabels | undefined, relative: string): string | undefined {
  return labels?.get(relative) ?? labels?.get(basename(relative));
}

/** JSON has no undefined. */
function probabilityOf({ probability }: Prediction): { probability?: number } {
  return probability === undefined ? {} : { probability };
}

/** A photo's line of the index. */
export function indexLine(
  relative: string,
  photo: ExplainedPhoto,
  folders: readonly string[],
  labels: PhotoLabels | undefined,
): IndexLine {
  const [first] = photo.reports;
  const likeliest = first?.top[0];
  const truth = truthOf(labels, relative);
  const notes = [...new Set(photo.reports.flatMap((report) => report.notes))];
  return {
    photo: relative,
    ...(first === undefined ? {} : { sha256: first.input.sha256 }),
    ...(likeliest === undefined ? {} : { class: likeliest.index, label: likeliest.label, ...probabilityOf(likeliest) }),
    targets: photo.reports.map(({ target, relevance }, i) => ({
      requested: target.requested,
      description: target.description,
      class: target.index,
      ...probabilityOf(target),
      for: relevance.for,
      against: relevance.against,
      folder: mustHave(folders[i], "folder"),
    })),
    ...(truth === undefined || likeliest === undefined
      ? {}
      : { truth, right: plainName(truth) === plainName(likeliest.label) }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(photo.ms === undefined ? {} : { ms: photo.ms }),
  };
}
