// Prints one hash of what a network computes: logits and the maps of two composites. Equal hashes mean equal bytes.
// Usage: node build/bench/bytes.js NETWORK THREADS, NETWORK one of alexnet, bvlc_alexnet, vgg16. bench/bytes.sh compares runtimes.
import { createHash } from "node:crypto";
import { compositeByName } from "../engine/composites.ts";
import { loadKernels } from "../host/kernels.ts";
import type { SeededNetName } from "../test/cases/seeded-nets.ts";
import { buildSeeded } from "./seeded.ts";

const [name = "bvlc_alexnet", threads = "1"] = process.argv.slice(2);
const isKnown = (text: string): text is SeededNetName => ["alexnet", "bvlc_alexnet", "vgg16"].includes(text);
if (!isKnown(name)) throw new RangeError(`bytes: no seeded network "${name}".`);
const kernels = await loadKernels({ threads: Number(threads) });
const { network, input } = buildSeeded(kernels, name);
const logits = network.forward(input).data;
const start = new Float32Array(logits.length);
const top = logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
start[top] = logits[top]!;
const maps = ["li2019", "epsilonPlus"].map((each) => network.relevancePlan(compositeByName(each)).run(start).relevance);
const hash = createHash("sha256");
for (const values of [logits, ...maps.map(({ data }) => data)]) hash.update(new Uint8Array(values.slice().buffer));
console.log(hash.digest("hex").slice(0, 16));
await kernels.close();
