export * from "./errors.ts";
export * from "./kernels.ts";
export * from "./tensor.ts";
