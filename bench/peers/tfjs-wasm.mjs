import { join } from "node:path";
import { floats, load, net, peers, report, versionOf } from "./common.mjs";

// Plain Node has no threads for this backend: it runs one.
const tf = load("@tensorflow/tfjs-core");
load("@tensorflow/tfjs-backend-cpu");
const wasm = load("@tensorflow/tfjs-backend-wasm");
wasm.setWasmPaths(join(peers, "node_modules/@tensorflow/tfjs-backend-wasm/dist/"));
await tf.setBackend("wasm");
await tf.ready();

const started = performance.now();
const parameters = new Map();
for (const layer of net.layers) {
  if (layer.weight === undefined) continue;
  const { weight, bias } = layer;
  const values = floats("weights.bin", weight.offset, weight.length);
  const shaped = tf.tensor(values, weight.shape);
  const arranged = weight.shape.length === 4 ? tf.transpose(shaped, [2, 3, 1, 0]) : tf.transpose(shaped, [1, 0]);
  parameters.set(layer.name, { w: arranged, b: tf.tensor(floats("weights.bin", bias.offset, bias.length)) });
}
// The backend has no LRN: the sum over neighbouring channels is a 1x1 convolution with a band of ones.
const bands = new Map();
let channelCount = 0;
for (const layer of net.layers) {
  if (layer.op === "conv2d") channelCount = layer.weight.shape[0];
  if (layer.op !== "lrn") continue;
  const half = (layer.size - 1) / 2;
  const band = Float32Array.from({ length: channelCount ** 2 }, (_, i) =>
    Math.abs(Math.floor(i / channelCount) - (i % channelCount)) <= half ? 1 : 0,
  );
  bands.set(layer.name, tf.tensor(band, [1, 1, channelCount, channelCount]));
}
const loadMs = performance.now() - started;
const [channels, height, width] = net.inputShape;
const input = tf.transpose(tf.tensor(floats("input.bin"), [1, channels, height, width]), [0, 2, 3, 1]);

function step(x, layer) {
  const { w, b } = parameters.get(layer.name) ?? {};
  switch (layer.op) {
    case "conv2d": {
      const padded = tf.pad(x, [
        [0, 0],
        [layer.pad, layer.pad],
        [layer.pad, layer.pad],
        [0, 0],
      ]);
      const strides = [layer.stride, layer.stride];
      if (layer.group === 1) return tf.add(tf.conv2d(padded, w, strides, "valid"), b);
      const parts = tf.split(padded, layer.group, 3);
      const filters = tf.split(w, layer.group, 3);
      return tf.add(
        tf.concat(
          parts.map((part, g) => tf.conv2d(part, filters[g], strides, "valid")),
          3,
        ),
        b,
      );
    }
    case "dense":
      return tf.add(tf.matMul(x, w), b);
    case "relu":
      return tf.relu(x);
    case "maxPool2d":
      return tf.maxPool(x, [layer.kernel, layer.kernel], [layer.stride, layer.stride], "valid");
    case "lrn": {
      const scale = tf.add(
        tf.mul(tf.conv2d(tf.square(x), bands.get(layer.name), 1, "valid"), layer.alpha / layer.size),
        layer.k,
      );
      return tf.mul(x, tf.pow(scale, -layer.beta));
    }
    case "flatten":
      return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [1, -1]);
    default:
      throw new Error(`tfjs: no ${layer.op}`);
  }
}

await report("tfjs-wasm", versionOf("@tensorflow/tfjs-backend-wasm"), loadMs, async () => {
  const y = tf.tidy(() => net.layers.reduce(step, input));
  const logits = await y.data();
  y.dispose();
  return logits;
});
