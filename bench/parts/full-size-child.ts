// Runs a full-size network of bench/peers/full_size.py and prints a line of JSON as its peers do.
// Usage: node full-size-child.js FOLDER MEASURE SAMPLES   MEASURE: forward, or a composite, whose time includes the forward pass
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tensor } from "../../engine/basics/tensor.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { cpuMs } from "../measure/measure.ts";
import { topStart } from "../nets/seeded.ts";

const [folder = "", measure = "", samples = "1"] = process.argv.slice(2);
const started = performance.now();
const network = await loadNetwork(undefined, join(folder, "model.onnx"));
const loadMs = performance.now() - started;
const bytes = new Uint8Array(readFileSync(join(folder, "input.bin")));
const input = tensor(network.definition.inputShape, new Float32Array(bytes.buffer));
const plan = measure === "forward" ? undefined : network.relevancePlan(compositeByName(measure));
const run = (): { logits: Float32Array; relevance: Float32Array | undefined } => {
  const logits = network.forward(input).data;
  if (plan === undefined) return { logits, relevance: undefined };
  const start = topStart(logits);
  return {
    logits,
    relevance: plan.run(plan.composite.start === "one" ? start.map((value) => (value === 0 ? 0 : 1)) : start).relevance
      .data,
  };
};
// Two calls before, since the weights of Winograd's algorithm are kept from the third use on.
for (let i = 0; i < 3; i++) run();
const wall: number[] = [];
const cpu: number[] = [];
let last = run();
for (let i = 0; i < Number(samples); i++) {
  const [c, t] = [cpuMs(), performance.now()];
  last = run();
  wall.push(performance.now() - t);
  cpu.push(cpuMs() - c);
}
const { logits, relevance } = last;
const peakMiB = process.resourceUsage().maxRSS / 1024;
const common = { peer: "srmap", version: "", threads: 1, loadMs, peakMiB, wall, cpu };
console.log(
  JSON.stringify({ ...common, logits: Array.from(logits), relevance: relevance ? Array.from(relevance) : null }),
);
