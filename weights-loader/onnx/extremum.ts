import { elementCount } from "../../engine/basics/tensor.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { affine } from "./affine.ts";
import { alike } from "./arithmetic.ts";
import { everywhere, largest } from "./functions.ts";
import { addLayer, type Convert, constantAt, dataAt, isData, setOutput, unsupported } from "./node.ts";
import { mapNumbers } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

// The largest and smallest of values and limits.

/** max(x, t) = max(x - t, 0) + t, or the smaller one, with limits t per channel or place. */
async function limited(
  state: OnnxImport,
  wish: string,
  x: OnnxData,
  limits: OnnxNumbers,
  isMaximum: boolean,
): Promise<OnnxData> {
  const negative = mapNumbers([limits], false, (t) => -t);
  const moved = await affine(state, `${wish}.moved`, x, undefined, negative);
  const stage: Stage = isMaximum ? { op: "relu" } : { op: "clip", low: -largest, high: 0 };
  const cut = everywhere(state, `${wish}.limited`, moved, stage, { isNonNegative: isMaximum });
  return affine(state, wish, cut, undefined, limits);
}

/** The largest or smallest of data, and of numbers. */
export function extremum(of: "maximum" | "minimum"): Convert {
  return async (state, node) => {
    const data = node.inputs.flatMap((_, index) => (isData(state, node, index) ? [dataAt(state, node, index)] : []));
    let value = data[0];
    if (value === undefined) throw unsupported("it has no input.");
    if (data.length > 1) {
      const all = alike(state, node.name, data);
      const [first] = all;
      if (first === undefined) throw unsupported("it has no input.");
      const { kind: _, node: __, isGate: ___, ...layout } = first;
      const isNonNegative =
        of === "maximum" ? all.some((x) => x.isNonNegative === true) : all.every((x) => x.isNonNegative === true);
      value = addLayer(
        state,
        node.name,
        all.map((x) => x.node),
        { op: "extremum", of },
        { ...layout, isNonNegative },
      );
    }
    for (const [index] of node.inputs.entries()) {
      if (isData(state, node, index)) continue;
      const constant = constantAt(state, node, index);
      const isMaximum = of === "maximum";
      if (elementCount(constant.shape) !== 1) {
        value = await limited(state, node.name, value, constant, isMaximum);
        continue;
      }
      const [limit = 0] = await constant.load();
      const stage = {
        op: "clip",
        low: isMaximum ? limit : -largest,
        high: isMaximum ? largest : limit,
      } as const;
      const isNonNegative = isMaximum
        ? limit >= 0 || value.isNonNegative === true
        : limit >= 0 && value.isNonNegative === true;
      value = everywhere(state, node.name, value, limit === 0 && isMaximum ? { op: "relu" } : stage, { isNonNegative });
    }
    setOutput(state, node, value);
  };
}
