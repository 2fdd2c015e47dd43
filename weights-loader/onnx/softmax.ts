import { scaled } from "./affine.ts";
import { product, sum } from "./arithmetic.ts";
import { plain, shaped, standard } from "./data.ts";
import { functionAt } from "./functions.ts";
import { addLayer, axisOf, type Convert, dataAt, int, setOutput, unsupported } from "./node.ts";
import { pooled } from "./reduce.ts";
import type { OnnxData, OnnxImport } from "./state.ts";

/** Softmax inside a network, by its definition e^(x - max) / sum e^(x - max): shares that weigh other values, so a gate. */
function shares(state: OnnxImport, wish: string, data: OnnxData, axis: number): OnnxData {
  const x = plain(state, data);
  const most = pooled(state, `${wish}.max`, x, [axis], true, "globalMaxPool2d");
  const less = sum(state, `${wish}.difference`, [x, scaled(state, `${wish}.negative`, most, -1)], 0);
  const powers = functionAt(state, `${wish}.exp`, less, "exp");
  const mean = pooled(state, `${wish}.mean`, powers, [axis], true, "globalAveragePool2d");
  const total = scaled(state, `${wish}.total`, mean, x.shape[axis] ?? 1);
  const share = product(state, wish, powers, functionAt(state, `${wish}.reciprocal`, total, "reciprocal"));
  return { ...share, isGate: true, isNonNegative: true };
}

/** Softmax: at the end the network's last node, before which relevance starts; inside a gate. */
export const softmax: Convert = (state, node) => {
  const data = dataAt(state, node, 0);
  const axis = axisOf(int(node, "axis", state.opset >= 13 ? -1 : 1), data.shape);
  if (axis === 0) throw unsupported("photos of a batch would be mixed.");
  // Axes of size 1 do not count; before opset 13 all axes from `axis` on are one vector.
  const isVector = data.shape.every((size, k) => size === 1 || k === axis - 1);
  const isWhole = !isVector && state.opset < 13 && data.shape.slice(axis).some((size) => size !== 1);
  if (!state.ending.has(node.outputs[0] ?? "")) {
    if (isWhole) throw unsupported(`softmax over axes ${axis} and on of [N,${data.shape.join(",")}].`);
    return setOutput(state, node, shares(state, node.name, data, axis - 1));
  }
  if (!isVector && (axis !== 1 || state.opset < 13))
    throw unsupported(`softmax over axis ${axis} of [N,${data.shape.join(",")}]; only channels (1) are supported.`);
  const x = isVector ? shaped(state, data, [data.shape[axis - 1] ?? 1]) : standard(state, data);
  const value = addLayer(
    state,
    node.name,
    [x.node],
    { op: "softmax" },
    { shape: data.shape, at: x.at, isNonNegative: true },
  );
  setOutput(state, node, value);
};
