import { useEffect, useMemo, useState } from "preact/hooks";
import type { Target } from "../../engine/request/target.ts";
import type { Explainer } from "../../workers/explainer/client.ts";
import type { ExplainedPhoto, NetworkInfo, Progress } from "../../workers/explainer/messages.ts";
import { createExplainer } from "../explainer/explainer.ts";
import type { WebNetwork } from "../messages.ts";
import type { WebPhoto } from "../photos/post-photo.ts";
import { startPageWorker } from "./brought.ts";
import type { Settings } from "./link.ts";
import type { NamedPhoto } from "./photos.ts";
import { problemText } from "./problem.tsx";

const stageNames: Readonly<Record<Progress["stage"], string>> = {
  threads: "Starting threads",
  download: "Fetching the network",
  network: "Making the network",
  photo: "Reading the photo",
  forward: "Looking",
  relevance: "Tracing relevance",
  salientRelevance: "Finding areas",
};

function progressText({ stage, done, total }: Progress): string {
  if (stage !== "download") return `${stageNames[stage]} …`;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return `${stageNames[stage]}: ${megabytes(done)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`;
}

/** The explainer of a network, in its worker, closed when another takes its place; undefined where it cannot be made. */
export function useExplainer(
  network: WebNetwork | undefined,
  onProblem: (problem: string) => void,
): Explainer<WebPhoto> | undefined {
  const explainer = useMemo<Explainer<WebPhoto> | undefined>(() => {
    if (network === undefined) return undefined;
    try {
      return createExplainer({ network, startWorker: () => startPageWorker(network) });
    } catch (error) {
      onProblem(problemText(error));
      return undefined;
    }
  }, [network]);
  useEffect(() => () => explainer?.close(), [explainer]);
  return explainer;
}

/** What is to be explained, and by what; nothing while a part of it is missing or the camera runs. */
export interface ExplanationRequest {
  readonly explainer: Explainer<WebPhoto> | undefined;
  readonly photo: NamedPhoto | undefined;
  readonly target: Target;
  readonly settings: Pick<Settings, "composite" | "mode" | "feature" | "at">;
  readonly isPaused: boolean;
}

/** Who is told of an explanation. */
export interface ExplanationListeners {
  readonly onNetwork: (info: NetworkInfo) => void;
  readonly onExplained: (explained: ExplainedPhoto, photo: NamedPhoto) => void;
  /** A sentence; empty when the problem is over. */
  readonly onProblem: (problem: string) => void;
}

/** Explains what is asked for, one explanation at a time: a change ends the one before. @returns what it is at; empty when it rests */
export function useExplanation(
  { explainer, photo, target, settings, isPaused }: ExplanationRequest,
  { onNetwork, onExplained, onProblem }: ExplanationListeners,
): string {
  const [progress, setProgress] = useState("");
  const { composite, mode, feature, at } = settings;
  useEffect(() => {
    if (explainer === undefined || photo === undefined || isPaused) return;
    const controller = new AbortController();
    const onProgress = (now: Progress): void => setProgress(progressText(now));
    const work = async (): Promise<void> => {
      try {
        const loaded = await explainer.open({ onProgress });
        onNetwork(loaded);
        const explained = await explainer.explain(photo.photo, {
          target,
          composite,
          salientRelevance: { mode, feature },
          ...(at !== "" && loaded.layers.includes(at) ? { at } : {}),
          signal: controller.signal,
          onProgress,
        });
        onExplained(explained, photo);
        onProblem("");
        setProgress("");
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") return;
        onProblem(problemText(error));
        setProgress("");
      }
    };
    void work();
    return () => controller.abort();
  }, [explainer, photo, target, composite, mode, feature, at, isPaused]);
  return progress;
}
