// What decoding in pages and workers needs of its runtime besides ECMAScript, declared by hand so that the compiler refuses every other
// host API here. Hosts bring the full declarations; the shapes are the standard's (Compression Streams).
declare class DecompressionStream {
  constructor(format: "deflate");
  readonly writable: {
    getWriter(): { write(piece: Uint8Array): Promise<void>; close(): Promise<void> };
  };
  readonly readable: {
    getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> };
  };
}
