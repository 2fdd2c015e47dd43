import { basename } from "node:path";
import {
  type Annotations,
  type Attention,
  type AttentionOutcome,
  type AttentionThresholds,
  annotatedPhoto,
  compareAttention,
} from "../../evaluation/index.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { readPhotoInput } from "../inputs/photo.ts";
import { CommandError, describeError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type AttendSettings, attend } from "./attend.ts";
import type { AttentionFile } from "./attention-file.ts";

/** A photo with where the network looks on it, or why it could not be explained. */
export interface Found {
  readonly path: string;
  readonly attention?: Attention;
  readonly error?: string;
}

/** A photo that was compared, or why it could not be. */
export type Checked =
  | { readonly photo: string; readonly error: string }
  | {
      readonly photo: string;
      readonly error?: undefined;
      readonly path: string;
      readonly outcome: AttentionOutcome;
      readonly before: Attention;
      readonly after: Attention;
    };

/** The sentences about a photo that failed; none when it passed. */
export function sentencesOf(checked: Checked): readonly string[] {
  return checked.error === undefined ? checked.outcome.failures : [checked.error];
}

/** Explains all photos; one that cannot be is told and does not stop the others. */
export async function attendAll(
  paths: readonly { readonly path: string; readonly error?: string | undefined }[],
  annotations: Annotations | undefined,
  settings: AttendSettings,
  terminal: Terminal,
): Promise<Found[]> {
  const found: Found[] = [];
  const progress = createProgress(terminal, paths.length);
  for (const [i, { path, error }] of paths.entries()) {
    progress.update(i, path);
    const file = basename(path);
    try {
      if (error !== undefined) throw new CommandError(error);
      const { input, source } = await readPhotoInput(path, defaultImageLimits);
      const annotated = annotations === undefined ? undefined : annotatedPhoto(annotations, file);
      found.push({ path, attention: attend(file, source.sha256, input, annotated, settings) });
    } catch (caught) {
      found.push({ path, error: describeError(caught) });
    }
  }
  progress.clear();
  return found;
}

const lostObject = "its attention on the object was recorded; the annotations have no object of it now.";

/**
 * Finds each recorded photo again, by name or, where it was renamed, by its bytes.
 * @param isAnnotated whether annotations were given: then what was recorded of objects must be comparable
 */
export function compareAll(
  { photos }: AttentionFile,
  found: readonly Found[],
  thresholds: AttentionThresholds,
  isAnnotated = false,
): Checked[] {
  const taken = new Set<Found>();
  const checked = photos.map((before): Checked => {
    const own =
      found.find(({ path }) => basename(path) === before.photo) ??
      found.find(({ attention }) => attention?.sha256 === before.sha256);
    if (own === undefined) return { photo: before.photo, error: "was recorded and is not among the photos." };
    taken.add(own);
    const { path, attention: after } = own;
    if (after === undefined) return { photo: before.photo, error: own.error ?? "cannot be read." };
    const compared = compareAttention(before, after, thresholds);
    const isLost = isAnnotated && before.inside !== undefined && after.inside === undefined;
    const outcome = isLost ? { ...compared, failures: [...compared.failures, lostObject] } : compared;
    return { photo: before.photo, path, outcome, before, after };
  });
  const others = found.filter((each) => !taken.has(each));
  return [
    ...checked,
    ...others.map(
      ({ path, error }): Checked => ({
        photo: basename(path),
        error: error ?? "was not recorded. Write the attention file again with it.",
      }),
    ),
  ];
}
