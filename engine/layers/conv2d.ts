import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape } from "../basics/tensor.ts";
import type { Pads } from "../graph/definition.ts";
import { outputSize, windowOf } from "../graph/window.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { imageArgs, named, windowArgs } from "../memory/named.ts";
import { type Modification, unmodified } from "../rules/rules.ts";
import type { Construction, LayerKind, LayerRuntime, NodeOf } from "./layer-kind.ts";
import {
  isNarrowGradient,
  packLength,
  padded,
  type ConvolutionSetup as Setup,
  ConvolutionWeights as Weights,
  type WinogradPass,
} from "./linear/conv2d-weights.ts";
import { exactConvolution } from "./linear/exact-conv2d.ts";
import { FlatAreas } from "./linear/flat-areas.ts";
import { FoldedBatchNorm } from "./linear/folded-batch-norm.ts";
import type { LinearMap } from "./linear/linear-map.ts";
import { linearReadsFirst, linearVanishing, prepareLinearRelevance } from "./linear/linear-relevance.ts";
import { gradientPads, type PhaseAxis, phasesOf } from "./linear/stride-phases.ts";
import { tileOverhang, WinogradConvolution, winogradTile } from "./linear/winograd.ts";

// Input rows of a block stay in the second-level cache while all weights pass over them.
const blockBytes = 512 * 1024;

/** Channel counts of a convolution and the size of its input. */
interface Groups {
  readonly group: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly height: number;
  readonly width: number;
}

/** The same, checked. */
function groupsOf(node: NodeOf<"conv2d">, input: Shape): Groups {
  const where = `conv2d "${node.name}"`;
  const { outChannels, group = 1 } = node;
  const [channels, height, width] = input;
  if (input.length !== 3 || channels === undefined || height === undefined || width === undefined) {
    throw new ShapeError(
      `${where}: needs an image [C,H,W], got ${formatShape(input)}. Put a reshape before it or correct its input.`,
    );
  }
  if (!Number.isSafeInteger(outChannels) || outChannels < 1) {
    throw new ShapeError(`${where}: outChannels must be a positive integer, got ${outChannels}.`);
  }
  if (!Number.isSafeInteger(group) || group < 1 || channels % group !== 0 || outChannels % group !== 0) {
    throw new ShapeError(
      `${where}: group ${group} must divide both its ${channels} input and ${outChannels} output channels.`,
    );
  }
  return { group, inPerGroup: channels / group, outPerGroup: outChannels / group, height, width };
}

/** Address of what the first tap of output (0,0) reads. */
function firstTapOf({ window }: Setup, x: FeatureMap): number {
  return x.address - 4 * (window.pads[0] * x.rowStride + window.pads[1] * x.pixelStride);
}

/** Runs the convolution with modified weights, group by group. */
function applyForward(
  setup: Setup,
  weights: Weights,
  y: FeatureMap,
  x: FeatureMap,
  modification: Modification,
  bias: number,
  low: number,
  high: number,
  isExact: boolean,
): void {
  const { kernels, workspace } = setup.construction;
  const { window, group, inPerGroup, outPerGroup } = setup;
  const [sh, _sw] = window.strides;
  const firstTap = firstTapOf(setup, x);
  const winograd = setup.winograd.forward;
  if (winograd && !isExact) {
    winograd.run(y, x, firstTap, weights.winograd("forward", modification), bias, low, high);
    return;
  }
  const pack = weights.forward(modification);
  if (setup.isDepthwise) {
    kernels.split(
      "depthwiseConv2dForward",
      y.height,
      ...named("depthwiseConv2dForward", {
        ...imageArgs("y", y),
        ...imageArgs("x", x, firstTap),
        w: pack,
        bias,
        outW: y.width,
        channels: group,
        ...windowArgs(window),
        low,
        high,
      }),
    );
    return;
  }
  const blockRows = Math.max(1, Math.floor(blockBytes / (4 * x.rowStride * sh)));
  for (let g = 0; g < group; g++) {
    kernels.split(
      "conv2dForward",
      y.height,
      ...named("conv2dForward", {
        ...imageArgs("y", y, y.address + 4 * g * outPerGroup),
        ...imageArgs("x", x, firstTap + 4 * g * inPerGroup),
        w: pack + 4 * g * packLength(setup),
        bias: bias === 0 ? 0 : bias + 4 * g * padded(outPerGroup),
        scratch: workspace.memory,
        outW: y.width,
        outC: outPerGroup,
        inC: inPerGroup,
        ...windowArgs(window),
        low,
        high,
        blockRows,
      }),
    );
  }
}

