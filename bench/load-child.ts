// Loads a network and prints how long it took since the process started, and the most memory that the process held.
// Usage: node load-child.js MODEL WEIGHTS [auto|direct|outside]: with a third argument it also explains a seeded input, by the algorithm
// of that name or with all weights left in the file, and prints the checksum of what came out.
import { createHash } from "node:crypto";
import { explain } from "../engine/explain.ts";
import { elementCount, tensor } from "../engine/tensor.ts";
import { loadNetwork } from "../host/load-network.ts";

const [model, weights = "", use] = process.argv.slice(2);
const options =
  use === "outside" ? { lowMemory: true } : use === "auto" || use === "direct" ? ({ algorithm: use } as const) : {};
const network = await loadNetwork(model, weights, options);
let sha256 = "";
if (use !== undefined) {
  const { inputShape } = network.definition;
  const input = Float32Array.from({ length: elementCount(inputShape) }, (_, i) => ((i * 7919) % 509) / 254 - 1);
  const { logits, relevance, salientRelevance } = explain(network, tensor(inputShape, input));
  const hash = createHash("sha256");
  for (const { data } of [logits, relevance, salientRelevance]) hash.update(new Uint8Array(data.buffer));
  sha256 = hash.digest("hex");
}
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
// performance.now() counts from the start of the process; maxRSS is in kB.
const cpuMs = (userCPUTime + systemCPUTime) / 1000;
console.log(JSON.stringify({ ms: performance.now(), cpuMs, peakBytes: maxRSS * 1024, sha256 }));
