import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { Image } from "../../engine/picture/image.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { bundledModels } from "../../host/models/bundled.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { sha256 } from "../outputs/hash.ts";

/** SHA-256 by name, `<what>/<array>`, of everything that a network of the package must give on every machine. */
export type ReferenceOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

const composites = ["li2019", "epsilonPlus"] as const;
const photo = fileURLToPath(new URL("../../../examples/cat.jpg", import.meta.url));
const file = new URL("../../../models/reference-outputs.json", import.meta.url);

/** Path of the reference outputs, for whoever writes them. */
export const referenceFile: string = fileURLToPath(file);

/** The outputs that came with the package. */
export function shippedOutputs(): ReferenceOutputs {
  return JSON.parse(readFileSync(file, "utf8")) as ReferenceOutputs;
}

/** Numbers in [-2,2) that are the same everywhere: 24 bits of xorshift32 each, so that float32 holds them exactly. */
function seededInput(): Tensor {
  let state = 0x9e3779b9;
  const data = Float32Array.from({ length: 3 * 224 * 224 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) / 2 ** 22 - 2;
  });
  return tensor([3, 224, 224], data);
}

/**
 * Runs a network of the package on the example photo and on seeded numbers and takes the hashes of all arrays.
 * @param model one of `bundledModels()`
 */
export async function computeOutputs(model: string): Promise<ReferenceOutputs[string]> {
  const network = await loadNetwork(model);
  const inputs: readonly (readonly [name: string, input: Image | Tensor])[] = [
    ["photo", await readImage(photo)],
    ["seeded", seededInput()],
  ];
  const hashes: Record<string, string> = {};
  const weights = bundledModels().find(({ name }) => name === model)?.weights;
  if (weights !== undefined) hashes["weights"] = await sha256File(weights);
  for (const [name, input] of inputs) {
    for (const composite of composites) {
      const { input: prepared, logits, relevance, salientRelevance } = explain(network, input, { composite });
      hashes[`${name}/input`] = sha256(prepared.data);
      hashes[`${name}/logits`] = sha256(logits.data);
      hashes[`${name}/${composite}/relevance`] = sha256(relevance.data);
      hashes[`${name}/${composite}/salientRelevance`] = sha256(salientRelevance.data);
    }
  }
  return hashes;
}

/** Names of the arrays that differ, are missing or were not expected, in order. */
export function differences(got: ReferenceOutputs[string], expected: ReferenceOutputs[string] = {}): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(got ?? {})]);
  return [...names].filter((name) => got?.[name] !== expected[name]);
}
