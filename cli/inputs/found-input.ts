/** A photo to work on. */
export interface FoundInput {
  /** A path, a URL, or `-` for standard input. */
  readonly path: string;
  /** Its path below the folder or pattern that it was found by; its name where it was named itself. */
  readonly relative: string;
  /** The class that its folder stands for, in a tree with a folder per class. */
  readonly label: string | undefined;
  readonly error?: undefined;
}

/** A photo to work on, or why an argument gave none. */
export type Input = FoundInput | { readonly path: string; readonly error: string };

/** Which files of a folder or pattern are meant. A file named by itself is always taken. */
export interface InputKind {
  /** In messages: "photo or .npy file". */
  readonly name: string;
  /** Endings in lower case, with the dot. */
  readonly endings: readonly string[];
  /** Results of this command are of the same kind and are not meant. */
  readonly refusesResults: boolean;
}
