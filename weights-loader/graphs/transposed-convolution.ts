import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "./network-builder.ts";

// The adjoint of a convolution is a convolution: of the input with zeros between its values, by kernels upside down.

/** Rows or columns at most, with the zeros between them. */
const maximumPlaces = 1 << 16;

/** One axis' places with `stride - 1` gaps (-1) between, padded or, for negative pads, cut. @throws UnsupportedError past 65536 */
export function spreadPlaces(length: number, stride: number, before: number, after: number): number[] {
  if (length * stride + Math.max(0, before) + Math.max(0, after) > maximumPlaces)
    throw new UnsupportedError("an output of more than 65536 rows or columns.");
  const gaps = (count: number): number[] => Array<number>(Math.max(0, count)).fill(-1);
  const places = Array.from({ length }, (_, i) => (i === 0 ? [i] : [...gaps(stride - 1), i])).flat();
  const grown = [...gaps(before), ...places, ...gaps(after)];
  return grown.slice(Math.max(0, -before), grown.length - Math.max(0, -after));
}

/** Weights [C, M/group, kh, kw] as those of the convolution that does the same, [M, C/group, kh, kw], each kernel upside down. */
export function turnedKernels(
  w: ArrayLike<number>,
  group: number,
  inPerGroup: number,
  outPerGroup: number,
  area: number,
): Float32Array {
  const result = new Float32Array(w.length);
  for (let g = 0; g < group; g++) {
    for (let c = 0; c < inPerGroup; c++) {
      for (let m = 0; m < outPerGroup; m++) {
        const from = ((g * inPerGroup + c) * outPerGroup + m) * area;
        const to = ((g * outPerGroup + m) * inPerGroup + c) * area;
        for (let k = 0; k < area; k++) result[to + k] = w[from + area - 1 - k]!;
      }
    }
  }
  return result;
}

/** A transposed convolution as Keras and Caffe describe it. */
export interface TransposedConvolution {
  readonly outChannels: number;
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly group: number;
  /** What is cut off around the output; negative where zeros come behind. */
  readonly pads: Pads;
  readonly bias?: string;
  /** Weights [C, M/group, kh, kw]. */
  readonly weights: () => Promise<ArrayLike<number>>;
}

/**
 * Adds a transposed convolution of `x` [C,H,W].
 * @returns its node and shape
 * @throws UnsupportedError where channels do not divide into the groups, or nothing would be left
 */
export function addTransposedConvolution(
  builder: Pick<NetworkBuilder, "add" | "addTensor">,
  name: string,
  x: { readonly node: string; readonly shape: Shape },
  layer: TransposedConvolution,
): { node: string; shape: Shape } {
  const { outChannels, kernelShape, strides, dilations, group, pads, bias, weights } = layer;
  const [channels = 0, height = 0, width = 0] = x.shape;
  const [inPerGroup, outPerGroup] = [channels / group, outChannels / group];
  if (![inPerGroup, outPerGroup].every((n) => Number.isSafeInteger(n) && n > 0))
    throw new UnsupportedError(`${group} groups of ${channels} channels.`);
  const [kh, kw] = kernelShape;
  const reach = [(kh - 1) * dilations[0], (kw - 1) * dilations[1]] as const;
  const [top, left, bottom, right] = pads;
  const rows = spreadPlaces(height, strides[0], reach[0] - top, reach[0] - bottom);
  const columns = spreadPlaces(width, strides[1], reach[1] - left, reach[1] - right);
  const shape = [outChannels, rows.length - reach[0], columns.length - reach[1]];
  if (!shape.every((size) => size > 0)) throw new UnsupportedError(`its output would have shape [${shape.join(",")}].`);
  const weight = builder.addTensor({
    name: `${name}.turned`,
    shape: [outChannels, inPerGroup, kh, kw],
    compute: async () => turnedKernels(await weights(), group, inPerGroup, outPerGroup, kh * kw),
  });
  const spread = builder.add(`${name}.spread`, [x.node], { op: "take", rows, columns });
  const own = bias === undefined ? {} : { bias };
  const node = builder.add(name, [spread], {
    op: "conv2d",
    outChannels,
    kernelShape,
    dilations,
    group,
    weight,
    ...own,
  });
  return { node, shape };
}
