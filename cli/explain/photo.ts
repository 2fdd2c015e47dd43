import { join } from "node:path";
import { type Explanation, explainTargets } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import { pictureOf } from "../../engine/picture/preprocess.ts";
import { throughJpeg } from "../drawing/heat-jpeg.ts";
import { readPhotoInput, type SourceFile } from "../inputs/photo.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { fileNames } from "../outputs/file-names.ts";
import { doubtNote, emptyMapNote, isEmptyMap } from "./doubt.ts";
import { explanationFiles } from "./files.ts";
import type { ExplainRequest } from "./request.ts";

/** One target of one photo, explained and written. */
export interface ExplainedTarget {
  /** As it was typed. */
  readonly requested: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly explanation: Explanation;
}

/** What became of a photo. */
export interface ExplainedPhoto {
  /** One per target; they share everything that does not depend on the target. */
  readonly targets: readonly ExplainedTarget[];
  /** Set when the network merely guesses. */
  readonly note: string | undefined;
  /** Colour profile that was not applied. */
  readonly colorProfile: string | undefined;
}

/**
 * Explains a photo and writes what came out, with what is to be said of the weights' file when it is known: into `folder` for one
 * target, into a folder in it for each of several.
 * @throws whatever reading, explaining or writing throws; targets that were written before stay, each whole
 */
export async function explainPhoto(
  path: string,
  folder: string,
  network: Network,
  weights: () => Promise<SourceFile>,
  request: ExplainRequest,
): Promise<ExplainedPhoto> {
  const started = performance.now();
  const { input, source } = await readPhotoInput(path, request.limits);
  const decodeMs = performance.now() - started;
  const { targets, choice, settings, heatQuality, at } = request;
  const explanations = explainTargets(
    network,
    input,
    targets.map(({ target }) => target),
    {
      composite: choice.composite,
      salientRelevance: settings,
      clock: () => performance.now(),
      ...(at === undefined ? {} : { at }),
      ...(heatQuality === undefined
        ? {}
        : { storeHeat: (heat, height, width) => throughJpeg(heat, height, width, heatQuality) }),
    },
  );
  const [first] = explanations;
  const notes = [
    first && doubtNote(first.model, request.weights, first.top[0]),
    explanations.some(isEmptyMap) ? emptyMapNote : undefined,
  ].filter((text) => text !== undefined);
  const note = notes.length === 0 ? undefined : notes.join(" Also, ");
  const folders = fileNames(targets.map(({ text }) => text));
  const written: ExplainedTarget[] = [];
  for (const [i, explanation] of explanations.entries()) {
    const requested = targets[i]?.text ?? "";
    const own = explanations.length === 1 ? folder : join(folder, folders[i] ?? "");
    const files = explanationFiles(explanation, {
      weights: await weights(),
      note,
      input: source,
      requestedTarget: requested,
      picture: explanation.picture ?? pictureOf(explanation.input, network.definition.preprocessing),
      preprocessing: network.definition.preprocessing,
      compositeLabel: choice.label,
      colors: request.colors,
      heatQuality,
      isAtSummed: request.isAtSummed,
      computation: {
        algorithm: request.load.algorithm ?? (request.load.lowMemory ? "direct" : "auto"),
        lowMemory: request.load.lowMemory ?? false,
        threads: request.threads,
      },
      decodeMs,
    });
    await writeFolder(own, files);
    written.push({ requested, folder: own, files: [...files.keys()], explanation });
  }
  return { targets: written, note, colorProfile: source.colorProfile };
}
