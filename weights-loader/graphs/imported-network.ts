import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { WeightFile } from "../tensors/weight-file.ts";

/** A network described by a file, and its weights under the names that the description uses. */
export interface ImportedNetwork {
  readonly definition: NetworkDefinition;
  readonly weights: WeightFile;
  /** Sentences on what the reader of its maps should know: what is computed otherwise than where the file comes from. */
  readonly notes?: readonly string[];
}
