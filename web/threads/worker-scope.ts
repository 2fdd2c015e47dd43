/** The part of DedicatedWorkerGlobalScope that workers of this room use; the compiler's DOM library has windows alone. */
export interface WorkerScope {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  close(): void;
}

/** The scope of the worker that runs this module. */
export const workerScope: WorkerScope = globalThis as unknown as WorkerScope; // these modules are loaded by workers alone
