import type { SourceFile } from "../inputs/photo.ts";
import type { ZarrPlace } from "../outputs/zarr.ts";
import type { ExplainedPhoto, PhotoTask } from "./photo.ts";

/** First message to a worker process: the command line behind `srmap explain`, and what the run knows beyond it. */
export interface WorkerStart {
  readonly argv: readonly string[];
  /** Paths in the command line are relative to it. */
  readonly folder: string;
  readonly weights: SourceFile;
  readonly zarr: ZarrPlace | undefined;
  /** Threads of each worker process. */
  readonly threads: number;
}

/** What a worker process is sent: first the start; then to load the network now, or a photo. */
export type ToWorker = { readonly start: WorkerStart } | { readonly load: true } | { readonly task: PhotoTask };

/** Its answer to the last two. */
export type FromWorker =
  | { readonly result: ExplainedPhoto; readonly error?: undefined }
  | {
      readonly isLoaded: true;
      /** What loading decided without being asked. */
      readonly notes: readonly string[];
      readonly result?: undefined;
      readonly error?: undefined;
    }
  | {
      readonly error: string;
      /** The command line was wrong, which only the loaded network showed. */
      readonly isUsage: boolean;
      /** The system refused, or the process died: it may go well another time, or on another machine. */
      readonly isPassing: boolean;
      /** The disk takes no more: no other photo would fare better. */
      readonly isFatal: boolean;
      readonly result?: undefined;
    };
