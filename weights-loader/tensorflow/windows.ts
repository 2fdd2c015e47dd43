import { UnsupportedError } from "../../engine/basics/errors.ts";
import {
  float,
  int,
  ints,
  refuseChannelsFirst,
  type Translate,
  text,
  toChannelsFirst,
  toChannelsLast,
} from "./attributes.ts";
import { batchToSpace, spaceToBatch } from "./batched.ts";
import { convolutionOperators, fused, prelu, windowAttributes } from "./convolutions.ts";
import type { GraphNode, Translation } from "./translation.ts";

// What needs channels first stands between two transpositions, which cancel where such layers follow each other.

const pool =
  (op: "MaxPool" | "AveragePool"): Translate =>
  (to, node) => {
    const first = to.add("Transpose", node.inputs.slice(0, 1), toChannelsFirst);
    to.add("Transpose", [to.add(op, [first], windowAttributes(node))], toChannelsLast, node.name);
  };

/**
 * A batch norm that takes its own statistics, of all pixels as channels, [1,N*H*W,C,1]: so Keras 2 computes layer normalisation. Its
 * scale and offset are 1 and 0; Keras' own follow behind the reshape back.
 */
function layerNorm(to: Translation, node: GraphNode): void {
  const [x = "", scale, offset] = node.inputs;
  const isFilled = (value = "", by: number): boolean => to.filled.get(value) === by;
  if (node.text("data_format") !== "NCHW" || !isFilled(scale, 1) || !isFilled(offset, 0))
    throw new UnsupportedError("training mode.");
  to.add("LayerNormalization", [x], { epsilon: float(node.number("epsilon", 1e-4)), axis: int(2) }, node.name);
}

const batchNorm: Translate = (to, node) => {
  if (node.truth("is_training") === true) return layerNorm(to, node);
  refuseChannelsFirst(node);
  const [x = "", ...rest] = node.inputs;
  const first = to.add("Transpose", [x], toChannelsFirst);
  const y = to.add("BatchNormalization", [first, ...rest], { epsilon: float(node.number("epsilon", 1e-4)) });
  to.add("Transpose", [y], toChannelsLast, node.name);
};

const matMul: Translate = (to, node) => {
  if (node.truth("transpose_a") === true || node.truth("adj_x") === true) throw new UnsupportedError("transpose_a.");
  const [x = "", w = "", ...extras] = node.inputs;
  const isTurned = node.truth("transpose_b") === true || node.truth("adj_y") === true;
  const right = isTurned ? to.add("Transpose", [w], { perm: ints(1, 0) }) : w;
  to.add("Identity", [fused(to, node, to.add("MatMul", [x, right]), extras)], {}, node.name);
};

/** Paddings [axes,2] as ONNX has them: all before, then all behind; of images with channels first, where a convolution takes them over. */
const pad =
  (mode: (node: GraphNode) => string): Translate =>
  (to, node) => {
    const [x = "", paddings = "", value] = node.inputs;
    const isImage = to.shapeOf(paddings)[0] === 4;
    const rows = isImage ? to.add("Gather", [paddings, to.list([0, 3, 1, 2])], { axis: int(0) }) : paddings;
    const turned = to.add("Transpose", [rows], { perm: ints(1, 0) });
    const pads = [to.add("Reshape", [turned, to.list([-1])]), ...(value === undefined ? [] : [value])];
    const attributes = { mode: text(mode(node)) };
    if (!isImage) to.add("Pad", [x, ...pads], attributes, node.name);
    else {
      const first = to.add("Transpose", [x], toChannelsFirst);
      to.add("Transpose", [to.add("Pad", [first, ...pads], attributes)], toChannelsLast, node.name);
    }
  };

const resize =
  (mode: "linear" | "nearest"): Translate =>
  async (to, node) => {
    const [x = "", size = ""] = node.inputs;
    const [height = 0, width = 0] = await to.numbers(size);
    const first = to.add("Transpose", [x], toChannelsFirst);
    const isHalf = node.truth("half_pixel_centers") === true;
    const coordinates = node.truth("align_corners") === true ? "align_corners" : isHalf ? "half_pixel" : "asymmetric";
    const rounding = coordinates === "align_corners" ? "round_prefer_ceil" : isHalf ? "round_prefer_ceil" : "floor";
    const sizes = to.list([height, width]);
    const y = to.add("Resize", [first, "", "", sizes], {
      mode: text(mode),
      axes: ints(2, 3),
      coordinate_transformation_mode: text(coordinates),
      nearest_mode: text(rounding),
    });
    to.add("Transpose", [y], toChannelsLast, node.name);
  };

const blocks =
  (op: "DepthToSpace" | "SpaceToDepth"): Translate =>
  (to, node) => {
    refuseChannelsFirst(node);
    const first = to.add("Transpose", node.inputs.slice(0, 1), toChannelsFirst);
    const y = to.add(op, [first], { blocksize: int(node.number("block_size", 1)), mode: text("DCR") });
    to.add("Transpose", [y], toChannelsLast, node.name);
  };

/** Convolutions, dense layers, pools and what else sees an image, by their TensorFlow names. */
export const imageOperators: Readonly<Record<string, Translate>> = {
  ...convolutionOperators,
  AvgPool: pool("AveragePool"),
  BatchMatMul: matMul,
  BatchMatMulV2: matMul,
  BatchToSpaceND: batchToSpace,
  DepthToSpace: blocks("DepthToSpace"),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  MatMul: matMul,
  MaxPool: pool("MaxPool"),
  MirrorPad: pad((node) => {
    if (node.text("mode") !== "REFLECT") throw new UnsupportedError("a mirror that repeats the edge.");
    return "reflect";
  }),
  Pad: pad(() => "constant"),
  PadV2: pad(() => "constant"),
  Prelu: (to, node) => {
    const [x = "", slopes = ""] = node.inputs;
    to.add("Identity", [prelu(to, x, slopes)], {}, node.name);
  },
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
  SpaceToBatchND: spaceToBatch,
  SpaceToDepth: blocks("SpaceToDepth"),
  _FusedMatMul: matMul,
};
