import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import type { Target } from "../../engine/request/target.ts";
import { AbortError, BusyError, receivedError, WorkerError } from "./errors.ts";
import type { Answer, Call, ExplainedPhoto, NetworkInfo, PostedOptions, Progress } from "./messages.ts";

/** A started worker that runs `serveExplainer`. */
export interface WorkerPort {
  post(message: unknown, transfer: readonly unknown[]): void;
  /** Ends it at once. */
  terminate(): void;
}

/** How a host starts workers and posts photos. */
export interface ClientHost<NetworkSource, Photo, PostedPhoto> {
  /**
   * Starts a worker.
   * @param failed to be called once when the worker has died, or could not be started, with the reason
   */
  start(answer: (answer: Answer) => void, failed: (reason: string) => void): WorkerPort;
  /** A photo as it is posted, and what of it is moved instead of copied. @throws TypeError for what is no photo */
  postPhoto(photo: Photo): { readonly photo: PostedPhoto; readonly transfer: readonly unknown[] };
  readonly network: NetworkSource;
  readonly threads: number;
}

/** Part of the DOM's AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How one photo is explained by a worker. */
export interface CallOptions extends PostedOptions {
  /** Ends the call with an AbortError: at once while it waits, before its next stage once it runs. */
  readonly signal?: AbortSignalLike;
  readonly onProgress?: (progress: Progress) => void;
}

/** As `CallOptions`, for one target. */
export interface ExplainerOptions extends CallOptions {
  /** What to explain; default the most probable class. */
  readonly target?: Target;
}

/** Explains photos in a worker; the page or process stays responsive. */
export interface Explainer<Photo> {
  /**
   * Loads the network if that has not happened yet.
   * @throws (rejects) as the loader does; the next call tries again
   */
  open(options?: Pick<CallOptions, "signal" | "onProgress">): Promise<NetworkInfo>;
  /**
   * Explains a photo; loads the network first.
   * @throws (rejects) TypeError for an option that does not exist, as `explain` and the loader do, AbortError by the signal, BusyError when too many calls wait, WorkerError when
   *   the worker died
   */
  explain(photo: Photo, options?: ExplainerOptions): Promise<ExplainedPhoto>;
  /** Explains several targets of a photo by one forward pass. @throws (rejects) as `explain` */
  explainTargets(photo: Photo, targets: readonly Target[], options?: CallOptions): Promise<readonly ExplainedPhoto[]>;
  /** Calls that are not answered yet. */
  readonly pending: number;
  /** Ends the worker and every call that waits for it. */
  close(): void;
}

const callOptionNames = Object.keys({
  composite: true,
  maxPool: true,
  lrn: true,
  at: true,
  salientRelevance: true,
  salientSign: true,
  signal: true,
  onProgress: true,
} satisfies Record<keyof CallOptions, true>);

/** Waits for a promise until the signal ends the waiting. */
function aborted<T>(promise: Promise<T>, signal: AbortSignalLike | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const end = (): void => reject(new AbortError("explainer: the call was aborted."));
    if (signal.aborted) return end();
    signal.addEventListener("abort", end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

interface Waiting {
  resolve(answer: Extract<Answer, { type: "opened" | "explained" }>): void;
  reject(error: Error): void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

interface StartedWorker {
  readonly port: WorkerPort;
  opened: Promise<NetworkInfo> | undefined;
}

/** Sends a call and waits for its answer, or for the signal. */
type SendCall<NetworkSource, PostedPhoto> = <A extends "opened" | "explained">(
  message: (id: number) => { readonly call: Call<NetworkSource, PostedPhoto>; readonly transfer: readonly unknown[] },
  watch: Pick<CallOptions, "signal" | "onProgress">,
) => Promise<Extract<Answer, { type: A }>>;

/** The calls that wait for answers. */
interface Calls<NetworkSource, PostedPhoto> {
  answered(answer: Answer): void;
  failAll(error: Error): void;
  readonly send: SendCall<NetworkSource, PostedPhoto>;
}

/** @param started starts the worker where there is none */
function callsTo<NetworkSource, PostedPhoto>(started: () => StartedWorker): Calls<NetworkSource, PostedPhoto> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;

  const failAll = (error: Error): void => {
    const calls = [...waiting.values()];
    waiting.clear();
    for (const { reject } of calls) reject(error);
  };
  const answered = (answer: Answer): void => {
    const call = waiting.get(answer.id);
    if (call === undefined) return; // aborted meanwhile
    if (answer.type === "progress") {
      call.onProgress?.(answer.progress);
      return;
    }
    waiting.delete(answer.id);
    if (answer.type === "failed") call.reject(receivedError(answer.error));
    else call.resolve(answer);
  };
  const send = <A extends "opened" | "explained">(
    message: (id: number) => { readonly call: Call<NetworkSource, PostedPhoto>; readonly transfer: readonly unknown[] },
    { signal, onProgress }: Pick<CallOptions, "signal" | "onProgress">,
  ): Promise<Extract<Answer, { type: A }>> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new AbortError("explainer: the call was aborted."));
      const id = ++lastId;
      const { port } = started();
      const { call: posted, transfer } = message(id);
      const end = (): void => {
        if (!waiting.delete(id)) return;
        port.post({ type: "abort", id }, []);
        reject(new AbortError("explainer: the call was aborted."));
      };
      const settle = (): void => signal?.removeEventListener("abort", end);
      waiting.set(id, {
        resolve: (answer) => {
          settle();
          resolve(answer as Extract<Answer, { type: A }>); // the server answers each call by its own kind
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onProgress,
      });
      signal?.addEventListener("abort", end, { once: true });
      try {
        port.post(posted, transfer);
      } catch (error) {
        waiting.delete(id);
        settle();
        reject(new TypeError(`explainer: the photo or the options cannot be sent to a worker: ${String(error)}`));
      }
    });
  return { answered, failAll, send };
}

