// Files that are loaded beside this module. It lies at the top of its room, and so do the files of the bundled build, so that the same
// relative addresses hold in both; bundlers recognise these expressions and place the files themselves.

/** Starts a kernel thread's module worker. */
export function startThreadWorker(): Worker {
  return new Worker(new URL("./thread.js", import.meta.url), { type: "module", name: "srmap-thread" });
}

/** Address of the kernel module. */
export function kernelsUrl(): URL {
  return new URL("../kernels-as/kernels.wasm", import.meta.url);
}

/** Address of the kernel module for shared memory. */
export function sharedKernelsUrl(): URL {
  return new URL("../kernels-as/kernels-shared.wasm", import.meta.url);
}
