import type { Tensor } from "../../engine/basics/tensor.ts";
import { explanationStages } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Pixels } from "../../engine/picture/image.ts";
import { AbortError, postedError } from "./errors.ts";
import type { Answer, Call, ExplainedPhoto, NetworkInfo, Progress } from "./messages.ts";

/** A photo ready for the engine. */
export interface ReadPhoto {
  readonly input: Pixels | Tensor;
  readonly decodedBy: ExplainedPhoto["decodedBy"];
}

/** A network that was loaded, and why its weights could not be kept for the next time, if they were to be. */
export interface OpenedNetwork {
  readonly network: Network;
  readonly notKept: string | undefined;
}

/** What the worker's host does for the server. */
export interface ServerHost<NetworkSource, Photo> {
  /**
   * Loads a network. May report progress.
   * @throws AbortError soon after `signal` says so
   */
  open(
    source: NetworkSource,
    threads: number,
    report: (progress: Progress) => void,
    signal: Signal,
  ): Promise<OpenedNetwork>;
  /** Pixels or a tensor of a photo. @throws FormatError, UnsupportedError when it cannot be read */
  readPhoto(photo: Photo): Promise<ReadPhoto>;
  /** Lets messages in: resolves in a later task. */
  pause(): Promise<void>;
  /** Milliseconds of a clock. */
  clock(): number;
  /** Posts an answer; the buffers are transferred. */
  post(answer: Answer, transfer: readonly ArrayBuffer[]): void;
}

/** Whether a call was called off. */
export interface Signal {
  readonly isAborted: boolean;
}

/** Every buffer of the explanations once, to be moved instead of copied. */
function buffersOf(explanations: readonly ExplainedPhoto[]): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const { logits, probabilities, relevance, salientRelevance, input, picture, layer } of explanations) {
    const arrays = [logits, probabilities, relevance, salientRelevance, input, layer?.relevance, picture];
    for (const array of arrays) if (array?.data.buffer instanceof ArrayBuffer) found.add(array.data.buffer);
  }
  return [...found];
}

/** What clients are told of a network. */
function infoOf({ network, notKept }: OpenedNetwork): NetworkInfo {
  const { name, inputShape, labels, preprocessing } = network.definition;
  return {
    name,
    inputShape,
    classCount: network.classCount,
    labels,
    layers: [...network.graph.fates]
      .filter(([layer, fate]) => fate.value !== undefined && layer !== "input")
      .map(([layer]) => layer),
    preprocessing,
    notKept,
    threads: network.kernels.threads,
  };
}

type Work<NetworkSource, Photo> = Exclude<Call<NetworkSource, Photo>, { type: "abort" }>;

/** Explains one photo for all targets of a call, and posts what comes of it; between stages the call may be aborted. */
async function explainPhoto<NetworkSource, Photo>(
  host: ServerHost<NetworkSource, Photo>,
  network: Network | undefined,
  { id, photo, targets, options }: Extract<Work<NetworkSource, Photo>, { type: "explain" }>,
  signal: Signal,
): Promise<void> {
  const report = (progress: Progress): void => host.post({ type: "progress", id, progress }, []);
  const requireWanted = (): void => {
    if (signal.isAborted) throw new AbortError("explain: the call was aborted.");
  };
  requireWanted();
  if (network === undefined) throw new RangeError("explainer: no network is open.");
  report({ stage: "photo", done: 0, total: 1 });
  const { input, decodedBy } = await host.readPhoto(photo);
  const stages = explanationStages(network, input, targets, { ...options, clock: host.clock });
  for (;;) {
    const { done, value } = stages.next();
    if (done) {
      const explanations = value.map((explanation): ExplainedPhoto => ({ ...explanation, decodedBy }));
      host.post({ type: "explained", id, explanations }, buffersOf(explanations));
      return;
    }
    report({ stage: value.stage, done: value.target, total: targets.length });
    await host.pause();
    requireWanted();
  }
}

/**
 * Serves calls one after the other, in the order in which they came.
 * @returns what to call with each message that comes in
 */
export function serveExplainer<NetworkSource, Photo>(
  host: ServerHost<NetworkSource, Photo>,
): (call: Call<NetworkSource, Photo>) => void {
  const queue: { work: Work<NetworkSource, Photo>; signal: { isAborted: boolean } }[] = [];
  let isAtWork = false;
  let network: Network | undefined;

  const handle = async (work: Work<NetworkSource, Photo>, signal: Signal): Promise<void> => {
    try {
      if (work.type === "explain") return await explainPhoto(host, network, work, signal);
      const report = (progress: Progress): void => host.post({ type: "progress", id: work.id, progress }, []);
      const opened = await host.open(work.network, work.threads, report, signal);
      if (network !== opened.network) network?.dispose();
      network = opened.network;
      host.post({ type: "opened", id: work.id, info: infoOf(opened) }, []);
    } catch (error) {
      host.post({ type: "failed", id: work.id, error: postedError(error) }, []);
    }
  };

  const workOff = async (): Promise<void> => {
    if (isAtWork) return;
    isAtWork = true;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      await handle(next.work, next.signal);
      queue.shift();
    }
    isAtWork = false;
  };

  return (call) => {
    if (call.type === "abort") {
      const entry = queue.find(({ work }) => work.id === call.id);
      if (entry !== undefined) entry.signal.isAborted = true;
      return;
    }
    queue.push({ work: call, signal: { isAborted: false } });
    void workOff();
  };
}
