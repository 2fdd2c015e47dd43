// A process that explains photos for `srmap explain` and `srmap work`: so that photos are decoded, computed and drawn side by side,
// and one that ends its process ends no other's.
import { parseArguments } from "../terminal/arguments.ts";
import { describeError, UsageError } from "../terminal/errors.ts";
import { type PhotoExplainer, photoExplainer } from "./explainer.ts";
import { explainOptions } from "./options.ts";
import { readRequest } from "./request.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

async function startExplainer({ argv, folder, weights, zarr, threads }: WorkerStart): Promise<PhotoExplainer> {
  process.chdir(folder);
  const request = await readRequest(parseArguments("explain", explainOptions, argv));
  return photoExplainer({ ...request, threads, zarr }, Promise.resolve(weights.sha256));
}

const fullDisk = ["ENOSPC", "EDQUOT", "EROFS", "EIO"];

function failureOf(error: unknown): FromWorker {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  return {
    error: describeError(error),
    isUsage: error instanceof UsageError,
    isPassing: code !== undefined,
    isFatal: code !== undefined && fullDisk.includes(code),
  };
}

const send = (answer: FromWorker): void => void process.send?.(answer);

// Ctrl-C goes to every process of the terminal; the one that started this one says when to end, or is gone.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));

let explainer: Promise<PhotoExplainer> | undefined;

process.on("message", (message: ToWorker) => {
  if ("start" in message) {
    explainer = startExplainer(message.start);
    explainer.catch(() => {}); // told with the first task
    return;
  }
  answerTo(message).then(send, (error: unknown) => send(failureOf(error)));
});

async function answerTo(message: Exclude<ToWorker, { start: unknown }>): Promise<FromWorker> {
  const ready = await explainer;
  if (ready === undefined) throw new Error("a worker process was given work before it was started.");
  if ("task" in message) return { result: await ready.explain(message.task) };
  return { isLoaded: true, notes: await ready.load() };
}
