// An edge worker (Cloudflare Workers, workerd): POST a photo, get what the network saw and the areas it looked at. Nothing is compiled at
// run time: the kernels come as a module.
import { explain, instantiateKernels, Network } from "srmap";
import { decodeImage } from "srmap/photos";
import { bindWeights, bytesSource, importNetwork } from "srmap/weights";
import kernels from "./kernels.wasm"; // srmap/kernels.wasm
import weights from "./network.bin"; // srmap's models/squeezenet1_1-caffe.safetensors

let network;

async function loadNetwork() {
  const { definition, weights: file } = await importNetwork(bytesSource(new Uint8Array(weights)), { name: "network" });
  const loaded = new Network(instantiateKernels(kernels), definition);
  await bindWeights(loaded, file);
  return loaded;
}

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("POST a PNG or JPEG photo\n", { status: 405 });
    network ??= loadNetwork();
    try {
      const photo = await decodeImage(await request.arrayBuffer());
      const { target, salientRelevance } = explain(await network, photo, { salientRelevance: { mode: "fast" } });
      const { buffer, byteOffset, byteLength } = salientRelevance.data;
      const headers = {
        "x-class": target.label,
        "x-probability": String(target.probability),
        "x-shape": salientRelevance.shape.join(),
      };
      return new Response(new Uint8Array(buffer, byteOffset, byteLength), { headers }); // float32, [H,W]
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 422 });
    }
  },
};
