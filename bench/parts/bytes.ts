// Prints one hash of what a network computes: logits, the maps of two composites, and the exact and the fast Salient Relevance map of
// the first. Equal hashes mean equal bytes.
// Usage: node build/bench/bytes.js NETWORK THREADS, NETWORK one of alexnet, bvlc_alexnet, vgg16. bench/bytes.sh compares runtimes.
import { createHash } from "node:crypto";
import { compositeByName } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { seededNetNames } from "../../test/cases/seeded-nets.ts";
import { buildSeeded, topStart } from "../nets/seeded.ts";

const [wanted = "bvlc_alexnet", threads = "1"] = process.argv.slice(2);
const name = seededNetNames.find((each) => each === wanted);
if (name === undefined) throw new RangeError(`bytes: no seeded network "${wanted}".`);
const kernels = await loadKernels({ threads: Number(threads) });
const { network, input } = buildSeeded(kernels, name);
const logits = network.forward(input).data;
const maps = ["li2019", "epsilonPlus"].map(
  (each) => network.relevancePlan(compositeByName(each)).run(topStart(logits)).relevance,
);
const salient = (["exact", "fast"] as const).flatMap((mode) =>
  maps.slice(0, 1).map((map) => salientRelevance(kernels, map, { mode }).map),
);
const hash = createHash("sha256");
for (const values of [logits, ...[...maps, ...salient].map(({ data }) => data)]) {
  hash.update(new Uint8Array(values.slice().buffer));
}
console.log(hash.digest("hex").slice(0, 16));
await kernels.close();
