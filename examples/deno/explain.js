// srmap in Deno or Bun, after npm install srmap:
//   deno run --node-modules-dir=manual --allow-read --allow-env explain.js PHOTO
//   bun explain.js PHOTO
import process from "node:process";
import { fileURLToPath } from "node:url";
import { explain } from "srmap";
import { loadNetwork, readImage } from "srmap/node";

const photo = process.argv[2] ?? fileURLToPath(new URL("../coffee.jpg", import.meta.url));
const network = await loadNetwork();
const { target, salientRelevance } = explain(network, await readImage(photo), { salientRelevance: { mode: "fast" } });
console.log(target.label, target.probability);
const { buffer, byteOffset, byteLength } = salientRelevance.data;
const sum = await crypto.subtle.digest("SHA-256", new Uint8Array(buffer, byteOffset, byteLength));
console.log([...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
