// Measures everything and prints ratios. Usage: npm run bench -- [--once] [--only PART]... [--peers] [--samples N]
//   --once   one call of everything that needs no large network: the gate
//   --only   sizes, load, salient, layers, networks, or the name of a shape file or network; several add up
//   --peers  also runs the competitors that bench/peers/install.sh installed and those of the Python in SRMAP_PYTHON
// Results go to build/bench-results: results.json, plot.svg.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { SeededNetName } from "../test/cases/seeded-nets.ts";
import { benchLayers } from "./layers.ts";
import { benchLoad } from "./load.ts";
import { benchNetwork } from "./networks.ts";
import { benchPeers } from "./peers.ts";
import { machine, plot, print } from "./report.ts";
import type { Result } from "./result.ts";
import { benchSalientRelevance } from "./salient-relevance.ts";
import { shapeFiles } from "./shapes.ts";
import { benchSizes } from "./sizes.ts";

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    peers: { type: "boolean", default: false },
    samples: { type: "string", default: "7" },
  },
});
const effort = { once: values.once };
const wants = (...names: string[]): boolean =>
  values.only.length === 0 || values.only.some((only) => names.includes(only));
const module = new WebAssembly.Module(readFileSync(new URL("../kernels-as/kernels.wasm", import.meta.url)));
const results: Result[] = [];
const add = (rows: readonly Result[]): void => {
  results.push(...rows);
  print(rows);
};

console.log(
  Object.entries(machine())
    .map(([key, value]) => `${key}: ${value}`)
    .join("; "),
);
if (wants("sizes")) add(benchSizes());
if (wants("salient")) add(benchSalientRelevance(module, effort));
if (wants("load")) add(await benchLoad(effort, values.peers));
for (const file of shapeFiles()) {
  // VGG-16's layers one by one take a minute in the direct mode they are checked against.
  if (wants("layers", file) && !(effort.once && file === "vgg16")) add(benchLayers(module, file, effort));
}
for (const name of ["alexnet", "bvlc_alexnet", "vgg16"] satisfies SeededNetName[]) {
  if (!wants("networks", name) || (effort.once && name !== "alexnet")) continue;
  const { results: own, computed } = benchNetwork(module, name, effort);
  const peers = values.peers ? benchPeers(name, 1, Number(values.samples), computed) : [];
  add([...own, ...peers]);
}

const folder = fileURLToPath(new URL("../bench-results/", import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}results.json`, `${JSON.stringify({ machine: machine(), results }, null, 1)}\n`);
writeFileSync(`${folder}plot.svg`, plot(results));
console.log(`\n${folder}results.json, plot.svg`);
