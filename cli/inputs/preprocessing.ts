import { basename } from "node:path";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { preprocessingNames } from "../../engine/models/preprocessing.ts";
import { CommandError } from "../terminal/errors.ts";
import type { Input } from "./found-input.ts";

/**
 * Refuses photos, once for all of them, where nobody says how they are prepared for a network; tensors (.npy) are prepared already.
 * @throws CommandError with the names that can be given
 */
export function requirePreprocessing(
  { preprocessing }: NetworkDefinition,
  weights: string,
  inputs: readonly Pick<Input, "path" | "error">[],
): void {
  const isPhoto = ({ path, error }: Pick<Input, "path" | "error">): boolean =>
    error === undefined && !/\.npy$/i.test(path);
  if (preprocessing !== undefined || !inputs.some(isPhoto)) return;
  throw new CommandError(
    `weights "${basename(weights)}": the file does not say how photos are prepared for its network. Name the preprocessing: ${preprocessingNames().join(", ")}.`,
  );
}
