import { halfPrecisionNote, quantisedNote } from "../graphs/precision-notes.ts";
import type { OnnxModel, OnnxNode } from "./model.ts";
import type { OnnxImport } from "./state.ts";

const names: Readonly<Record<string, string>> = { f16: "float16", bf16: "bfloat16", f64: "float64" };
/** TensorProto.DataType of the same. */
const inputTypes: Readonly<Record<number, string>> = { 10: "float16", 11: "float64", 16: "bfloat16" };
const integers = /^(QuantizeLinear|DynamicQuantizeLinear|QLinear\w+|ConvInteger|MatMulInteger)$/;

/** Says what onnxruntime computes otherwise than here: in half or double precision, or with integers. */
export function noteTypes(state: OnnxImport, { inputs, initializers }: OnnxModel, order: readonly OnnxNode[]): void {
  if (order.some(({ op }) => integers.test(op))) {
    state.notes.add(quantisedNote);
    return;
  }
  const read = new Set(order.flatMap((node) => node.inputs));
  const types = [
    ...inputs.flatMap(({ name, elementType }) => (read.has(name) ? [inputTypes[elementType]] : [])),
    ...Array.from(initializers.values(), ({ name, dtype }) => (read.has(name) ? names[dtype] : undefined)),
  ].filter((type) => type !== undefined);
  for (const type of new Set(types))
    state.notes.add(halfPrecisionNote(`onnxruntime computes this network, or parts of it, in ${type}`));
}
