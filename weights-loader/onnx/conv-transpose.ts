import type { Pair } from "../../engine/graph/definition.ts";
import { padded, plain, taken } from "./data.ts";
import { imageOf } from "./movement.ts";
import { addLayer, type Convert, constantAt, dataAt, int, pair, setOutput, unsupported, vectorAt } from "./node.ts";
import type { OnnxData } from "./state.ts";
import { padsOf, requireAxes } from "./window.ts";
import { kernelOf, likeInput, refuseVolumes } from "./windows.ts";

/** One axis' places with gaps between, padded (or, for negative pads, cut). */
function spread(length: number, stride: number, before: number, after: number): number[] {
  const places = padded(length, 0, 0).flatMap((place, i) =>
    i === 0 ? [place] : [...Array<number>(stride - 1).fill(-1), place],
  );
  const grown = [
    ...Array<number>(Math.max(0, before)).fill(-1),
    ...places,
    ...Array<number>(Math.max(0, after)).fill(-1),
  ];
  return grown.slice(Math.max(0, -before), grown.length - Math.max(0, -after));
}

/** The adjoint of a convolution: a convolution of the input with zeros between its values, by weights turned about. */
export const convTranspose: Convert = (state, node) => {
  const data = dataAt(state, node, 0);
  refuseVolumes(data.shape);
  requireAxes(node, data.shape);
  const x = imageOf(state, plain(state, data));
  const weights = constantAt(state, node, 1);
  const [inChannels, outPerGroup, height, width] = kernelOf(weights.shape);
  const group = int(node, "group", 1);
  const outChannels = outPerGroup * group;
  if (!(group > 0) || inChannels !== x.at[0] || inChannels % group !== 0) {
    throw unsupported(`weights [${weights.shape.join(",")}] in ${group} groups do not fit ${x.at[0]} channels.`);
  }
  const strides = pair(node, "strides", [1, 1]);
  const dilations = pair(node, "dilations", [1, 1]);
  const auto = node.attributes.get("auto_pad")?.s ?? "NOTSET";
  if ((auto !== "NOTSET" && auto !== "VALID") || node.attributes.has("output_shape"))
    throw unsupported(`auto_pad "${auto}", output_shape.`);
  const [top, left, bottom, right] = padsOf(node);
  const extra = node.attributes.get("output_padding")?.ints ?? [];
  const [moreRows = 0, moreColumns = 0] = data.shape.length === 2 ? [0, ...extra] : extra;
  const reach: Pair = [(height - 1) * dilations[0], (width - 1) * dilations[1]];
  const [, inH = 1, inW = 1] = x.at;
  const limit = 1 << 16;
  if (inH * strides[0] > limit || inW * strides[1] > limit)
    throw unsupported("an output of more than 65536 rows or columns.");
  const rows = spread(inH, strides[0], reach[0] - top, reach[0] - bottom + moreRows);
  const columns = spread(inW, strides[1], reach[1] - left, reach[1] - right + moreColumns);
  const wide: OnnxData = { ...x, shape: x.at };
  const input = taken(state, `${node.name}.spread`, taken(state, `${node.name}.spread`, wide, 1, rows), 2, columns);
  const inPerGroup = inChannels / group;
  const weight = state.addTensor({
    name: `${node.inputs[1] ?? node.name}.turned`,
    shape: [outChannels, inPerGroup, height, width],
    compute: async () => turned(await weights.load(), group, inPerGroup, outPerGroup, height, width),
  });
  const bias = vectorAt(state, node, 2, outChannels);
  const stage = {
    op: "conv2d",
    outChannels,
    kernelShape: [height, width],
    dilations,
    group,
    weight,
    ...(bias === undefined ? {} : { bias }),
  } as const;
  const at = [outChannels, rows.length - reach[0], columns.length - reach[1]];
  setOutput(state, node, addLayer(state, node.name, [input.node], stage, { shape: likeInput(x, at), at }));
};

/** Weights [C, M/group, kh, kw] as those of the convolution that does the same, [M, C/group, kh, kw], each kernel upside down. */
function turned(
  w: Float64Array,
  group: number,
  inner: number,
  outer: number,
  height: number,
  width: number,
): Float32Array {
  const area = height * width;
  const result = new Float32Array(w.length);
  for (let g = 0; g < group; g++) {
    for (let c = 0; c < inner; c++) {
      for (let m = 0; m < outer; m++) {
        const from = ((g * inner + c) * outer + m) * area;
        const to = ((g * outer + m) * inner + c) * area;
        for (let k = 0; k < area; k++) result[to + k] = w[from + area - 1 - k]!;
      }
    }
  }
  return result;
}
