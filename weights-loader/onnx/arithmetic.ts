import { formatShape, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import { isFloat } from "../tensors/dtype.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import type { OnnxNode } from "./model.ts";
import {
  type Convert,
  dataAt,
  emit,
  ints,
  intsOf,
  plainDataAt,
  readFloats,
  setOutput,
  tensorAt,
  unsupported,
  valueAt,
} from "./node.ts";
import type { OnnxImport } from "./state.ts";

// Arithmetic between data, and between data and one constant per channel.

/** A constant's value per channel of data; it may differ along no other axis. */
export async function broadcast(tensor: StoredTensor, shape: Shape): Promise<Float32Array> {
  const [channels = 1] = shape;
  // ONNX aligns shapes at the last axis; the batch stands before the channels and must be 1.
  const aligned = [...Array<number>(Math.max(0, shape.length + 1 - tensor.shape.length)).fill(1), ...tensor.shape];
  const [batch, own = 1, ...rest] = aligned.slice(-(shape.length + 1));
  const isPerChannel =
    aligned.length === shape.length + 1 &&
    batch === 1 &&
    (own === 1 || own === channels) &&
    rest.every((size) => size === 1);
  if (!isPerChannel || !isFloat(tensor.dtype)) {
    throw unsupported(
      `a constant of shape ${formatShape(tensor.shape)} beside [N,${shape.join(",")}]; one number per channel is supported.`,
    );
  }
  const values = await readFloats(tensor);
  return own === channels ? values : new Float32Array(channels).fill(values[0] ?? 0);
}

/** scale * x + bias per channel: joins the layer before it where only a bias is added and nobody else reads that layer. */
export function affine(
  state: OnnxImport,
  node: OnnxNode,
  dataIndex: number,
  scale?: Float32Array,
  bias?: Float32Array,
): void {
  const x = plainDataAt(state, node, dataIndex);
  const [channels = 1] = x.shape;
  const at = state.nodes.findIndex(({ name }) => name === x.node);
  const before = state.nodes[at];
  const isFree = state.uses(node.inputs[dataIndex] ?? "") === 1 && dataAt(state, node, dataIndex).pads === undefined;
  if (
    isFree &&
    scale === undefined &&
    bias !== undefined &&
    (before?.op === "conv2d" || before?.op === "dense") &&
    before.bias === undefined
  ) {
    state.nodes[at] = { ...before, bias: state.addVector(`${node.name}.bias`, bias) };
    setOutput(state, node, { kind: "data", node: x.node, shape: x.shape });
    return;
  }
  const layer = {
    op: "batchNorm",
    epsilon: 0,
    mean: state.addVector(`${node.name}.mean`, new Float32Array(channels)),
    variance: state.addVector(`${node.name}.variance`, new Float32Array(channels).fill(1)),
    ...(scale === undefined ? {} : { scale: state.addVector(`${node.name}.scale`, scale) }),
    ...(bias === undefined ? {} : { bias: state.addVector(`${node.name}.bias`, bias) }),
  } as const;
  emit(state, node, [x.node], layer, x.shape);
}

/** Which of two inputs is data, and the constant beside it per channel. */
export async function besideConstant(
  state: OnnxImport,
  node: OnnxNode,
): Promise<{ dataIndex: number; constant: Float32Array }> {
  const dataIndex = valueAt(state, node, 0)?.kind === "data" ? 0 : 1;
  const x = dataAt(state, node, dataIndex);
  return { dataIndex, constant: await broadcast(tensorAt(state, node, 1 - dataIndex), x.shape) };
}

/** Sum of data, or a bias per channel. */
export const add: Convert = async (state, node) => {
  const inputs = node.inputs.map((_, index) => valueAt(state, node, index));
  if (inputs.every((value) => value?.kind === "data")) {
    const all = node.inputs.map((_, index) => plainDataAt(state, node, index));
    const [first] = all;
    if (first === undefined || !all.every(({ shape }) => sameShape(shape, first.shape))) {
      throw unsupported(`the shapes ${all.map(({ shape }) => formatShape(shape)).join(" and ")} differ.`);
    }
    const isNonNegative = all.every((value) => value.isNonNegative);
    emit(
      state,
      node,
      all.map((value) => value.node),
      { op: "add" },
      first.shape,
      isNonNegative,
    );
    return;
  }
  const { dataIndex, constant } = await besideConstant(state, node);
  affine(state, node, dataIndex, undefined, constant);
};

/** Data minus a constant, or the reverse. */
export const subtract: Convert = async (state, node) => {
  const { dataIndex, constant } = await besideConstant(state, node);
  if (dataIndex === 0)
    affine(
      state,
      node,
      0,
      undefined,
      constant.map((value) => -value),
    );
  else affine(state, node, 1, new Float32Array(constant.length).fill(-1), constant);
};

/** Data times a constant per channel, or a product of sizes. */
export const multiply: Convert = async (state, node) => {
  const values = node.inputs.map((_, index) => valueAt(state, node, index));
  if (values.every((value) => value !== undefined && value.kind !== "data")) {
    const [a = [], b = []] = [await intsOf(values[0], "input 0"), await intsOf(values[1], "input 1")];
    const length = Math.max(a.length, b.length);
    const at = (list: readonly number[], i: number): number => (list.length === 1 ? list[0] : list[i]) ?? 0;
    const product = Array.from({ length }, (_, i) => at(a, i) * at(b, i));
    setOutput(state, node, ints(product));
    return;
  }
  const { dataIndex, constant } = await besideConstant(state, node);
  affine(state, node, dataIndex, constant);
};

/** Data divided by a constant per channel. */
export const divide: Convert = async (state, node) => {
  const { dataIndex, constant } = await besideConstant(state, node);
  if (dataIndex !== 0) throw unsupported("a constant divided by data.");
  affine(
    state,
    node,
    0,
    constant.map((value) => 1 / value),
  );
};
