import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Network } from "../../engine/network/network.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels, type ThreadedKernels } from "../../host/threads/load-kernels.ts";
import type { SourceFile } from "../inputs/photo.ts";
import { requirePreprocessing } from "../inputs/preprocessing.ts";
import { asUsage, CommandError, describeError } from "../terminal/errors.ts";
import { type ExplainedPhoto, explainPhoto, type PhotoTask } from "./photo.ts";
import { checkFits, type ExplainRequest } from "./request.ts";

/** Explains photos one after the other, with a network that is loaded for the first that needs it. */
export interface PhotoExplainer {
  explain(task: PhotoTask): Promise<ExplainedPhoto>;
  /** Loads the network now. @throws CommandError, UsageError */
  load(): Promise<void>;
  close(): Promise<void>;
}

/** A message about weights that names their file. */
export function weightsError(weights: string, error: unknown): CommandError {
  const message = describeError(error);
  // The loader's own messages name the file already.
  return new CommandError(message.startsWith('weights "') ? message : `weights ${weights}: ${message}`);
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

/**
 * @param weightsSha256 may come later than the network: the weights' checksum is computed beside
 * @param onNote hears what loading decided without being asked
 */
export function photoExplainer(
  request: ExplainRequest,
  weightsSha256: Promise<string>,
  onNote?: (note: string) => void,
): PhotoExplainer {
  // JavaScript's heap stays small too (measured on VGG-16: 255 to 236 MB at the peak, no slower).
  if (request.load.lowMemory) setFlagsFromString("--optimize-for-size");
  let kernels: ThreadedKernels | undefined;
  let network: Promise<Network> | undefined;
  const loaded = (): Promise<Network> => {
    network ??= loadKernels({ threads: request.threads }).then((started) => {
      kernels = started;
      return load(onNote === undefined ? request : { ...request, load: { ...request.load, onNote } }, started);
    });
    return network;
  };
  return {
    async explain(task) {
      const weights: SourceFile = { file: basename(request.weights), sha256: await weightsSha256 };
      const ready = async (): Promise<Network> => {
        const own = await loaded();
        requirePreprocessing(own.definition, request.weights, [task]);
        return own;
      };
      return explainPhoto(task, ready, weights, request);
    },
    async load() {
      await loaded();
    },
    close: async () => kernels?.close(),
  };
}
