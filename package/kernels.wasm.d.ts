/// <reference path="./webassembly.d.ts" />
/**
 * The kernels as compiled module, as bundlers and edge workers give it that import WebAssembly as a module; give it to
 * `instantiateKernels`. Where a bundler gives its address instead (`srmap/kernels.wasm?url`), `loadKernels` of srmap/web takes that.
 */
declare const module: WebAssembly.Module;
export default module;