/** Opens the network once for each worker; a failure is not kept. */
function opener<NetworkSource, Photo, PostedPhoto>(
  { network, threads }: ClientHost<NetworkSource, Photo, PostedPhoto>,
  started: () => StartedWorker,
  send: SendCall<NetworkSource, PostedPhoto>,
): Explainer<Photo>["open"] {
  return async (options = {}) => {
    refuseUnknownOptions("explainer.open", options, ["signal", "onProgress"]);
    const own = started();
    own.opened ??= send<"opened">(
      (id) => ({ call: { type: "open", id, network, threads }, transfer: [] }),
      options,
    ).then(({ info }) => info);
    try {
      return await own.opened;
    } catch (error) {
      own.opened = undefined;
      throw error;
    }
  };
}

function theOnly([explanation]: readonly ExplainedPhoto[]): ExplainedPhoto {
  if (explanation === undefined) throw new WorkerError("explainer: the worker answered without an explanation.");
  return explanation;
}

function ofOneTarget<Photo>(explainTargets: Explainer<Photo>["explainTargets"]): Explainer<Photo>["explain"] {
  return async (photo, given = {}) => {
    refuseUnknownOptions("explainer.explain", given, ["target", ...callOptionNames]);
    const { target = "top1", ...options } = given;
    return theOnly(await explainTargets(photo, [target], options));
  };
}

const tooMany = (calls: number): BusyError =>
  new BusyError(
    `explainer: ${calls} calls are waiting, as many as maxPending allows. Wait for one to end, or leave this photo out.`,
  );

/** The client side of an explainer, for a host. `maxPending` calls may wait, 16 by default. */
export function createExplainerFor<NetworkSource, Photo, PostedPhoto>(
  host: ClientHost<NetworkSource, Photo, PostedPhoto>,
  maxPending: number = 16,
): Explainer<Photo> {
  let worker: StartedWorker | undefined;
  let isClosed = false;
  let inFlight = 0;

  function started(): StartedWorker {
    if (isClosed) throw new WorkerError("explainer: it is closed. Create a new one.");
    if (worker !== undefined) return worker;
    const own: StartedWorker = {
      port: host.start(answered, (reason) => {
        if (worker !== own) return;
        worker = undefined;
        own.port.terminate();
        failAll(new WorkerError(`explainer: its worker ${reason}. The next call starts a new one.`));
      }),
      opened: undefined,
    };
    worker = own;
    return own;
  }
  const { answered, failAll, send } = callsTo<NetworkSource, PostedPhoto>(started);

  const open = opener(host, started, send);
  const explainTargets: Explainer<Photo>["explainTargets"] = async (photo, targets, options = {}) => {
    refuseUnknownOptions("explainer.explainTargets", options, callOptionNames);
    const { signal, onProgress, ...posted } = options;
    if (inFlight >= maxPending) throw tooMany(inFlight);
    inFlight++;
    try {
      const { photo: postedPhoto, transfer } = host.postPhoto(photo);
      const watch = { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
      await aborted(open(onProgress ? { onProgress } : {}), signal); // the network stays wanted by others
      const { explanations } = await send<"explained">(
        (id) => ({ call: { type: "explain", id, photo: postedPhoto, targets, options: posted }, transfer }),
        watch,
      );
      return explanations;
    } finally {
      inFlight--;
    }
  };
  return {
    open,
    explainTargets,
    explain: ofOneTarget(explainTargets),
    get pending() {
      return inFlight;
    },
    close: () => {
      isClosed = true;
      worker?.port.terminate();
      worker = undefined;
      failAll(new WorkerError("explainer: it was closed while the call waited."));
    },
  };
}
