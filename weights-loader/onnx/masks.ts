import { elementCount } from "../../engine/basics/tensor.ts";
import { affine, affineOf } from "./affine.ts";
import { product, sum, widened } from "./arithmetic.ts";
import { everywhere, functionAt, rectified } from "./functions.ts";
import { type Convert, constantAt, dataAt, isData, setOutput, unsupported } from "./node.ts";
import { mapNumbers } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

// Comparisons of data: 1 where they are true, 0 elsewhere. A mask only lets values through, as a gate does.

/** 1 - x. */
function opposite(state: OnnxImport, wish: string, x: OnnxData): OnnxData {
  const channels = x.at[0] ?? 1;
  const value = affineOf(state, wish, x, new Float64Array(channels).fill(-1), new Float64Array(channels).fill(1));
  return { ...value, isGate: true, isNonNegative: true };
}

/** 1 where data are above 0: the sign without its negative half. */
function step(state: OnnxImport, wish: string, x: OnnxData): OnnxData {
  const sign = functionAt(state, `${wish}.sign`, x, "sign");
  return everywhere(state, wish, sign, { op: "relu" }, { isNonNegative: true, isGate: true });
}

/** `Greater` and its kin: which input must be the larger one, and whether equal values count. */
export function comparison(largerInput: 0 | 1, countsEqual: boolean): Convert {
  return async (state, node) => {
    const smallerInput = 1 - largerInput;
    // a > b is step(a - b); a >= b is 1 - step(b - a).
    const [plus, minus] = countsEqual ? [smallerInput, largerInput] : [largerInput, smallerInput];
    const name = node.name;
    const minusOne = (constant: OnnxNumbers): OnnxNumbers => mapNumbers([constant], false, () => -1);
    let difference: OnnxData;
    let fact: { readonly x: OnnxData; readonly limit: number; readonly isAbove: boolean } | undefined;
    if (isData(state, node, plus) && isData(state, node, minus)) {
      const [a, b] = [dataAt(state, node, plus), dataAt(state, node, minus)];
      const channels = b.at[0] ?? 1;
      const negative = affineOf(
        state,
        `${name}.negative`,
        b,
        new Float64Array(channels).fill(-1),
        new Float64Array(channels),
      );
      difference = sum(state, `${name}.difference`, [a, negative]);
    } else {
      const isXPlus = isData(state, node, plus);
      const constant = constantAt(state, node, isXPlus ? minus : plus);
      const x = dataAt(state, node, isXPlus ? plus : minus);
      const wide = widened(state, node, x, constant);
      const limits = mapNumbers([constant], false, (limit) => (isXPlus ? -limit : limit));
      difference = await affine(state, `${name}.difference`, wide, isXPlus ? undefined : minusOne(constant), limits);
      if (elementCount(constant.shape) === 1) {
        const [limit = 0] = await constant.load();
        fact = { x, limit, isAbove: isData(state, node, largerInput) };
      }
    }
    const above = step(state, name, difference);
    const mask = countsEqual ? opposite(state, `${name}.not`, above) : above;
    if (fact !== undefined) state.masks.set(mask.node, { ...fact, isStrict: fact.isAbove !== countsEqual });
    else state.masks.set(mask.node, { x: difference, limit: Number.NaN, isAbove: true, isStrict: true });
    setOutput(state, node, mask);
  };
}

/** A mask among a node's inputs. */
function maskAt(state: OnnxImport, node: Parameters<Convert>[1], index: number): OnnxData {
  const mask = dataAt(state, node, index);
  if (!state.masks.has(mask.node)) throw unsupported(`input ${index} must be a comparison.`);
  return mask;
}

export const not: Convert = (state, node) => {
  const mask = maskAt(state, node, 0);
  const fact = state.masks.get(mask.node);
  const value = opposite(state, node.name, mask);
  if (fact !== undefined) state.masks.set(value.node, { ...fact, isAbove: !fact.isAbove });
  setOutput(state, node, value);
};

