export * from "./errors.ts";
export * from "./kernels.ts";
export * from "./tensor.ts";
export type * from "./graph.ts";
export type * from "./parameters.ts";
