import { join } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import type { Tensor } from "../../engine/basics/tensor.ts";
import {
  type Explanation,
  explainTargets,
  type RelevanceExplanation,
  relevanceOfTargets,
} from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Image } from "../../engine/picture/image.ts";
import { pictureOf } from "../../engine/picture/preprocess.ts";
import { throughJpeg } from "../drawing/heat-jpeg.ts";
import { decodePhotoInput, type InputFile, readInputBytes, type SourceFile } from "../inputs/photo.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { fileNames } from "../outputs/file-names.ts";
import { sha256 } from "../outputs/hash.ts";
import { hasZarrRow, writeZarrRow } from "../outputs/zarr.ts";
import { notesOf } from "./doubt.ts";
import { keptReport } from "./existing.ts";
import { explanationFiles, isExplanationFile } from "./files.ts";
import type { ExplanationReport } from "./report.ts";
import { type ExplainRequest, requestHash } from "./request.ts";

/** A photo to explain and where its results go. */
export interface PhotoTask {
  readonly path: string;
  /** Path below the folder that all photos of the run have in common: what reports call the photo. */
  readonly relative: string;
  /** For one target the folder itself, for several a folder in it for each. */
  readonly folder: string;
  /** Row in run.zarr. */
  readonly row: number;
}

/** Milliseconds that a photo took, by step. */
export interface PhotoTimings {
  /** Reading and decoding. */
  readonly read: number;
  readonly forward: number;
  readonly relevance: number;
  readonly salientRelevance: number;
  /** Drawing, packing and writing. */
  readonly write: number;
}

/** What became of a photo; plain data, since it may come from another process. */
export interface ExplainedPhoto {
  /** One per target. */
  readonly reports: readonly ExplanationReport[];
  /** Where each lies. */
  readonly folders: readonly string[];
  /** The results were there already. */
  readonly isKept: boolean;
  /** Undefined for kept results. */
  readonly ms?: PhotoTimings;
}

/** Folders of a photo's targets. */
export function targetFolders({ targets }: ExplainRequest, folder: string): string[] {
  if (targets.length === 1) return [folder];
  return fileNames(targets.map(({ text }) => text)).map((name) => join(folder, name));
}

/** All targets of a photo, of which everything was kept, or undefined. */
function keptPhoto(
  request: ExplainRequest,
  folders: readonly string[],
  weights: SourceFile,
  inputSha256: string,
  row: number,
): ExplainedPhoto | undefined {
  const hash = requestHash(request, weights.sha256);
  const reports = folders.map((folder, i) => {
    const target = mustHave(request.targets[i], "target").text;
    const wanted = { request: hash, inputSha256, weightsSha256: weights.sha256, compositeLabel: request.choice.label };
    return keptReport(folder, { ...wanted, target }, request.existing);
  });
  const whole = reports.filter((report) => report !== undefined);
  const hasRow = request.zarr === undefined || hasZarrRow(request.zarr, row);
  return whole.length === folders.length && hasRow ? { reports: whole, folders, isKept: true } : undefined;
}

function explainInput(
  network: Network,
  input: Parameters<typeof explainTargets>[1],
  request: ExplainRequest,
): readonly (Explanation | RelevanceExplanation)[] {
  const { targets, choice, settings, heatQuality, at } = request;
  const wanted = targets.map(({ target }) => target);
  const options = {
    composite: choice.composite,
    clock: () => performance.now(),
    ...(at === undefined ? {} : { at }),
  };
  if (!request.hasSalient) return relevanceOfTargets(network, input, wanted, options);
  return explainTargets(network, input, wanted, {
    ...options,
    salientRelevance: settings,
    salientSign: request.salientSign,
    ...(heatQuality === undefined
      ? {}
      : { storeHeat: (heat, height, width) => throughJpeg(heat, height, width, heatQuality) }),
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * Explains a photo and writes what came out, or keeps what is there.
 * @param network asked for when there is something to compute
 * @throws whatever reading, explaining or writing throws; targets that were written before stay, each whole
 */
export async function explainPhoto(
  task: PhotoTask,
  network: () => Promise<Network>,
  weights: SourceFile,
  request: ExplainRequest,
): Promise<ExplainedPhoto> {
  const started = performance.now();
  const bytes = await readInputBytes(task.path);
  const folders = targetFolders(request, task.folder);
  const kept = keptPhoto(request, folders, weights, sha256(bytes), task.row);
  if (kept !== undefined) return kept;
  const { input, source } = await decodePhotoInput(task.path, bytes, request.limits);
  const read = performance.now() - started;
  const loaded = await network();
  const explanations = explainInput(loaded, input, request);
  const computed = performance.now();
  const reports: ExplanationReport[] = [];
  for (const [i, explanation] of explanations.entries()) {
    const { files, report } = explanationFiles(
      explanation,
      contextOf(explanation, i, loaded, weights, { input, source }, task, request),
    );
    if (request.zarr !== undefined) writeZarrRow(request.zarr, task.row, i, explanation);
    await writeFolder(folders[i] ?? task.folder, files, isExplanationFile);
    reports.push(report);
  }
  const ms = {
    read,
    forward: mustHave(explanations[0], "explanation").timingsMs.forward,
    relevance: sumOf(explanations.map(({ timingsMs }) => timingsMs.relevance)),
    salientRelevance: sumOf(
      explanations.map(({ timingsMs }) => ("salientRelevance" in timingsMs ? timingsMs.salientRelevance : 0)),
    ),
    write: performance.now() - computed,
  };
  return { reports, folders, isKept: false, ms };
}

function contextOf(
  explanation: Explanation | RelevanceExplanation,
  target: number,
  { definition: { preprocessing } }: Network,
  weights: SourceFile,
  { input, source }: { input: Image | Tensor; source: InputFile },
  task: PhotoTask,
  request: ExplainRequest,
): Parameters<typeof explanationFiles>[1] {
  const { load, choice } = request;
  return {
    request: requestHash(request, weights.sha256),
    weights,
    input: { ...source, path: task.relative },
    notes: notesOf(explanation, request.weights),
    requestedTarget: mustHave(request.targets[target], "target").text,
    photo: "shape" in input ? undefined : input,
    picture: explanation.picture ?? pictureOf(explanation.input, preprocessing),
    preprocessing,
    compositeLabel: choice.label,
    salientSign: request.salientSign,
    colors: request.colors,
    theme: request.theme,
    heatQuality: request.heatQuality,
    isAtSummed: request.isAtSummed,
    computation: {
      algorithm: load.algorithm ?? (load.lowMemory ? "direct" : "auto"),
      lowMemory: load.lowMemory ?? false,
    },
    parts: request.parts,
  };
}
