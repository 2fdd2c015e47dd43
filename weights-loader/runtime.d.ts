// What the loader needs of its runtime besides ECMAScript, declared by hand so that the compiler refuses every other host
// API here. Hosts bring the full declarations; the shapes are the standard's (WHATWG Encoding).
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
