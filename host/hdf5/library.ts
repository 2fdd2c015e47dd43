import type { Hdf5Refusal } from "./protocol.ts";

/** Why a file is not read. */
export class Refused extends Error {
  readonly reason: Hdf5Refusal["reason"];
  constructor(reason: Hdf5Refusal["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What a file of some size may claim, in bytes. A damaged file can ask for all that there is; a small one has no use for much. */
export interface Limits {
  /** The library's memory. Blocks of 4 MiB need some 30 MB. */
  readonly memory: number;
  /** A piece of a dataset that is stored in pieces, which is unpacked as a whole. h5py makes them 1 MiB at most; deflate packs 1032 to 1. */
  readonly chunk: number;
  /** Text of all attributes together: it is not packed, but one text can be named many times. */
  readonly text: number;
}

/** @param size of the file, in bytes */
export function limitsOf(size: number): Limits {
  return {
    memory: Math.min(256 << 20, (64 << 20) + 8 * size),
    chunk: Math.min(64 << 20, (2 << 20) + 1032 * size),
    text: Math.min(64 << 20, (1 << 20) + 2 * size),
  };
}

/** The library's memory for all files that were opened, which share it. */
let maximumMemory = limitsOf(0).memory;

/** Lets the library have more memory, in bytes, than it has for the files that were opened before. */
export function allowMemory(bytes: number): void {
  maximumMemory = Math.max(maximumMemory, bytes);
}

/** Room for that many bytes in the library's memory, which the caller frees; 0 where there is none. */
export function allocate(h5: Library, bytes: number): number {
  return bytes <= maximumMemory ? h5._malloc(bytes) : 0;
}

const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
  if (this.buffer.byteLength + pages * 65536 > maximumMemory) throw new RangeError("memory limit");
  return grow.call(this, pages);
};

// The library tells its errors to the console, from the outermost call to the innermost.
let told: string[] = [];
console.error = (...words: unknown[]): void => {
  if (told.length < 200) told.push(words.join(" "));
};

/** Forgets what the library told. */
export function forgetTold(): void {
  told = [];
}

/** Whether the library told an error since. */
export function hasTold(): boolean {
  return told.length > 0;
}

/** The innermost error that the library told, in its own words. */
export function reason(): string {
  const last = told.filter((line) => /^\s*#\d+:/.test(line)).at(-1) ?? "";
  told = [];
  const words = /\): (.*)$/.exec(last)?.[1] ?? "";
  return words === "" ? "it gives no reason" : words.slice(0, 200);
}

/** The package h5wasm. */
export type Library = Awaited<typeof import("h5wasm")["ready"]>;
/** What the library says about a dataset or an attribute. */
export type Metadata = ReturnType<Library["get_dataset_metadata"]>;

/** @throws Refused where the package is missing or broken */
export async function loadLibrary(): Promise<Library> {
  try {
    return await (await import("h5wasm")).ready;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    throw new Refused(isMissing ? "missing" : "broken", error instanceof Error ? error.message : String(error));
  }
}
