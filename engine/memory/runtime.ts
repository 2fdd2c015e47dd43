import { UnsupportedError } from "../basics/errors.ts";

// (module (func (drop (i8x16.splat (i32.const 0))))): valid where WebAssembly knows 128-bit SIMD. WebAssembly specification 2.0, 5.4.8.
const simdModule = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11,
]);

/**
 * Checks that this runtime can run the kernels.
 * @throws UnsupportedError that says what is missing and what to do: WebAssembly itself, or its 128-bit SIMD instructions
 */
export function checkRuntime(): void {
  if (typeof WebAssembly === "undefined") {
    throw new UnsupportedError(
      "srmap: this runtime has no WebAssembly. It may be switched off (the browser's lockdown or strictest security mode); use a browser of 2021 or newer with it on.",
    );
  }
  if (!WebAssembly.validate(simdModule)) {
    throw new UnsupportedError(
      "srmap: this runtime's WebAssembly has no SIMD instructions. Use Chrome or Edge 91, Firefox 89, Safari 16.4, Node 16.4 or newer, on a processor with SSE4.1 or NEON.",
    );
  }
}
