// The kernel module inside a script: for bundlers that place no files, for `file:` pages and script tags.

declare const kernelsDeflated: string; // kernels.wasm, deflated, in base64; written by the build

/**
 * The kernel module out of this script itself: for bundlers that copy no `.wasm` beside the script (esbuild, Rollup), and where nothing can
 * be fetched. Give it to `instantiateKernels`, or to `loadKernels` as `kernels`; it has one thread.
 * @throws (rejects) CompileError where the Content-Security-Policy does not allow 'wasm-unsafe-eval'
 */
export async function inlineKernels(): Promise<WebAssembly.Module> {
  const deflated = Uint8Array.from(atob(kernelsDeflated), (char) => char.charCodeAt(0));
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compile(await new Response(inflated).arrayBuffer());
}
