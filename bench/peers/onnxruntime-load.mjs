// Start of the process to a session, then one forward pass: node onnxruntime-load.mjs FOLDER 1 0 web|node. Prints one line of JSON
// in the words of bench/parts/load-child.ts. Each package is given the model in the way that it documents.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { floats, folder, load, net, threads, versionOf } from "./common.mjs";

const name = `onnxruntime-${process.argv[5]}`;
const measured = () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return { ms: performance.now(), cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 };
};
const ort = load(name);
let session;
if (name === "onnxruntime-web") {
  ort.env.wasm.numThreads = threads;
  session = await ort.InferenceSession.create(readFileSync(join(folder, "model.onnx")), {
    executionProviders: ["wasm"],
    externalData: [{ path: "weights.bin", data: readFileSync(join(folder, "weights.bin")) }],
  });
} else {
  session = await ort.InferenceSession.create(join(folder, "model.onnx"), { intraOpNumThreads: threads });
}
const loaded = measured();
const input = new ort.Tensor("float32", floats("input.bin"), [1, ...net.inputShape]);
const logits = Array.from((await session.run({ input }))[session.outputNames[0]].data);
console.log(JSON.stringify({ peer: name, version: versionOf(name), loaded, done: measured(), logits }));
process.exit(0);
