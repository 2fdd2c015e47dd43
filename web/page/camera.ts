import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Explainer } from "../../workers/explainer/client.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import type { WebPhoto } from "../photos/post-photo.ts";
import { problemText } from "./problem.tsx";

/** A running camera. */
interface Camera {
  stop(): void;
}

/** Says why the camera cannot be used, in a sentence that helps. */
function cameraProblem(error: unknown): Error {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError")
    return new Error("The camera was not allowed. Allow it for this page in the browser's address bar and try again.");
  if (name === "NotFoundError") return new Error("This device has no camera that the browser can see.");
  if (name === "NotReadableError")
    return new Error("The camera is in use by another program. Close that and try again.");
  return new Error(`The camera could not be started (${String(error)}).`);
}

/**
 * Explains what the camera sees, one frame after the other: the newest frame when the last map is done, those in between are dropped.
 * @param settingsOf options of the next frame
 * @throws Error in words for people when there is no camera
 */
async function startCamera(
  video: HTMLVideoElement,
  explainer: Explainer<WebPhoto>,
  settingsOf: () => { readonly composite: string },
  onMap: (explained: ExplainedPhoto, perSecond: number) => void,
  onError: (error: unknown) => void,
): Promise<Camera> {
  if (navigator.mediaDevices === undefined) {
    throw new Error("Browsers give cameras to secure pages alone: open this page by https or from localhost.");
  }
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 640 } } });
  } catch (error) {
    throw cameraProblem(error);
  }
  let isRunning = true;
  const stop = (): void => {
    isRunning = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  await video.play();
  const times: number[] = [];
  const nextFrame = async (): Promise<void> => {
    while (isRunning) {
      if (document.hidden || video.videoWidth === 0) {
        await new Promise((resolve) => setTimeout(resolve, 200)); // a tab in the background rests
        continue;
      }
      try {
        const { composite } = settingsOf();
        const explained = await explainer.explain(await createImageBitmap(video), {
          composite,
          salientRelevance: { mode: "fast" },
        });
        const now = performance.now();
        times.push(now);
        while (times.length > 10) times.shift();
        const [first = now] = times;
        if (isRunning) onMap(explained, times.length < 2 ? 0 : (1000 * (times.length - 1)) / (now - first));
      } catch (error) {
        stop();
        onError(error);
      }
    }
  };
  void nextFrame();
  return { stop };
}

/** The camera of the page. */
export interface PageCamera {
  /** Where its picture is shown. */
  readonly video: RefObject<HTMLVideoElement | null>;
  /** Maps a second; undefined while it is off. */
  readonly rate: number | undefined;
  readonly stop: () => void;
  readonly toggle: () => Promise<void>;
}

/**
 * The camera, switched on and off.
 * @param settings of the frames to come
 */
export function useCamera(
  explainer: Explainer<WebPhoto> | undefined,
  settings: { readonly composite: string },
  onMap: (explained: ExplainedPhoto) => void,
  onProblem: (problem: string) => void,
): PageCamera {
  const video = useRef<HTMLVideoElement>(null);
  const running = useRef<Camera | undefined>(undefined);
  const [rate, setRate] = useState<number>();
  const settingsNow = useRef(settings);
  settingsNow.current = settings;
  const stop = (): void => {
    running.current?.stop();
    running.current = undefined;
    setRate(undefined);
  };
  const failed = (error: unknown): void => {
    stop();
    onProblem(problemText(error));
  };
  const toggle = async (): Promise<void> => {
    if (running.current !== undefined) return stop();
    if (explainer === undefined || video.current === null) return;
    const show = (map: ExplainedPhoto, perSecond: number): void => {
      onMap(map);
      setRate(perSecond);
    };
    try {
      setRate(0);
      running.current = await startCamera(video.current, explainer, () => settingsNow.current, show, failed);
    } catch (error) {
      failed(error);
    }
  };
  return { video, rate, stop, toggle };
}
