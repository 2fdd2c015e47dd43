// What the loader needs of its runtime besides ECMAScript, declared by hand so that the compiler refuses every other host
// API here. Hosts bring the full declarations; the shapes are the standard's (WHATWG Encoding).
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
// Compression Streams and the part of WHATWG Streams that they need.
declare class DecompressionStream {
  constructor(format: "deflate-raw");
  readonly writable: {
    getWriter(): { write(piece: Uint8Array): Promise<void>; close(): Promise<void> };
  };
  readonly readable: {
    getReader(): { read(): Promise<{ value?: Uint8Array }>; cancel(): Promise<void> };
  };
}

/** Text of base64; every runtime has it. */
declare function atob(data: string): string;
