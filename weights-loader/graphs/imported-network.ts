import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { WeightFile } from "../tensors/weight-file.ts";

/** A network described by a file, and its weights under the names that the description uses. */
export interface ImportedNetwork {
  readonly definition: NetworkDefinition;
  readonly weights: WeightFile;
}
