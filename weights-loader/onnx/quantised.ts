import { elementCount } from "../../engine/basics/tensor.ts";
import { matMul } from "./dense.ts";
import { everywhere } from "./functions.ts";
import type { OnnxNode } from "./model.ts";
import { type Convert, constantAt, dataAt, setOutput, setOutputs, unsupported, valueAt } from "./node.ts";
import { mapNumbers, numbers, numbersOf } from "./numbers.ts";
import type { OnnxImport } from "./state.ts";
import { conv } from "./windows.ts";

// Quantised networks are computed in float32 with the numbers that their integers stand for; roundings between layers are left out, the
// limits of the integers are kept.

/** Limits of the integers that a zero point's type can hold. */
function limitsOf(state: OnnxImport, node: OnnxNode, index: number): [number, number] {
  const value = valueAt(state, node, index);
  if (value === undefined) return [0, 255];
  const dtype = value.kind === "constant" ? value.tensor.dtype : undefined;
  const limits = { u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767] } as const;
  if (dtype === undefined || !(dtype in limits)) throw unsupported("a zero point that is no integer of 8 or 16 bits.");
  const [low, high] = limits[dtype as keyof typeof limits]; // checked above
  return [low, high];
}

async function one(state: OnnxImport, node: OnnxNode, index: number, otherwise?: number): Promise<number> {
  if (otherwise !== undefined && valueAt(state, node, index) === undefined) return otherwise;
  const constant = constantAt(state, node, index);
  if (elementCount(constant.shape) !== 1) throw unsupported(`input ${index} must be one number for feature maps.`);
  return (await constant.load())[0] ?? 0;
}

export const quantize: Convert = async (state, node) => {
  const [scale, zero] = [await one(state, node, 1), await one(state, node, 2, 0)];
  const [least, most] = limitsOf(state, node, 2);
  const [low, high] = [(least - zero) * scale, (most - zero) * scale];
  setOutput(
    state,
    node,
    everywhere(state, node.name, dataAt(state, node, 0), { op: "clip", low, high }, { isNonNegative: low >= 0 }),
  );
};

/** Data are already what their integers stand for. */
export const dequantize: Convert = (state, node) => setOutput(state, node, dataAt(state, node, 0));

/** Scales by the photo's own range: left out, so the scale is 1 and the zero point 0. */
export const dynamicQuantize: Convert = (state, node) => {
  const one = numbers([], false, async () => Float64Array.of(1));
  const zero = numbers([], true, async () => Float64Array.of(0));
  setOutputs(state, node, [dataAt(state, node, 0), one, zero]);
};

/** Integer weights less their zero point; the scale is a factor of its own behind. */
function withoutZero(convert: Convert): Convert {
  return async (state, node) => {
    const zero = valueAt(state, node, 2);
    if (zero !== undefined && (zero.kind === "data" || (await numbersOf(zero).load()).some((value) => value !== 0))) {
      throw unsupported("a zero point of data that are not quantised by their own range.");
    }
    const w = constantAt(state, node, 1);
    const point = valueAt(state, node, 3);
    const zeros = point === undefined || point.kind === "data" ? undefined : numbersOf(point);
    const rank = w.shape.length;
    const aligned =
      zeros === undefined || elementCount(zeros.shape) === 1
        ? zeros && { ...zeros, shape: [] }
        : {
            ...zeros,
            shape:
              node.op === "ConvInteger" ? [elementCount(zeros.shape), ...Array<number>(rank - 1).fill(1)] : zeros.shape,
          };
    const weights =
      aligned === undefined ? mapNumbers([w], false, (v) => v) : mapNumbers([w, aligned], false, (v, z) => v - z);
    const name = `${node.inputs[1] ?? node.name}.dequantised`;
    state.values.set(name, weights);
    await convert(state, { ...node, inputs: [node.inputs[0] ?? "", name] });
  };
}

export const convInteger: Convert = withoutZero(conv);
export const matMulInteger: Convert = withoutZero(matMul);