/** dx = W^T s: for every stride phase a convolution of s, whose border of zeros stands for what lies outside. */
function applyTransposed(
  setup: Setup,
  weights: Weights,
  dx: FeatureMap,
  s: FeatureMap,
  modification: Modification,
  isExact: boolean,
): void {
  const { kernels, workspace } = setup.construction;
  const { window, group, inPerGroup, outPerGroup, isDepthwise } = setup;
  const [sh, sw] = window.strides;
  const groups = isDepthwise ? 1 : group;
  const { transposed } = setup.winograd;
  if (transposed && !isExact) {
    const top = mustHave(setup.phasesY[0], "rows of the gradient").firstRead;
    const left = mustHave(setup.phasesX[0], "columns of the gradient").firstRead;
    const firstTap = s.address + 4 * (top * s.rowStride + left * s.pixelStride);
    const free = Number.POSITIVE_INFINITY;
    transposed.run(dx, s, firstTap, weights.winograd("transposed", modification), 0, -free, free);
    return;
  }
  const packs = weights.transposed(modification);
  if (setup.phasesY.some((py) => py.taps === 0) || setup.phasesX.some((px) => px.taps === 0)) {
    // Input positions that no window reads.
    kernels.split("fill", dx.height * dx.rowStride, dx.address, 0);
  }
  let pack = packs;
  for (const py of setup.phasesY) {
    for (const px of setup.phasesX) {
      const length = weights.phaseLength(py, px);
      const blockRows = Math.max(1, Math.floor(blockBytes / (4 * s.rowStride)));
      for (let g = 0; g < groups; g++, pack += 4 * length) {
        if (py.taps * px.taps === 0) continue;
        const to = dx.address + 4 * (py.first * dx.rowStride + px.first * dx.pixelStride + g * inPerGroup);
        const from = s.address + 4 * (py.firstRead * s.rowStride + px.firstRead * s.pixelStride + g * outPerGroup);
        if (isDepthwise) {
          kernels.split(
            "depthwiseConv2dForward",
            py.count,
            ...named("depthwiseConv2dForward", {
              y: to,
              yRow: sh * dx.rowStride,
              yPixel: sw * dx.pixelStride,
              ...imageArgs("x", s, from),
              w: pack,
              bias: 0,
              outW: px.count,
              channels: group,
              kh: py.taps,
              kw: px.taps,
              strideH: 1,
              strideW: 1,
              dilationH: py.readStep,
              dilationW: px.readStep,
              low: Number.NEGATIVE_INFINITY,
              high: Number.POSITIVE_INFINITY,
            }),
          );
        } else if (setup.isNarrow) {
          kernels.split(
            "narrowConv2dForward",
            py.count,
            ...named("narrowConv2dForward", {
              y: to,
              yRow: sh * dx.rowStride,
              yPixel: sw * dx.pixelStride,
              ...imageArgs("x", s, from),
              w: pack,
              outW: px.count,
              outC: inPerGroup,
              inC: outPerGroup,
              kh: py.taps,
              kw: px.taps,
              dilationH: py.readStep,
              dilationW: px.readStep,
            }),
          );
        } else {
          kernels.split(
            "conv2dForward",
            py.count,
            ...named("conv2dForward", {
              y: to,
              yRow: sh * dx.rowStride,
              yPixel: sw * dx.pixelStride,
              ...imageArgs("x", s, from),
              w: pack,
              bias: 0,
              scratch: workspace.memory,
              outW: px.count,
              outC: inPerGroup,
              inC: outPerGroup,
              kh: py.taps,
              kw: px.taps,
              strideH: 1,
              strideW: 1,
              dilationH: py.readStep,
              dilationW: px.readStep,
              low: Number.NEGATIVE_INFINITY,
              high: Number.POSITIVE_INFINITY,
              blockRows,
            }),
          );
        }
      }
    }
  }
}

