import type { Pair } from "../../engine/graph/definition.ts";
import { spreadPlaces, turnedKernels } from "../graphs/transposed-convolution.ts";
import { plain, taken } from "./data.ts";
import { imageOf } from "./movement.ts";
import { addLayer, type Convert, constantAt, dataAt, int, pair, setOutput, unsupported, vectorAt } from "./node.ts";
import type { OnnxData } from "./state.ts";
import { padsOf, requireAxes } from "./window.ts";
import { kernelOf, likeInput, refuseVolumes } from "./windows.ts";

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
  const rows = spreadPlaces(inH, strides[0], reach[0] - top, reach[0] - bottom + moreRows);
  const columns = spreadPlaces(inW, strides[1], reach[1] - left, reach[1] - right + moreColumns);
  const wide: OnnxData = { ...x, shape: x.at };
  const input = taken(state, `${node.name}.spread`, taken(state, `${node.name}.spread`, wide, 1, rows), 2, columns);
  const inPerGroup = inChannels / group;
  const weight = state.addTensor({
    name: `${node.inputs[1] ?? node.name}.turned`,
    shape: [outChannels, inPerGroup, height, width],
    compute: async () => turnedKernels(await weights.load(), group, inPerGroup, outPerGroup, height * width),
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
