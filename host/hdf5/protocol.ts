import type { Hdf5Group } from "../../weights-loader/keras/hdf5.ts";

// What reader.ts and its thread say to each other.

/** What is asked of the thread. */
export type Hdf5Request =
  | { readonly kind: "open"; readonly filePath: string; readonly offset: number; readonly byteLength: number }
  | {
      readonly kind: "read";
      readonly file: bigint;
      readonly path: string;
      readonly firstRow: number;
      readonly rowCount: number;
    };

/** Why a request was refused. */
export interface Hdf5Refusal {
  readonly reason: "damaged" | "unsupported" | "missing" | "broken";
  readonly message: string;
}

/** What the thread is given: two words that it writes and reader.ts watches. */
export interface Hdf5ThreadData {
  readonly progress: Int32Array<SharedArrayBuffer>;
}

/** Which word says what. Steps are counted; while the thread waits for the disk or loads the library, nobody may call it stuck. */
export const progressWord = { steps: 0, isWaiting: 1 } as const;

/** What the thread answers. */
export type Hdf5Answer =
  | { readonly file: bigint; readonly root: Hdf5Group }
  | { readonly bytes: Uint8Array }
  | { readonly refusal: Hdf5Refusal };
