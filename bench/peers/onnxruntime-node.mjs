import { join } from "node:path";
import { floats, folder, load, net, report, threads, versionOf } from "./common.mjs";

const ort = load("onnxruntime-node");
const started = performance.now();
const session = await ort.InferenceSession.create(join(folder, "model.onnx"), {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
});
const loadMs = performance.now() - started;
const feeds = { input: new ort.Tensor("float32", floats("input.bin"), [1, ...net.inputShape]) };
await report("onnxruntime-node", versionOf("onnxruntime-node"), loadMs, async () => {
  const result = await session.run(feeds);
  return result[session.outputNames[0]].data;
});
process.exit(0);
