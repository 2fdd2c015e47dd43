import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { floats, folder, load, net, report, threads, versionOf } from "./common.mjs";

const ort = load("onnxruntime-web");
ort.env.wasm.numThreads = threads;
const started = performance.now();
const session = await ort.InferenceSession.create(readFileSync(join(folder, "model.onnx")), {
  executionProviders: ["wasm"],
  ...(existsSync(join(folder, "weights.bin")) && {
    externalData: [{ path: "weights.bin", data: new Uint8Array(floats("weights.bin").buffer) }],
  }),
});
const loadMs = performance.now() - started;
const feeds = { input: new ort.Tensor("float32", floats("input.bin"), [1, ...net.inputShape]) };
await report("onnxruntime-web", versionOf("onnxruntime-web"), loadMs, async () => {
  const result = await session.run(feeds);
  return result[session.outputNames[0]].data;
});
process.exit(0);
