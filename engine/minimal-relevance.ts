// The same as minimal.ts without the Salient Relevance map: what pages load that need relevance alone.
export { relevanceOfTargets } from "./explain.ts";
export { instantiateKernels } from "./memory/kernels.ts";
export { Network } from "./network/network.ts";
