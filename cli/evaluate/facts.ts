import { basename } from "node:path";
import type { Network } from "../../engine/network/network.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import type { Annotations } from "../../evaluation/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { version } from "../../host/version.ts";
import type { Replacement } from "./metric.ts";
import { annotationsHash } from "./read-annotations.ts";
import type { EvaluationRequest } from "./request.ts";

/** A file that the rows depend on. */
interface UsedFile {
  readonly file: string;
  readonly sha256: string;
}

/** What all rows of an evaluation depend on: a journal of other facts is not continued. */
export interface EvaluationFacts {
  readonly srmap: string;
  readonly model: string;
  readonly weights: UsedFile;
  readonly annotations: UsedFile;
  readonly maps: readonly string[];
  readonly metrics: readonly string[];
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly seed: number;
  readonly steps: number;
  readonly baseline: Replacement | null;
  readonly isWhole: boolean;
  readonly maxArea: number;
  readonly preprocess: string | null;
  /** What else was typed of the network: --input-size, --classes and the like. */
  readonly network?: Readonly<Record<string, string>>;
}

/** The facts of an evaluation, in the order in which its files have them. */
export async function evaluationFacts(
  request: EvaluationRequest,
  network: Network,
  annotations: Annotations,
): Promise<EvaluationFacts> {
  const { preprocess = null, ...others } = request.typed;
  const { choice, annotationsPath, maps, metrics, settings, seed, steps, isWhole, maxArea } = request;
  return {
    srmap: version,
    model: network.definition.name,
    weights: { file: basename(choice.weights), sha256: await sha256File(choice.weights) },
    annotations: { file: basename(annotationsPath), sha256: await annotationsHash(annotationsPath, annotations) },
    maps: maps.map(({ name }) => name),
    metrics,
    ...{ settings, seed, steps, baseline: request.baseline ?? null, isWhole, maxArea },
    preprocess,
    ...(Object.keys(others).length === 0 ? {} : { network: others }),
  };
}
