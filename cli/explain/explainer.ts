import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Network } from "../../engine/network/network.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels, type ThreadedKernels } from "../../host/threads/load-kernels.ts";
import type { SourceFile } from "../inputs/photo.ts";
import { requirePreprocessing } from "../inputs/preprocessing.ts";
import { asUsage, weightsError } from "../terminal/errors.ts";
import { type ExplainedPhoto, explainPhoto, type PhotoTask } from "./photo.ts";
import { checkFits, type ExplainRequest } from "./request.ts";

/** Explains photos one after the other, with a network that is loaded for the first that needs it. */
export interface PhotoExplainer {
  explain(task: PhotoTask): Promise<ExplainedPhoto>;
  /** Loads the network now. @returns what loading decided without being asked @throws CommandError, UsageError */
  load(): Promise<readonly string[]>;
  close(): Promise<void>;
}

async function load(request: ExplainRequest, kernels: ThreadedKernels): Promise<Network> {
  const { model, weights } = request;
  let network: Network;
  try {
    network = await loadNetwork(model, weights, { ...request.load, kernels });
  } catch (error) {
    throw weightsError(weights, error);
  }
  // A network that its file describes could not be checked before.
  if (model === undefined || request.load.labels !== undefined) checkFits(request, network.definition);
  asUsage(() => network.relevancePlan(request.choice.composite));
  return network;
}

/** @param weightsSha256 may come later than the network: the weights' checksum is computed beside */
export function photoExplainer(request: ExplainRequest, weightsSha256: Promise<string>): PhotoExplainer {
  // JavaScript's heap stays small too (measured on VGG-16: 255 to 236 MB at the peak, no slower).
  if (request.load.lowMemory) setFlagsFromString("--optimize-for-size");
  let kernels: ThreadedKernels | undefined;
  let network: Promise<Network> | undefined;
  const notes: string[] = [];
  const onNote = (note: string): void => void notes.push(note);
  const loaded = (): Promise<Network> => {
    network ??= loadKernels({ threads: request.threads }).then((started) => {
      kernels = started;
      return load({ ...request, load: { ...request.load, onNote } }, started);
    });
    return network;
  };
  return {
    async explain(task) {
      const weights: { -readonly [Key in keyof SourceFile]: SourceFile[Key] } = {
        file: basename(request.weights),
        sha256: await weightsSha256,
      };
      const ready = async (): Promise<Network> => {
        const own = await loaded();
        if (notes.length > 0) weights.notes = notes;
        requirePreprocessing(own.definition, request.weights, [task]);
        return own;
      };
      return explainPhoto(task, ready, weights, request);
    },
    async load() {
      await loaded();
      return notes;
    },
    close: async () => kernels?.close(),
  };
}
