import type { Explainer } from "../../workers/explainer/client.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import type { WebPhoto } from "../photos/post-photo.ts";

/** A running camera. */
export interface Camera {
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
export async function startCamera(
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
