// The least of the engine that explains: what pages load that have their network's definition as data and its weights as bytes.
export { explain } from "./explain.ts";
export { instantiateKernels } from "./memory/kernels.ts";
export { Network } from "./network/network.ts";
