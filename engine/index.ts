export * from "./errors.ts";
export type * from "./graph.ts";
export * from "./kernels.ts";
export * from "./npy.ts";
export type * from "./parameters.ts";
export * from "./tensor.ts";
