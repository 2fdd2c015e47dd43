import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { elementCount } from "../../engine/basics/tensor.ts";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { fillValues } from "../../test/cases/values.ts";
import { type ConvertOptions, convertWeights, type WeightFile } from "../../weights-loader/index.ts";

/** A tensor whose values are drawn when asked for. */
export interface DrawnTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Fills `target` with the values from element `begin`, the first of a row, on. */
  fill(target: Float32Array, begin: number): void;
}

/** Writes tensors as `srmap convert` would; at most a block of them is in memory. */
export async function writeTensors(
  path: string,
  tensors: readonly DrawnTensor[],
  options: ConvertOptions = {},
): Promise<void> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const readRows = async (name: string, first: number, count: number): Promise<Float32Array> => {
    const width = elementCount((byName.get(name)?.shape ?? []).slice(1));
    const rows = new Float32Array(width * count);
    byName.get(name)?.fill(rows, first * width);
    return rows;
  };
  const file: WeightFile = {
    name: "seeded",
    format: "seeded",
    metadata: {},
    tensors: new Map(tensors.map(({ name, shape }) => [name, { name, dtype: "f32", shape }])),
    readRows,
    read: (name) => readRows(name, 0, byName.get(name)?.shape[0] ?? 1),
  };
  await pipeline(convertWeights(file, options).pieces(), createWriteStream(path));
}

/** Writes a model's weights: uniform, as wide as keeps activations of one size from layer to layer (He et al. 2015). */
export async function writeSeededFile(model: string, path: string): Promise<void> {
  const tensors = networkParameters(modelByName(model)).map(({ name, shape }, index): DrawnTensor => {
    const width = elementCount(shape.slice(1));
    const bound = shape.length > 1 ? Math.sqrt(6 / width) : 0.1;
    const fill = (target: Float32Array, begin: number): void => {
      const values = fillValues(target.length, "uniform", index * 65536 + Math.floor(begin / width));
      for (let i = 0; i < target.length; i++) target[i] = values[i]! * bound;
    };
    return { name, shape, fill };
  });
  await writeTensors(path, tensors);
}
