// Loads a converted file and prints how long that took since the process started, and the most memory that the process held.
// Usage: node load-child.js WEIGHTS INPUT MODE: forward runs the network once and prints its logits; auto, direct and low-memory
// explain the input (float32), low-memory with the weights left in the file, and print the checksum of what came out.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import { type LoadOptions, loadNetwork } from "../../host/network/load.ts";

const options: Readonly<Record<string, LoadOptions>> = {
  forward: {},
  auto: {},
  direct: { algorithm: "direct" },
  "low-memory": { lowMemory: true },
};
const [weights, inputFile = "", mode = "forward"] = process.argv.slice(2);
// performance.now() counts from the start of the process; maxRSS is in kB.
const measured = (): { ms: number; cpuMs: number; peakBytes: number } => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return { ms: performance.now(), cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 };
};
const network = await loadNetwork(undefined, weights, options[mode]);
const loaded = measured();
const bytes = readFileSync(inputFile);
const input = tensor(network.definition.inputShape, new Float32Array(new Uint8Array(bytes).buffer));
if (mode === "forward") {
  const logits = Array.from(network.forward(input).data);
  console.log(JSON.stringify({ loaded, done: measured(), logits }));
} else {
  const { logits, relevance, salientRelevance } = explain(network, input, { composite: "li2019" });
  const done = measured();
  const hash = createHash("sha256");
  for (const { data } of [logits, relevance, salientRelevance]) hash.update(new Uint8Array(data.buffer));
  console.log(JSON.stringify({ loaded, done, sha256: hash.digest("hex") }));
}
