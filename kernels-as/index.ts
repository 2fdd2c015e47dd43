// The export list is the ABI: everything that the engine can call, and nothing else.

export { fill } from "./elementwise";
export { cbrt, exp } from "./functions";
export { heapBase } from "./heap";
export { gatherPatches, meanNearestDirect } from "./patches";
export { meanRoot, selectSmallest } from "./select";
