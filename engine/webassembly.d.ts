// What the engine needs of its runtime besides ECMAScript. Declared here by hand so that the compiler refuses every
// other host API inside `engine`. Hosts bring the full declarations; the shapes are the standard's.
declare namespace WebAssembly {
  function validate(bytes: ArrayBufferView): boolean;
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
    static exports(module: Module): { name: string; kind: string }[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}
