import { readFileSync } from "node:fs";
import { packagePath } from "../files/package-folder.ts";

/** A network whose trained weights come with the package. */
export interface BundledModel {
  readonly name: string;
  /** Path of its weights, float16 safetensors. */
  readonly weights: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
  /** How many of the photos, of which kind, it names right. */
  readonly accuracy: { readonly right: number; readonly photos: number; readonly of: string };
  /** Temperature that makes its probabilities mean what they say, fitted by models/calibrate.mjs; below 1 where it is too modest. */
  readonly temperature: number;
  /** A most probable class with a calibrated probability of less than this is a guess: models/<name>.md has the measurement. */
  readonly doubtBelow: number;
}

/** The network that is used when none is named. */
export const defaultModel = "squeezenet1_1-caffe";

/** The networks that come with their weights, as models/models.json lists them. */
export function bundledModels(): readonly BundledModel[] {
  const entries = JSON.parse(readFileSync(packagePath("models/models.json"), "utf8")) as Record<
    string,
    Omit<BundledModel, "name" | "weights">
  >;
  return Object.entries(entries).map(([name, entry]) => ({
    ...entry,
    name,
    weights: packagePath(`models/${name}.safetensors`),
  }));
}

/** A network that comes with its weights, by name. */
export function bundledModel(name: string): BundledModel | undefined {
  return bundledModels().find((model) => model.name === name);
}

/**
 * Where the weights of a network of the package lie.
 * @throws RangeError when they do not come with the package
 */
export function bundledWeights(name: string): string {
  const found = bundledModel(name);
  if (found !== undefined) return found.weights;
  const names = bundledModels().map((model) => model.name);
  throw new RangeError(
    `model "${name}": its weights do not come with the package. Give a weight file, or use ${names.join(" or ")}.`,
  );
}