/** Builds a convolution; also what a batch norm without a layer to fold into becomes. */
export function buildConv2d(construction: Construction, node: NodeOf<"conv2d">): LayerRuntime {
  const { kernels, layer, inputShapes, outputShape, output } = construction;
  const x = mustHave(construction.inputs[0], "input");
  const inputShape = mustHave(inputShapes[0], "input");
  const window = windowOf(`conv2d "${node.name}"`, node);
  const groups = groupsOf(node, inputShape);
  const phasesOn = (axis: 0 | 1, length: number): readonly PhaseAxis[] =>
    phasesOf(length, window.kernelShape[axis], window.strides[axis], window.pads[axis], window.dilations[axis]);
  const winogradFor = (pass: WinogradPass): WinogradConvolution | undefined => {
    if (construction.algorithm === "direct") return undefined;
    const { inPerGroup, outPerGroup, group } = groups;
    const [from, to] = pass === "transposed" ? [output, x] : [x, output];
    const tile = winogradTile({ window, inPerGroup, outPerGroup, height: to.height, width: to.width });
    if (tile === 0) return undefined;
    const [inC, outC] = [from.channels / group, to.channels / group];
    const { height, width } = to;
    const taps = window.kernelShape[0];
    return new WinogradConvolution(kernels, construction.workspace, { tile, taps, group, inC, outC, height, width });
  };
  const [phasesY, phasesX] = [phasesOn(0, x.height), phasesOn(1, x.width)];
  const isDepthwise = groups.inPerGroup === 1 && groups.outPerGroup === 1 && groups.group > 1;
  const setup: Setup = {
    construction,
    window,
    ...groups,
    isDepthwise,
    isNarrow: !isDepthwise && isNarrowGradient(groups, phasesY, phasesX),
    phasesY,
    phasesX,
    winograd: {
      forward: winogradFor("forward"),
      transposed: winogradFor("transposed"),
    },
  };
  const batchNorm = layer.batchNorm
    ? new FoldedBatchNorm(layer.batchNorm, `conv2d "${node.name}"`, node.outChannels)
    : undefined;
  const hasBias = node.bias !== undefined || batchNorm !== undefined;
  const weights = new Weights(setup, hasBias);
  const scratch = kernels.arena.allocate(1024);
  const rowLength = groups.inPerGroup * window.kernelShape[0] * window.kernelShape[1];
  const staging = construction.staging;
  const bias = hasBias ? new Float32Array(node.outChannels) : undefined;
  const setWeights = (firstRow: number, rows: Float32Array): void => {
    const factors = batchNorm?.factors();
    staging.pass(rows, rowLength, firstRow, (address, first, count) => {
      weights.setRows(address, first, count, factors, scratch);
    });
  };
  const { lowMemory } = construction;
  if (lowMemory) {
    // A few hundred kilobytes at a time.
    const blockRows = Math.max(1, Math.floor((1 << 17) / rowLength));
    weights.load = () => {
      for (let row = 0; row < node.outChannels; row += blockRows) {
        setWeights(row, lowMemory.rows.readRows(node.weight, row, Math.min(blockRows, node.outChannels - row)));
      }
    };
  }
  const low = layer.activation?.low ?? Number.NEGATIVE_INFINITY;
  const high = layer.activation?.high ?? Number.POSITIVE_INFINITY;
  const [top, bottom] = gradientPads(setup.phasesY, output.height);
  const [left, right] = gradientPads(setup.phasesX, output.width);
  const gradientTile = setup.winograd.transposed?.tile ?? 0;
  const map: LinearMap = {
    x,
    y: output,
    inputShape,
    outputShape,
    isRectified: low === 0 && high === Number.POSITIVE_INFINITY,
    activation: layer.activation,
    isUnclamped: low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY,
    gradientBorder: [
      top,
      left,
      bottom + tileOverhang(x.height, gradientTile),
      right + tileOverhang(x.width, gradientTile),
    ] satisfies Pads,
    gradientPadding: 0,
    prepare(modification, direction, isExact) {
      // Winograd's weights are made when a pass needs them.
      if (!setup.winograd[direction] || isExact) weights.prepare(modification, direction);
    },
    bias: (modification) => weights.bias(modification),
    apply(z, input, modification, biasAddress, isExact) {
      const free = Number.POSITIVE_INFINITY;
      applyForward(setup, weights, z, input, modification, weights.kernelBias(biasAddress), -free, free, isExact);
    },
    transpose(dx, s, modification, _mask, isExact) {
      applyTransposed(setup, weights, dx, s, modification, isExact);
    },
  };
  const flatAreas =
    setup.winograd.forward &&
    new FlatAreas(kernels, construction.workspace, construction.shared.marks, output, {
      taps: setup.winograd.forward.taps,
      ...groups,
      packBytes: 4 * packLength(setup),
    });
  return {
    // Only what it reads from the photo is exact: elsewhere rounding has decided before.
    ...(layer.inputs[0] === 0 && { exact: exactConvolution(setup, weights, x, firstTapOf(setup, x), { low, high }) }),
    forward() {
      const biasAddress = weights.kernelBias(weights.bias(unmodified));
      applyForward(setup, weights, output, x, unmodified, biasAddress, low, high, false);
      flatAreas?.run(output, x, firstTapOf(setup, x), weights.plain, biasAddress, low, high);
    },
    prepareRelevance: (context) => prepareLinearRelevance(map, context),
    ruleName: (rules) => rules.linear.name,
    setRows(name, firstRow, rows) {
      const isFactor = batchNorm?.setRows(name, firstRow, rows) === true;
      if (bias && name === node.bias) bias.set(rows, firstRow);
      if (bias && (isFactor || name === node.bias) && batchNorm?.isComplete !== false) {
        weights.setBias(batchNorm?.foldedBias(bias) ?? bias);
      }
      if (name === node.weight) setWeights(firstRow, rows);
    },
  };
}

