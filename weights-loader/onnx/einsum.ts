import { stridesOf } from "../../engine/basics/tensor.ts";
import { reshaped, transposed } from "./data.ts";
import { productWith } from "./dense.ts";
import { type Convert, constantAt, dataAt, isData, setOutput, unsupported } from "./node.ts";
import { forEachOffset, numbers } from "./numbers.ts";
import type { OnnxImport, OnnxNumbers } from "./state.ts";

/** A constant with its axes in another order. */
function ordered(constant: OnnxNumbers, order: readonly number[], shape: readonly number[]): OnnxNumbers {
  const strides = stridesOf(constant.shape);
  return numbers(shape, false, async () => {
    const values = await constant.load();
    const result = new Float64Array(values.length);
    const moved = order.map((axis) => constant.shape[axis] ?? 1);
    forEachOffset(
      moved,
      order.map((axis) => strides[axis] ?? 1),
      (offset, index) => {
        result[index] = values[offset]!;
      },
    );
    return result;
  });
}

/** `Einsum` of data and a constant that shares one axis with them, which is summed over: a dense layer along that axis. */
export const einsum: Convert = async (state: OnnxImport, node) => {
  const equation = (node.attributes.get("equation")?.s ?? "").replaceAll(" ", "");
  const [left = "", output] = equation.split("->");
  const [first = "", second, third] = left.split(",");
  const isFirst = isData(state, node, 0);
  if (second === undefined || third !== undefined || output === undefined || equation.includes("."))
    throw unsupported(`the equation "${equation}"; data and one constant are supported.`);
  if (isFirst && isData(state, node, 1))
    throw unsupported(`"${equation}" multiplies two feature maps, as attention does.`);
  const [own, other] = isFirst ? [first, second] : [second, first];
  const x = dataAt(state, node, isFirst ? 0 : 1);
  const constant = constantAt(state, node, isFirst ? 1 : 0);
  const shared = [...other].filter((label) => own.includes(label));
  const added = [...other].filter((label) => !own.includes(label));
  const [label = ""] = shared;
  const isOne = shared.length === 1 && !output.includes(label) && output[0] === own[0] && label !== own[0];
  const result = [...own].filter((each) => each !== label);
  const isComplete = [...output].sort().join() === [...result, ...added].sort().join();
  if (
    !isOne ||
    !isComplete ||
    new Set(own).size !== x.shape.length + 1 ||
    new Set(other).size !== constant.shape.length
  )
    throw unsupported(`the equation "${equation}"; a sum over one axis of data and a constant is supported.`);
  const axis = own.indexOf(label) - 1;
  const axes = x.shape.map((_, k) => k).filter((k) => k !== axis);
  const last = transposed(state, x, [...axes, axis]);
  const sizes = added.map((each) => constant.shape[other.indexOf(each)] ?? 1);
  const width = sizes.reduce((all, size) => all * size, 1);
  const matrix = ordered(
    constant,
    [...added, label].map((each) => other.indexOf(each)),
    [width, x.shape[axis] ?? 1],
  );
  const y = productWith(state, node, last, matrix);
  const wide = reshaped(state, y, [...axes.map((k) => x.shape[k] ?? 1), ...sizes]);
  const labels = [...result.slice(1), ...added];
  setOutput(
    state,
    node,
    transposed(
      state,
      wide,
      [...output.slice(1)].map((each) => labels.indexOf(each)),
    ),
  );
};
