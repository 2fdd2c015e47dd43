import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { type Attention, gridSide } from "../../evaluation/index.ts";
import { readTextFile } from "../../host/files/text-file.ts";
import { CommandError, describeError } from "../terminal/errors.ts";

/** The version of attention files that this program writes and reads. */
export const attentionVersion = 1;

/** What `srmap check --write` records. */
export interface AttentionFile {
  readonly attention: number;
  readonly srmap: string;
  /** The network, as it was named; null for one that its weight file describes. */
  readonly model: string | null;
  readonly classes: number;
  readonly weights: { readonly file: string; readonly sha256: string };
  readonly composite: string;
  /** How photos were prepared, where `--preprocess` said it: of weights that do not say it themselves. */
  readonly preprocess?: string;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly photos: readonly Attention[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function isAttention(value: unknown): value is Attention {
  if (!isObject(value)) return false;
  const { photo, sha256, prediction, grid, mapSha256 } = value;
  return (
    [photo, sha256, mapSha256].every((text) => typeof text === "string") &&
    isObject(prediction) &&
    typeof prediction["index"] === "number" &&
    typeof prediction["label"] === "string" &&
    Array.isArray(grid) &&
    grid.length === gridSide ** 2 &&
    grid.every((cell) => typeof cell === "number" && Number.isFinite(cell))
  );
}

/** Reads an attention file. @throws CommandError in a sentence */
export async function readAttentionFile(path: string): Promise<AttentionFile> {
  const refuse = (why: string): CommandError => new CommandError(`attention file ${path}: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readTextFile(path));
  } catch (error) {
    throw refuse(
      error instanceof SyntaxError ? "is no JSON. Write it with srmap check --write." : describeError(error),
    );
  }
  if (!isObject(parsed) || typeof parsed["attention"] !== "number") {
    throw refuse("is none. Write it with srmap check --write.");
  }
  if (parsed["attention"] !== attentionVersion) {
    throw refuse(
      `is of version ${parsed["attention"]}, this srmap reads version ${attentionVersion}. Write it again with srmap check --write.`,
    );
  }
  const { photos, composite, classes, model, settings, preprocess } = parsed;
  const isWhole =
    typeof composite === "string" &&
    typeof classes === "number" &&
    (model === null || typeof model === "string") &&
    (preprocess === undefined || typeof preprocess === "string") &&
    isObject(settings) &&
    Array.isArray(photos) &&
    photos.every(isAttention);
  if (!isWhole) throw refuse("is damaged. Write it again with srmap check --write.");
  return parsed as unknown as AttentionFile; // settings are checked where they are used
}
