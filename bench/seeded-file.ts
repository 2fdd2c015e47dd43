import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { modelByName } from "../engine/models/index.ts";
import { networkParameters } from "../engine/parameter-specs.ts";
import { elementCount } from "../engine/tensor.ts";
import { fillValues } from "../test/cases/values.ts";
import { convertWeights, type WeightFile } from "../weights-loader/index.ts";

/** Weights of a model without a file: uniform, as wide as keeps activations of one size from layer to layer (He et al. 2015). */
function seededWeights(model: string): WeightFile {
  const specs = networkParameters(modelByName(model));
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const names = [...shapes.keys()];
  const readRows = async (name: string, first: number, count: number): Promise<Float32Array> => {
    const width = elementCount((shapes.get(name) ?? []).slice(1));
    const bound = (shapes.get(name)?.length ?? 0) > 1 ? Math.sqrt(6 / width) : 0.1;
    const values = fillValues(width * count, "uniform", names.indexOf(name) * 65536 + first);
    return values.map((value) => value * bound);
  };
  const tensors = new Map(names.map((name) => [name, { name, dtype: "f32" as const, shape: shapes.get(name) ?? [] }]));
  const read = (name: string): Promise<Float32Array> => readRows(name, 0, shapes.get(name)?.[0] ?? 1);
  return { name: model, format: "seeded", metadata: {}, tensors, readRows, read };
}

/** Writes a model's seeded weights as safetensors. */
export async function writeSeededFile(model: string, path: string): Promise<void> {
  await pipeline(convertWeights(seededWeights(model)).pieces(), createWriteStream(path));
}
