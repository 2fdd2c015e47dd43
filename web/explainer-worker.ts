// Apart from assets.ts, which the worker itself imports: a worker that names its own script is a circle, on which Turbopack never ends.

/** Starts the explainer's module worker. */
export function startExplainerWorker(): Worker {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "srmap-explainer" });
}
