import type { Shape } from "../../engine/basics/tensor.ts";
import { openWeightFile } from "../../host/network/load.ts";

/**
 * The shape of the first input where it is a .npy: the size of a network that leaves its own open. Only the header is read; what is wrong
 * with the file is said when it is explained.
 */
export async function shapeOfFirstNpy(paths: readonly string[]): Promise<Shape | undefined> {
  const [first] = paths;
  if (first === undefined || !/\.npy$/i.test(first)) return undefined;
  try {
    const { file, close } = await openWeightFile(first);
    try {
      const [array] = file.tensors.values();
      return array?.shape;
    } finally {
      await close();
    }
  } catch {
    return undefined;
  }
}
