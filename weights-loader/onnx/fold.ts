import { constantArithmetic } from "./constant-arithmetic.ts";
import { type Fold, fixed } from "./constant-inputs.ts";
import { constantMoves, reshapeTarget } from "./constant-moves.ts";
import type { OnnxNode } from "./model.ts";
import { float, int, setOutput, unsupported, valueAt } from "./node.ts";
import { ints, numbers, numbersOf, readInts } from "./numbers.ts";
import type { OnnxImport, OnnxNumbers } from "./state.ts";

// Nodes all of whose inputs are constant: shape calculations, and weights worked out in the graph.

const folds: Readonly<Record<string, Fold>> = { ...constantArithmetic, ...constantMoves };

/** True for an operator that can be worked out from constants. */
export function isFoldable({ op }: OnnxNode): boolean {
  return Object.hasOwn(folds, op);
}

/**
 * Works out a node all of whose inputs are constant.
 * @returns false where some input depends on the photo
 * @throws UnsupportedError for an operator that cannot be worked out
 */
export async function fold(state: OnnxImport, node: OnnxNode): Promise<boolean> {
  const inputs: OnnxNumbers[] = [];
  if (node.inputs.length === 0) return false;
  for (const [index] of node.inputs.entries()) {
    const value = valueAt(state, node, index);
    if (value?.kind === "data") return false;
    if (value !== undefined) inputs[index] = numbersOf(value);
  }
  const known = isFoldable(node) ? folds[node.op] : undefined;
  if (known === undefined) throw unsupported("it cannot be worked out from constants.");
  // A stored tensor that is only reshaped or passed on stays in the file.
  const first = valueAt(state, node, 0);
  if (
    first?.kind === "constant" &&
    (node.op === "Identity" || node.op === "Reshape") &&
    first.tensor.strides === undefined
  ) {
    const shape =
      node.op === "Identity"
        ? first.tensor.shape
        : reshapeTarget(
            first.tensor.shape,
            await readInts(fixed(inputs, 1), "the shape"),
            int(node, "allowzero", 0) !== 0,
          );
    setOutput(state, node, { kind: "constant", tensor: { ...first.tensor, shape } });
    return true;
  }
  await known(state, node, inputs);
  return true;
}

/** A constant in the graph itself. */
export function constant(state: OnnxImport, node: OnnxNode): void {
  const given = (name: string): ReturnType<typeof node.attributes.get> => node.attributes.get(name);
  const t = given("value")?.t;
  if (t !== undefined) {
    setOutput(state, node, { kind: "constant", tensor: { ...t, name: t.name || (node.outputs[0] ?? node.name) } });
  } else if (given("value_int") !== undefined) setOutput(state, node, ints([int(node, "value_int", 0)], []));
  else if (given("value_ints") !== undefined) setOutput(state, node, ints(given("value_ints")?.ints ?? []));
  else if (given("value_float") !== undefined) {
    const value = float(node, "value_float", 0);
    setOutput(
      state,
      node,
      numbers([], false, async () => Float64Array.of(value)),
    );
  } else if (given("value_floats") !== undefined) {
    const values = given("value_floats")?.floats ?? [];
    setOutput(
      state,
      node,
      numbers([values.length], false, async () => Float64Array.from(values)),
    );
  } else throw unsupported("a constant that is neither a tensor nor numbers.");
}
