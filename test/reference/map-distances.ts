// How far relevance maps are from PyTorch's in float64, beside PyTorch's own float32: the table of docs/design.md.
//   node build/test/reference/map-distances.js export FOLDER [NETWORK ...]
//   python test/reference/map_distances.py FOLDER NETWORK [COUNT]
//   node build/test/reference/map-distances.js table FOLDER [NETWORK ...]
// The first two photos are those on white, the others ImageNet's, at most 50; vgg16 has seeded weights. Takes about 7 s a photo, all composites.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Network, type NetworkDefinition, type ParameterSink, tensor } from "../../engine/index.ts";
import type { Algorithm } from "../../engine/layers/linear/winograd.ts";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { preprocess } from "../../engine/picture/preprocess.ts";
import { compositeByName, compositeNames } from "../../engine/rules/composites.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { bindWeights, bytesSource, openWeights } from "../../weights-loader/index.ts";
import { seededDefinition, seededParameters } from "../cases/seeded-nets.ts";
import { testKernels } from "../support/kernels.ts";
import { root, sharedData } from "../support/paths.ts";
import { squeezenetWeights, validationPhotos } from "../support/squeezenet.ts";

/** What map_distances.py writes of one photo: class with the largest logit in float64, and PyTorch float32's distances by composite. */
interface Reference {
  readonly photo: number;
  readonly target: number;
  readonly distances: Readonly<Record<string, number>>;
}

const onWhite = 2;
const mostPhotos = 50;

function photoPaths(): string[] {
  const white = ["coffee", "cat"].map((name) => `${sharedData}../cases/photos/${name}-on-white.png`);
  const natural = readdirSync(validationPhotos).filter((name) => name.endsWith(".JPEG"));
  return [...white, ...natural.slice(0, mostPhotos).map((name) => validationPhotos + name)];
}

function definitionOf(name: string): NetworkDefinition {
  return name === "vgg16" ? seededDefinition(name) : modelByName(name);
}

/** All weights as float32, whatever the file's type. */
async function weightsOf(name: string, definition: NetworkDefinition): Promise<Map<string, Float32Array>> {
  if (name === "vgg16") return seededParameters(name);
  const values = new Map<string, Float32Array>();
  const parameters = networkParameters(definition);
  for (const { name: parameter, shape } of parameters) {
    values.set(parameter, new Float32Array(shape.reduce((product, size) => product * size, 1)));
  }
  const sink: ParameterSink = {
    parameters,
    setRows(parameter, firstRow, rows) {
      const shape = parameters.find((each) => each.name === parameter)?.shape ?? [];
      values.get(parameter)?.set(rows, firstRow * shape.slice(1).reduce((product, size) => product * size, 1));
    },
  };
  const file = name === "squeezenet1_0" ? squeezenetWeights : `${root}models/${name}.safetensors`;
  await bindWeights(sink, await openWeights(bytesSource(readFileSync(file))));
  return values;
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function exportNetwork(folder: string, name: string): Promise<void> {
  const definition = definitionOf(name);
  const out = join(folder, name);
  mkdirSync(join(out, "weights"), { recursive: true });
  const weights = await weightsOf(name, definition);
  const shapes = Object.fromEntries(networkParameters(definition).map(({ name: each, shape }) => [each, shape]));
  for (const [parameter, values] of weights) writeFileSync(join(out, "weights", parameter), bytesOf(values));
  // The seeded network knows no photos; it takes them as SqueezeNet does.
  const { preprocessing } = name === "vgg16" ? modelByName("squeezenet1_0") : definition;
  photoPaths().forEach((path, i) => {
    const input = preprocess(decodeImage(readFileSync(path)), preprocessing, definition.inputShape).tensor;
    writeFileSync(join(out, `${i}.f32`), bytesOf(input.data));
  });
  const composites = Object.fromEntries(compositeNames().map((each) => [each, compositeByName(each)]));
  writeFileSync(join(out, "network.json"), JSON.stringify({ ...definition, preprocessing, shapes, composites }));
}

function readNumbers<T>(path: string, Values: new (buffer: ArrayBuffer) => T): T {
  const bytes = readFileSync(path);
  return new Values(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}

/** Relative L2 distance; 0 between two empty maps. */
function distance(values: ArrayLike<number>, truth: Float64Array): number {
  let [difference, size] = [0, 0];
  truth.forEach((value, i) => {
    difference += ((values[i] ?? Number.NaN) - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / Math.max(size, Number.MIN_VALUE));
}

/** Distances of srmap's maps, by composite. */
async function measured(
  folder: string,
  name: string,
  algorithm: Algorithm,
  references: readonly Reference[],
): Promise<Map<string, number[]>> {
  const definition = definitionOf(name);
  const network = new Network(testKernels(), definition, { algorithm });
  for (const [parameter, values] of await weightsOf(name, definition)) network.setRows(parameter, 0, values);
  const found = new Map<string, number[]>();
  for (const { photo, target, distances } of references) {
    const input = readNumbers(join(folder, name, `${photo}.f32`), Float32Array);
    const logits = network.forward(tensor(definition.inputShape, input)).data;
    for (const composite of Object.keys(distances)) {
      const rules = compositeByName(composite);
      const start = new Float32Array(logits.length);
      start[target] = rules.start === "one" ? 1 : (logits[target] ?? Number.NaN);
      const map = network.relevancePlan(rules).run(start).relevance.data;
      const truth = readNumbers(join(folder, name, `${photo}.${composite}.f64`), Float64Array);
      found.set(composite, [...(found.get(composite) ?? []), distance(map, truth)]);
    }
  }
  network.dispose();
  return found;
}

/** The value below which a share of them lies, by the nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

const natural = (values: readonly number[]): string =>
  [0.5, 0.9, 1].map((share) => quantile(values.slice(onWhite), share).toExponential(1)).join(", ");
const white = (values: readonly number[]): string =>
  values
    .slice(0, onWhite)
    .map((value) => value.toExponential(1))
    .join(", ");

async function rowsOf(folder: string, name: string): Promise<string[]> {
  const references = readFileSync(join(folder, name, "references.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Reference);
  const auto = await measured(folder, name, "auto", references);
  const direct = await measured(folder, name, "direct", references);
  return [...auto].map(([composite, values], row) => {
    const peer = references.map(({ distances }) => distances[composite] ?? Number.NaN);
    const cells = [natural(peer), natural(values), natural(direct.get(composite) ?? []), white(peer), white(values)];
    const first = row === 0 ? `${name}, ${references.length - onWhite} photos, ` : "";
    return `| ${first}\`${composite}\` | ${cells.join(" | ")} |`;
  });
}

const [mode, folder, ...names] = process.argv.slice(2);
if (folder === undefined || (mode !== "export" && mode !== "table")) {
  throw new Error("usage: map-distances.js export|table FOLDER [NETWORK ...]");
}
const wanted = names.length > 0 ? names : ["squeezenet1_0", "vgg-mini", "alexnet-mini", "vgg16"];
if (mode === "export") {
  for (const name of wanted) await exportNetwork(folder, name);
} else {
  console.log("| | PyTorch float32 | srmap | `--algorithm direct` | on white: PyTorch float32 | srmap |");
  console.log("|---|---|---|---|---|---|");
  for (const name of wanted) {
    if (!existsSync(join(folder, name, "references.jsonl"))) continue;
    for (const row of await rowsOf(folder, name)) console.log(row);
  }
}
