// The export list is the ABI: everything that the engine can call, and nothing else.

export { fill } from "./elementwise";
export { heapBase } from "./heap";
