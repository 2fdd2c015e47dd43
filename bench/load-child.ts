// Loads a network and prints how long it took since the process started, and the most memory that the process held.
// Usage: node load-child.js MODEL WEIGHTS
import { loadNetwork } from "../host/load-network.ts";

const [model, weights = ""] = process.argv.slice(2);
await loadNetwork(model, weights);
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
// performance.now() counts from the start of the process; maxRSS is in kB.
console.log(
  JSON.stringify({ ms: performance.now(), cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 }),
);
