import type { Shape } from "../../engine/basics/tensor.ts";
import type { OnnxNode } from "./model.ts";
import { setOutput, unsupported } from "./node.ts";
import type { OnnxImport, OnnxNumbers } from "./state.ts";

/** Works out a node all of whose inputs are constant. @throws UnsupportedError saying why it cannot be */
export type Fold = (state: OnnxImport, node: OnnxNode, inputs: readonly OnnxNumbers[]) => void | Promise<void>;

/** An input that must be there. */
export function fixed(inputs: readonly OnnxNumbers[], index: number): OnnxNumbers {
  const value = inputs[index];
  if (value === undefined) throw unsupported(`input ${index} is missing.`);
  return value;
}

/** An axis counted from the end; here no axis is the batch. */
export function axisIn(shape: Shape, axis: number): number {
  const own = axis < 0 ? axis + shape.length : axis;
  if (!(own >= 0 && own < Math.max(1, shape.length))) throw unsupported(`axis ${axis} of [${shape.join(",")}].`);
  return own;
}

/** The output is the first input. */
export const same: Fold = (state, node, inputs) => setOutput(state, node, fixed(inputs, 0));
