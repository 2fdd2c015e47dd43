import { elementCount, formatShape } from "../../engine/basics/tensor.ts";
import { isFloat } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import { scaled } from "./affine.ts";
import { product as times } from "./arithmetic.ts";
import { axisFirst, shaped, standard, transposed } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  anyDataAt,
  type Convert,
  constantAt,
  dataAt,
  float,
  int,
  isData,
  setOutput,
  unsupported,
  valueAt,
  vectorAt,
} from "./node.ts";
import { expanded } from "./numbers.ts";
import { pooled } from "./reduce.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

/** Weights [outFeatures,inFeatures] times `scale` as a parameter; where the file stores them so (or its transpose), they stay in the file. */
function weightsAt(
  state: OnnxImport,
  node: OnnxNode,
  index: number,
  isTransposed: boolean,
  scale: number,
  trail: readonly number[],
): string {
  const value = valueAt(state, node, index);
  const { shape, load } = constantAt(state, node, index);
  const [rows = 0, columns = 0] = shape;
  const out = isTransposed ? rows : columns;
  const inner = isTransposed ? columns : rows;
  const wanted = [out, inner, ...trail];
  if (value?.kind === "constant" && isFloat(value.tensor.dtype) && trail.length === 0) {
    const [rowStride, columnStride] = value.tensor.strides ?? [columns, 1];
    const oriented: StoredTensor = isTransposed
      ? value.tensor
      : { ...value.tensor, shape: wanted, strides: [columnStride ?? 1, rowStride ?? 1] };
    if (scale === 1) return state.addTensor(oriented);
    return state.addTensor({
      name: oriented.name,
      shape: wanted,
      compute: async () => {
        const file = storedWeights({ name: node.name, format: "onnx" }, [oriented]);
        return (await file.read(oriented.name)).map((w) => w * scale);
      },
    });
  }
  return state.addTensor({
    name: `${node.inputs[index] ?? node.name}.matrix`,
    shape: wanted,
    compute: async () => {
      const w = await load();
      return Float32Array.from({ length: out * inner }, (_, k) => {
        const [m, i] = [Math.floor(k / inner), k % inner];
        return scale * (isTransposed ? w[k]! : w[i * out + m]!);
      });
    },
  });
}

/** y = W x along the last axis with weights [outFeatures,inFeatures] that are worked out. */
export function productWith(state: OnnxImport, node: OnnxNode, x: OnnxData, matrix: OnnxNumbers): OnnxData {
  const name = `${node.name}.matrix`;
  state.values.set(name, matrix);
  return product(state, { ...node, inputs: ["", name] }, x, true, 1);
}

/** y = W x along the last axis: a dense layer for vectors, else a convolution of one pixel. */
function product(
  state: OnnxImport,
  node: OnnxNode,
  x: OnnxData,
  isTransposed: boolean,
  scale: number,
  bias?: string,
): OnnxData {
  const { shape } = constantAt(state, node, 1);
  const [rows = 0, columns = 0] = shape;
  const [outFeatures, inFeatures] = isTransposed ? [rows, columns] : [columns, rows];
  if (shape.length !== 2 || x.shape.at(-1) !== inFeatures) {
    throw unsupported(`weights ${formatShape(shape)} do not fit a vector of [N,${x.shape.join(",")}].`);
  }
  const parameters = bias === undefined ? {} : { bias };
  if (elementCount(x.shape) === inFeatures) {
    const vector = shaped(state, x, [inFeatures]);
    const weight = weightsAt(state, node, 1, isTransposed, scale, []);
    const stage = { op: "dense", outFeatures, weight, ...parameters } as const;
    const own = [...x.shape.slice(0, -1), outFeatures];
    return addLayer(state, node.name, [vector.node], stage, { shape: own, at: [outFeatures], ...bare(x) });
  }
  const { x: front, back } = axisFirst(state, x, x.shape.length - 1);
  const input = front.at.length === 3 ? front : standard(state, front);
  const weight = weightsAt(state, node, 1, isTransposed, scale, [1, 1]);
  const stage = { op: "conv2d", outChannels: outFeatures, kernelShape: [1, 1], weight, ...parameters } as const;
  const own = [outFeatures, ...front.shape.slice(1)];
  const at = [outFeatures, ...input.at.slice(1)];
  return transposed(state, addLayer(state, node.name, [input.node], stage, { shape: own, at, ...bare(x) }), back);
}

