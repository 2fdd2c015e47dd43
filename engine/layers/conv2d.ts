import { ShapeError } from "../basics/errors.ts";
import { hasStreaming, hasWinograd } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape } from "../basics/tensor.ts";
import { outputSize, windowOf } from "../graph/window.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { unmodified } from "../rules/rules.ts";
import type { Construction, LayerKind, LayerRuntime, NodeOf } from "./layer-kind.ts";
import { applyForward, applyTransposed, depthwiseScratchBytes, firstTapOf } from "./linear/conv2d-passes.ts";
import {
  isDepthwise,
  isNarrowGradient,
  packLength,
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

/** Everything fixed about a convolution. */
function setupOf(construction: Construction, node: NodeOf<"conv2d">, x: FeatureMap, inputShape: Shape): Setup {
  const { algorithm, kernels, lowMemory, output, shared, workspace } = construction;
  const window = windowOf(`conv2d "${node.name}"`, node);
  const groups = groupsOf(node, inputShape);
  const phasesOn = (axis: 0 | 1, length: number): readonly PhaseAxis[] =>
    phasesOf(length, window.kernelShape[axis], window.strides[axis], window.pads[axis], window.dilations[axis]);
  const surroundings = { kernels, workspace, keptBytes: shared.keptBytes, keepsNone: lowMemory !== undefined };
  const winogradFor = (pass: WinogradPass): WinogradConvolution | undefined => {
    if (!hasWinograd || algorithm === "direct") return undefined;
    const { inPerGroup, outPerGroup, group } = groups;
    const [from, to] = pass === "transposed" ? [output, x] : [x, output];
    const { height, width } = to;
    const tile = winogradTile({ window, inPerGroup, outPerGroup, height, width });
    if (tile === 0) return undefined;
    const [inC, outC] = [from.channels / group, to.channels / group];
    const taps = window.kernelShape[0];
    return new WinogradConvolution(surroundings, { tile, taps, group, inC, outC, height, width });
  };
  const winograd = { forward: winogradFor("forward"), transposed: winogradFor("transposed") };
  const transformedBytes = Object.values(winograd).map((pass) => pass?.weightBytes ?? 0);
  const [phasesY, phasesX] = [phasesOn(0, x.height), phasesOn(1, x.width)];
  return {
    construction,
    window,
    ...groups,
    isNarrow: !isDepthwise(groups) && isNarrowGradient(groups, phasesY, phasesX),
    phasesY,
    phasesX,
    winograd,
    transformed: shared.transformed.reserve(Math.max(...transformedBytes)),
  };
}

/** How rows of the weights come in, multiplied by their batch norm; where memory is to stay small, for every use. */
function weightDoor(
  { construction, window, inPerGroup }: Setup,
  node: NodeOf<"conv2d">,
  weights: Weights,
  batchNorm: FoldedBatchNorm | undefined,
): (firstRow: number, rows: Float32Array) => void {
  const { kernels, lowMemory, staging } = construction;
  const scratch = kernels.arena.allocate(1024);
  const rowLength = inPerGroup * window.kernelShape[0] * window.kernelShape[1];
  const setWeights = (firstRow: number, rows: Float32Array): void => {
    const factors = batchNorm?.factors();
    staging.pass(rows, rowLength, firstRow, (address, first, count) => {
      weights.setRows(address, first, count, factors, scratch);
    });
  };
  if (hasStreaming && lowMemory) {
    // A few hundred kilobytes at a time.
    const blockRows = Math.max(1, Math.floor((1 << 17) / rowLength));
    weights.load = () => {
      for (let row = 0; row < node.outChannels; row += blockRows) {
        setWeights(row, lowMemory.rows.readRows(node.weight, row, Math.min(blockRows, node.outChannels - row)));
      }
    };
  }
  return setWeights;
}

const free = Number.POSITIVE_INFINITY;

/** The convolution as relevance rules see it. */
function mapOf(setup: Setup, weights: Weights, x: FeatureMap, inputShape: Shape): LinearMap {
  const { layer, output, outputShape } = setup.construction;
  const { low = -free, high = free } = layer.activation ?? {};
  const [top, bottom] = gradientPads(setup.phasesY, output.height);
  const [left, right] = gradientPads(setup.phasesX, output.width);
  const tile = setup.winograd.transposed?.tile ?? 0;
  return {
    x,
    y: output,
    inputShape,
    outputShape,
    isRectified: low === 0 && high === free,
    activation: layer.activation,
    isUnclamped: low === -free && high === free,
    gradientBorder: [top, left, bottom + tileOverhang(x.height, tile), right + tileOverhang(x.width, tile)],
    gradientPadding: 0,
    prepare(modification, direction, isExact) {
      // Winograd's weights are made when a pass needs them.
      if (!setup.winograd[direction] || isExact) weights.prepare(modification, direction);
    },
    bias: (modification) => weights.bias(modification),
    apply(z, input, modification, biasAddress, isExact) {
      const bias = weights.kernelBias(biasAddress);
      applyForward(setup, weights, z, input, { modification, bias, low: -free, high: free, isExact, skip: 0 });
    },
    transpose(dx, s, modification, _mask, isExact) {
      applyTransposed(setup, weights, dx, s, modification, isExact);
    },
  };
}

/** Builds a convolution; also what a batch norm without a layer to fold into becomes. */
export function buildConv2d(construction: Construction, node: NodeOf<"conv2d">): LayerRuntime {
  const { kernels, layer, output, shared, workspace } = construction;
  const x = mustHave(construction.inputs[0], "input");
  const inputShape = mustHave(construction.inputShapes[0], "input");
  const setup = setupOf(construction, node, x, inputShape);
  if (isDepthwise(setup)) workspace.reserve(depthwiseScratchBytes(setup));
  const batchNorm = layer.batchNorm
    ? new FoldedBatchNorm(layer.batchNorm, `conv2d "${node.name}"`, node.outChannels)
    : undefined;
  const hasBias = node.bias !== undefined || batchNorm !== undefined;
  const weights = new Weights(setup, hasBias);
  const setWeights = weightDoor(setup, node, weights, batchNorm);
  const bias = hasBias ? new Float32Array(node.outChannels) : undefined;
  const { low = -free, high = free } = layer.activation ?? {};
  const map = mapOf(setup, weights, x, inputShape);
  const firstTap = firstTapOf(setup, x);
  const { inPerGroup, outPerGroup, group } = setup;
  const winograd = setup.winograd.forward;
  const flat = { group, inPerGroup, outPerGroup, packBytes: 4 * packLength(setup) };
  const flatAreas =
    hasWinograd &&
    winograd &&
    new FlatAreas(kernels, workspace, shared.marks, {
      y: output,
      x,
      firstTap,
      taps: winograd.taps,
      tile: winograd.tile,
      ...flat,
    });
  return {
    // Only what it reads from the photo is exact: elsewhere rounding has decided before.
    ...(layer.inputs[0] === 0 && { exact: exactConvolution(setup, weights, x, firstTap, { low, high }) }),
    forward() {
      const ownBias = weights.kernelBias(weights.bias(unmodified));
      const pass = {
        modification: unmodified,
        bias: ownBias,
        low,
        high,
        isExact: false,
        skip: flatAreas ? flatAreas.mark() : 0,
      };
      applyForward(setup, weights, output, x, pass);
      if (flatAreas) flatAreas.run(weights.plain, ownBias, low, high);
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
    const tile = !hasWinograd || algorithm === "direct" ? 0 : winogradTile({ window, ...groups, height, width });
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
