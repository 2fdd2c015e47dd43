// As worker.js with a network that is larger than what its maps need: AlexNet in int8, 61 MB. Its weights stay in memory as they come, and
// each layer's rows are widened when it runs, so that the whole stays within a Worker's 128 MB.
import { explain, instantiateKernels, Network } from "srmap";
import { modelByName } from "srmap/models";
import { decodeImage } from "srmap/photos";
import { bindWeights, bytesSource, openWeights, weightRows } from "srmap/weights";
import kernels from "./kernels.wasm"; // srmap/kernels.wasm

let network;

/** A download, read into its place: `arrayBuffer()` would hold it twice for a moment. */
async function bytesOf(response) {
  const length = Number(response.headers.get("content-length"));
  const reader = response.body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(length);
  for (let end = 0; end < length; ) {
    const { value, done } = await reader.read(new Uint8Array(buffer, end, length - end)); // gives the memory back with `value`
    if (done) throw new Error(`the weights broke off after ${end} of ${length} bytes`);
    buffer = value.buffer;
    end += value.byteLength;
  }
  return new Uint8Array(buffer);
}

async function loadNetwork(address) {
  const file = await openWeights(bytesSource(await bytesOf(await fetch(address))), { name: "alexnet" });
  const loaded = new Network(instantiateKernels(kernels), modelByName("alexnet"), { rows: weightRows(file) });
  await bindWeights(loaded, file, { blockBytes: 2 ** 19 });
  return loaded;
}

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("POST a PNG or JPEG photo\n", { status: 405 });
    try {
      network ??= await loadNetwork(env.WEIGHTS); // where `srmap convert --precision int8` put them
      const photo = await decodeImage(await request.arrayBuffer());
      const { target, salientRelevance } = explain(network, photo, { salientRelevance: { mode: "fast" } });
      const { buffer, byteOffset, byteLength } = salientRelevance.data;
      return new Response(new Uint8Array(buffer, byteOffset, byteLength), { headers: { "x-class": target.label } });
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 422 });
    }
  },
};
