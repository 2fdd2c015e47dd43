import type { Shape } from "../../engine/basics/tensor.ts";
import type { ExplainOptions, Explanation } from "../../engine/explain.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import type { Target } from "../../engine/request/target.ts";

// What an explainer's client and its worker say to each other. Everything here survives a structured clone.

/** Options of one explanation, less what cannot be posted to a worker. */
export type PostedOptions = Omit<ExplainOptions, "target" | "storeHeat" | "clock">;

/** What a call is about to do: starting threads, fetching weights, making the network, reading the photo, and the stages of the engine. */
export type Stage = "threads" | "download" | "network" | "photo" | "forward" | "relevance" | "salientRelevance";

/** How far a call is. */
export interface Progress {
  readonly stage: Stage;
  /** Threads, bytes or targets done and to be done in this stage; total is undefined where nobody knows it. */
  readonly done: number;
  readonly total: number | undefined;
}

/** What is known of the network once it is loaded. */
export interface NetworkInfo {
  readonly name: string;
  /** [C,H,W] */
  readonly inputShape: Shape;
  readonly classCount: number;
  readonly labels: readonly string[] | undefined;
  /** Layers that `at` takes, from the input to the output. */
  readonly layers: readonly string[];
  /** How photos are prepared, undefined where the network takes tensors alone. */
  readonly preprocessing: Preprocessing | undefined;
  /** Why the weights could not be kept for the next visit, if they were to be: storage is full or forbidden. */
  readonly notKept: string | undefined;
  /** Threads at work, 1 where memory cannot be shared. */
  readonly threads: number;
}

/** An explanation, and how its photo's pixels were got. */
export interface ExplainedPhoto extends Explanation {
  /** `exact`: by srmap's own decoder, the same pixels everywhere; `browser`: by the browser; `given`: as pixels or as a tensor. */
  readonly decodedBy: "exact" | "browser" | "given";
}

/** Call to the worker. `id` is answered once, by `done` or `failed`. */
export type Call<Network, Photo> =
  | { readonly type: "open"; readonly id: number; readonly network: Network; readonly threads: number }
  | {
      readonly type: "explain";
      readonly id: number;
      readonly photo: Photo;
      readonly targets: readonly Target[];
      readonly options: PostedOptions;
    }
  | { readonly type: "abort"; readonly id: number };

/** An error as it is posted. */
export interface PostedError {
  readonly name: string;
  readonly message: string;
}

/** Answer of the worker. */
export type Answer =
  | { readonly type: "progress"; readonly id: number; readonly progress: Progress }
  | { readonly type: "opened"; readonly id: number; readonly info: NetworkInfo }
  | { readonly type: "explained"; readonly id: number; readonly explanations: readonly ExplainedPhoto[] }
  | { readonly type: "failed"; readonly id: number; readonly error: PostedError };