/** 2-D convolution with any kernel, stride, dilation, pads and groups. */
export const conv2d: LayerKind<"conv2d"> = {
  arity: "one",
  weights: "convolution",
  absorbs: ["batchNorm", "clamp"],
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "any",
  inputVanishing: linearVanishing,
  readsRelevanceFirst: linearReadsFirst,
  streamed: (node) => [node.weight],
  outputShape(node, inputs) {
    const { height, width } = groupsOf(node, mustHave(inputs[0], "input"));
    const where = `conv2d "${node.name}"`;
    return [node.outChannels, ...outputSize(where, windowOf(where, node), height, width)];
  },
  inputBorder: (node, input, algorithm) => {
    const window = windowOf(`conv2d "${node.name}"`, node);
    const { height: inHeight, width: inWidth, ...groups } = groupsOf(node, input);
    // Only what windows really reach: with a stride the last rows of a pad may never be read.
    const [height, width] = outputSize(`conv2d "${node.name}"`, window, inHeight, inWidth);
    const reach = (axis: 0 | 1, out: number, size: number): number =>
      (out - 1) * window.strides[axis] +
      (window.kernelShape[axis] - 1) * window.dilations[axis] -
      window.pads[axis] -
      (size - 1);
    const tile = algorithm === "direct" ? 0 : winogradTile({ window, ...groups, height, width });
    return [
      window.pads[0],
      window.pads[1],
      Math.max(0, reach(0, height, inHeight) + tileOverhang(height, tile)),
      Math.max(0, reach(1, width, inWidth) + tileOverhang(width, tile)),
    ];
  },
  parameters(node, layer, input) {
    const { inPerGroup } = groupsOf(node, input);
    const shape = [node.outChannels, inPerGroup, ...node.kernelShape];
    const folded = layer.batchNorm
      ? new FoldedBatchNorm(layer.batchNorm, `conv2d "${node.name}"`, node.outChannels).parameters
      : [];
    const bias = node.bias === undefined ? [] : [{ name: node.bias, shape: [node.outChannels] }];
    // Batch norm first: its factors multiply the weights as they come in.
    return [...folded, ...bias, { name: node.weight, shape }];
  },
  build: buildConv2d,
};