const bare = ({ isBare }: OnnxData): { isBare?: true } => (isBare === true ? { isBare } : {});

/** The last two axes change places. */
function turned(state: OnnxImport, x: OnnxData): OnnxData {
  const rank = x.shape.length;
  if (rank < 2) throw unsupported("a matrix times a batch of vectors would mix the photos of the batch.");
  return transposed(
    state,
    x,
    [...x.shape.keys()].map((k) => (k === rank - 1 ? rank - 2 : k === rank - 2 ? rank - 1 : k)),
  );
}

/** A sum of places weighed by a gate, as attention pooling has it: one column (or row) of shares. */
function weighed(state: OnnxImport, node: OnnxNode): OnnxData | undefined {
  const [a, b] = [dataAt(state, node, 0), dataAt(state, node, 1)];
  const [rows, inner] = a.shape.slice(-2);
  const [, columns] = b.shape.slice(-2);
  const isColumn = b.isGate === true && columns === 1;
  const isRow = a.isGate === true && rows === 1;
  if (a.shape.length < 2 || b.shape.length < 2 || (!isColumn && !isRow)) return undefined;
  const [x, gate] = isColumn ? [a, turned(state, b)] : [turned(state, b), a]; // [..,M,K] and [..,1,K]
  const each = times(state, `${node.name}.weighed`, x, { ...gate, isGate: true });
  const mean = pooled(state, `${node.name}.mean`, each, [each.shape.length - 1], true, "globalAveragePool2d");
  const total = scaled(state, node.name, mean, inner ?? 1);
  return isColumn ? total : turned(state, total);
}

function refuseAttention(state: OnnxImport, node: OnnxNode): void {
  if (isData(state, node, 0) && isData(state, node, 1)) {
    throw unsupported(
      "it multiplies two feature maps, as attention and bilinear pooling do: no relevance rule here covers that. For transformers see AttnLRP (the package LXT).",
    );
  }
}

export const matMul: Convert = (state, node) => {
  if (!isData(state, node, 0)) {
    // W X of a constant matrix is (X' W')': a dense layer along the last axis but one.
    const y = productWith(state, node, turned(state, dataAt(state, node, 1)), constantAt(state, node, 0));
    return setOutput(state, node, turned(state, y));
  }
  const isPool = isData(state, node, 0) && isData(state, node, 1);
  const pool = isPool ? weighed(state, node) : undefined;
  if (pool === undefined) refuseAttention(state, node);
  setOutput(state, node, pool ?? product(state, node, anyDataAt(state, node, 0), false, 1));
};

export const gemm: Convert = async (state, node) => {
  refuseAttention(state, node);
  if (int(node, "transA", 0) !== 0) throw unsupported("transA.");
  const isTransposed = int(node, "transB", 0) !== 0;
  const { shape } = constantAt(state, node, 1);
  const outFeatures = (isTransposed ? shape[0] : shape[1]) ?? 0;
  const beta = float(node, "beta", 1);
  let bias: string | undefined;
  if ((node.inputs[2] ?? "") !== "" && beta !== 0) {
    const c = constantAt(state, node, 2);
    if (beta === 1 && elementCount(c.shape) === outFeatures) bias = vectorAt(state, node, 2, outFeatures);
    else {
      if (elementCount(c.shape) !== 1 && elementCount(c.shape) !== outFeatures)
        throw unsupported(`a bias of ${formatShape(c.shape)}.`);
      const values = expanded(await c.load(), [elementCount(c.shape)], [outFeatures]);
      bias = state.addVector(
        `${node.inputs[2]}`,
        Float32Array.from(values, (value) => value * beta),
      );
    }
  }
  setOutput(state, node, product(state, node, anyDataAt(state, node, 0), isTransposed, float(node, "alpha", 1), bias));
};