/** Both: the product of masks. */
export const and: Convert = async (state, node) => {
  const isBoth = isData(state, node, 0) && isData(state, node, 1);
  const mask = isBoth
    ? product(state, node.name, maskAt(state, node, 0), maskAt(state, node, 1))
    : await times(
        state,
        node,
        maskAt(state, node, isData(state, node, 0) ? 0 : 1),
        constantAt(state, node, isData(state, node, 0) ? 1 : 0),
      );
  state.masks.set(mask.node, { x: mask, limit: Number.NaN, isAbove: true, isStrict: true });
  setOutput(state, node, { ...mask, isGate: true });
};

/** Either: what is left where neither is. */
export const or: Convert = (state, node) => {
  const [a, b] = [0, 1].map((index) => opposite(state, `${node.name}.not${index}`, maskAt(state, node, index)));
  if (a === undefined || b === undefined) throw unsupported("it has two inputs.");
  const mask = opposite(state, node.name, product(state, `${node.name}.neither`, a, b));
  state.masks.set(mask.node, { x: mask, limit: Number.NaN, isAbove: true, isStrict: true });
  setOutput(state, node, mask);
};

/** A mask, or anything, times a constant. */
async function times(
  state: OnnxImport,
  node: Parameters<Convert>[1],
  x: OnnxData,
  constant: OnnxNumbers,
): Promise<OnnxData> {
  return affine(state, `${node.name}.part`, widened(state, node, x, constant), constant, undefined);
}

/** `Where`: one value where a mask is true, another where it is not. */
export const where: Convert = async (state, node) => {
  if (!isData(state, node, 0)) {
    // A constant mask: both parts times constants.
    const condition = constantAt(state, node, 0);
    const parts: OnnxData[] = [];
    let rest: OnnxNumbers | undefined;
    for (const [index, keeps] of [
      [1, (c: number) => Number(c !== 0)],
      [2, (c: number) => Number(c === 0)],
    ] as const) {
      const kept = mapNumbers([condition], false, keeps);
      if (isData(state, node, index)) parts.push(await times(state, node, dataAt(state, node, index), kept));
      else rest = mapNumbers([kept, constantAt(state, node, index)], false, (k, c) => (k === 0 ? 0 : c));
    }
    const [first] = parts;
    if (first === undefined) throw unsupported("no input depends on the photo.");
    const value = parts.length > 1 ? sum(state, node.name, parts) : first;
    setOutput(
      state,
      node,
      rest === undefined ? value : await affine(state, node.name, widened(state, node, value, rest), undefined, rest),
    );
    return;
  }
  const mask = maskAt(state, node, 0);
  const fact = state.masks.get(mask.node);
  const zero = async (index: number): Promise<boolean> =>
    !isData(state, node, index) && (await constantAt(state, node, index).load()).every((value) => value === 0);
  const [above, below] = fact?.isAbove === false ? [2, 1] : [1, 2];
  if (fact !== undefined && isData(state, node, above) && (await zero(below))) {
    const value = rectified(state, node.name, fact, dataAt(state, node, above));
    if (value !== undefined) return setOutput(state, node, value);
  }
  if (isData(state, node, above) && isData(state, node, below)) {
    // Softplus that becomes x itself where they are alike to rounding.
    const [x, smooth] = [dataAt(state, node, above), dataAt(state, node, below)];
    const made = state.stages.get(state.affines.get(smooth.node)?.from.node ?? smooth.node);
    const isSoftplus = made?.stage.op === "activation" && made.stage.function === "softplus";
    if (isSoftplus && fact !== undefined && fact.limit > 10 && readsFrom(state, made.inputs[0], x.node))
      return setOutput(state, node, smooth);
  }
  const parts: OnnxData[] = [];
  for (const [index, gate] of [
    [1, mask],
    [2, opposite(state, `${node.name}.not`, mask)],
  ] as const) {
    if (await zero(index)) continue;
    parts.push(
      isData(state, node, index)
        ? product(state, `${node.name}.part`, { ...gate, isGate: true }, dataAt(state, node, index))
        : await times(state, node, gate, constantAt(state, node, index)),
    );
  }
  const [first] = parts;
  if (first === undefined) throw unsupported("it is 0 everywhere.");
  setOutput(state, node, parts.length > 1 ? sum(state, node.name, parts) : first);
};

/** True where a node reads another, or a multiple of it. */
function readsFrom(state: OnnxImport, node: string | undefined, source: string): boolean {
  if (node === undefined) return false;
  return node === source || state.affines.get(node)?.from.node === source;
}
