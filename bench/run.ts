// Measures everything and prints times, shares of the roof, ratios to peers and goals.
// Usage: npm run bench -- [--once] [--only PART]... [--peers] [--samples N] [--write-plot FILE]
//   --once        one call of everything, of small networks: the gate
//   --only        roof, sizes, salient, cold, load, folder, full-size, kernels, layers, depthwise, networks, threads, targets, batch, accuracy, evaluation, or the name of a
//                 shape file or network; several add up
//   --peers       also runs the competitors that bench/peers/install.sh installed and those of the Python in SRMAP_PYTHON
//   --photos      a folder of JPEG files for the part "folder"; without it the example photos again and again
//   --samples     how often a peer runs, default 7
//   --write-table where the tables of the part "full-size" go, docs/full-size.md; the part needs --peers and SRMAP_PYTHON
//   --write-plot  where the picture of the headline rows goes too, for the README
// Results go to build/bench-results: results.json, and plot.svg where peers ran.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { instantiateKernels } from "../engine/memory/kernels.ts";
import { loadKernels } from "../host/threads/load-kernels.ts";
import { type SeededNetName, seededNetNames } from "../test/cases/seeded-nets.ts";
import { machine } from "./measure/machine.ts";
import type { Result } from "./measure/result.ts";
import { buildSeeded } from "./nets/seeded.ts";
import { writeSeededFile } from "./nets/seeded-file.ts";
import { shapeFiles } from "./nets/shapes.ts";
import { benchAccuracy } from "./parts/accuracy.ts";
import { benchBatch } from "./parts/batch.ts";
import { benchColdStart } from "./parts/cold-start.ts";
import { choices } from "./parts/convolution.ts";
import { benchDepthwise } from "./parts/depthwise.ts";
import { benchEvaluation } from "./parts/evaluation.ts";
import { benchFolder } from "./parts/folder.ts";
import { benchFullSize, fullSizeResults } from "./parts/full-size.ts";
import { benchKernels } from "./parts/kernels.ts";
import { benchLayers } from "./parts/layers.ts";
import { benchLoad } from "./parts/load.ts";
import {
  benchComposites,
  benchNetwork,
  computeDirect,
  furtherComposites,
  headlineComposites,
} from "./parts/networks.ts";
import { benchRoof } from "./parts/roof.ts";
import { benchSalientRelevance } from "./parts/salient-relevance.ts";
import { benchSizes } from "./parts/sizes.ts";
import { benchTargets } from "./parts/targets.ts";
import { benchThreads } from "./parts/threads.ts";
import { fullSizeTables } from "./report/full-size-tables.ts";
import { printGoals } from "./report/goals.ts";
import { benchPeers, missingPeers } from "./report/peers.ts";
import { plot } from "./report/plot.ts";
import { print } from "./report/report.ts";

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    peers: { type: "boolean", default: false },
    photos: { type: "string" },
    samples: { type: "string", default: "7" },
    "write-plot": { type: "string" },
    "write-table": { type: "string" },
  },
});
const effort = { once: values.once };
const wants = (...names: string[]): boolean =>
  values.only.length === 0 || values.only.some((only) => names.includes(only));
const module = new WebAssembly.Module(readFileSync(new URL("../kernels-as/kernels.wasm", import.meta.url)));
const results: Result[] = [];

console.log(
  Object.entries(machine())
    .map(([key, value]) => `${key}: ${value}`)
    .join("; "),
);
// Always, since it is short and shares are of it.
const { roof, results: roofRows } = benchRoof(effort);
const add = (rows: readonly Result[]): void => {
  results.push(...rows);
  print(rows, roof);
};
add(roofRows);
if (wants("sizes")) add(benchSizes());
if (wants("salient")) add(benchSalientRelevance(module, effort));
if (wants("cold")) {
  const folder = mkdtempSync(join(tmpdir(), "srmap-bench-"));
  try {
    const model = effort.once ? "squeezenet1_1" : "vgg16";
    const path = join(folder, `${model}.safetensors`);
    await writeSeededFile(model, path);
    add(benchColdStart(model, path, effort));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
if (wants("folder")) add(benchFolder(effort, values.photos, values.peers));
if (values.peers && wants("full-size")) {
  const all = benchFullSize(effort, values.only, Number(values.samples));
  add(fullSizeResults(all));
  if (values["write-table"] !== undefined) writeFileSync(values["write-table"], fullSizeTables(all, machine()));
}
if (wants("load")) add(await benchLoad(effort, values.peers));
for (const file of shapeFiles()) {
  // VGG-16's layers one by one take a minute in the direct mode they are checked against.
  if (effort.once && file === "vgg16") continue;
  if (wants("kernels", file) && choices(file).length > 0) add(benchKernels(module, file, effort));
  if (wants("layers", file)) add(benchLayers(module, file, effort));
}
if (wants("depthwise")) add(benchDepthwise(module, effort));
const networks = (part: string): SeededNetName[] =>
  seededNetNames.filter(
    (name) => wants(part, name) && (!effort.once || name === "alexnet" || values.only.includes(name)),
  );
for (const name of networks("networks")) {
  const further = furtherComposites(name, effort);
  const direct = computeDirect(module, name, [...headlineComposites(name), ...further]);
  const reference = { ...direct, name: "direct mode", logitsTolerance: 1e-5, mapTolerance: 1e-2 };
  const one = benchNetwork(instantiateKernels(module), name, effort, reference);
  const more = benchComposites(module, name, effort, further, reference);
  const computed = { ...one.computed, maps: new Map([...one.computed.maps, ...more.maps]) };
  const samples = Number(values.samples);
  add([...one.results, ...more.results, ...(values.peers ? benchPeers(name, 1, samples, computed) : [])]);
  if (effort.once && !values.peers) continue; // the gate sees threads in benchThreads
  const kernels = await loadKernels({ threads: 2 });
  const same = { ...one.computed, name: "one thread", logitsTolerance: 0, mapTolerance: 0 };
  const two = benchNetwork(kernels, name, effort, same);
  await kernels.close();
  add([...two.results, ...(values.peers ? benchPeers(name, 2, samples, two.computed) : [])]);
}
for (const name of networks("threads")) {
  if (name !== "bvlc_alexnet") add(await benchThreads(name, effort));
}
for (const name of seededNetNames) {
  const isWanted = networks("targets").includes(name) || networks("batch").includes(name);
  if (!isWanted || name === "bvlc_alexnet") continue;
  const { network, input } = buildSeeded(module, name);
  if (networks("targets").includes(name)) add(benchTargets(network, input, effort));
  if (networks("batch").includes(name)) add(benchBatch(network, input, effort));
}
if (wants("evaluation")) add(benchEvaluation(effort));
if (wants("accuracy")) add(benchAccuracy(module, effort));
if (!effort.once) printGoals(results);

const folder = fileURLToPath(new URL("../bench-results/", import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}results.json`, `${JSON.stringify({ machine: machine(), roof, results }, null, 1)}\n`);
const picture = plot(results);
if (picture !== undefined) {
  writeFileSync(`${folder}plot.svg`, picture);
  if (values["write-plot"] !== undefined) writeFileSync(values["write-plot"], picture);
}
console.log(`\n${folder}results.json${picture === undefined ? "" : ", plot.svg"}`);
if (!effort.once && !(values.peers && missingPeers() === "")) {
  console.log(missingPeers() || "Peers are installed: add --peers to measure them in the same run.");
}
