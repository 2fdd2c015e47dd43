import type { WorkerPort } from "../../workers/explainer/client.ts";
import type { Answer, Call } from "../../workers/explainer/messages.ts";
import type { PostedPhoto, WebNetwork } from "../messages.ts";

type PostedCall = Call<WebNetwork, PostedPhoto>;

/** How long a worker that starts its threads may say nothing, in ms. They take some 100 ms, on a busy machine a few seconds. */
const silenceMs = 15_000;

/** The same calls for a worker without threads. */
const onOneThread = (call: PostedCall): PostedCall => (call.type === "open" ? { ...call, threads: 1 } : call);

/**
 * An explainer's worker that is given up once if it does not come back from starting its threads: a new one is told the same and works on one
 * thread. Firefox, on a busy machine, sometimes never returns from `new Worker` in a worker, and silence is all that tells.
 * @param begin starts a worker and passes on what it posts
 */
export function restartingWorker(
  begin: (answered: (answer: Answer) => void) => Pick<Worker, "postMessage" | "terminate">,
  answer: (answer: Answer) => void,
): WorkerPort {
  let silence: ReturnType<typeof setTimeout> | undefined;
  let isWatched = true;
  // What a new worker would have to be told again: calls move nothing before the network is open.
  let told: PostedCall[] = [];
  let worker = begin(answered);

  function answered(said: Answer): void {
    clearTimeout(silence);
    const threads = said.type === "progress" && said.progress.stage === "threads" ? said.progress.done : undefined;
    const isStarted = said.type === "opened" || (threads !== undefined && threads > 0);
    if (threads === 0 && isWatched) silence = setTimeout(restart, silenceMs);
    if (isStarted) isWatched = false;
    if (isStarted || said.type === "failed") told = [];
    answer(said);
  }
  function restart(): void {
    isWatched = false;
    worker.terminate();
    worker = begin(answered);
    for (const call of told) worker.postMessage(onOneThread(call));
    told = [];
  }
  return {
    post: (message, transfer) => {
      if (isWatched) told.push(message as PostedCall); // what client.ts posts
      worker.postMessage(message, transfer as Transferable[]); // what postPhoto lists is transferable
    },
    terminate: () => {
      clearTimeout(silence);
      worker.terminate();
    },
  };
}
