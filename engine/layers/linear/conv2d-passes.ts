import * as kernel from "../../../kernels-as/kernel-calls.js";
import { hasWinograd } from "../../basics/features.ts";
import { mustHave } from "../../basics/must-have.ts";
import type { Window } from "../../graph/window.ts";
import { type FeatureMap, type Pixels, pixelsAt } from "../../memory/feature-map.ts";
import type { Modification } from "../../rules/rules.ts";
import {
  isDepthwise,
  packLength,
  padded,
  type ConvolutionSetup as Setup,
  type ConvolutionWeights as Weights,
} from "./conv2d-weights.ts";
import type { PhaseAxis } from "./stride-phases.ts";

// Input rows of a block stay in the second-level cache while all weights pass over them.
const blockBytes = 512 * 1024;

/** Scratch memory that a depthwise convolution is given per thread: where pixels crowd the cache, it copies them into it. */
export function depthwiseScratchBytes({ window }: Setup): number {
  const [kh, kw] = window.kernelShape;
  return kh * kw < 9 ? 1024 : 65536;
}

/** Address of what the first tap of output (0,0) reads. */
export function firstTapOf({ window }: Setup, x: FeatureMap): number {
  return x.address - 4 * (window.pads[0] * x.rowStride + window.pads[1] * x.pixelStride);
}

/** What a forward pass is told beside its images. */
export interface ForwardPass {
  readonly modification: Modification;
  /** Address of the bias as the kernels read it, 0 for none. */
  readonly bias: number;
  readonly low: number;
  readonly high: number;
  /** Direct: exact zeros stay. */
  readonly isExact: boolean;
  /** Address of marks of the tiles that Winograd's algorithm need not compute, 0 for none. */
  readonly skip: number;
}

/** One call of a kernel: what it reads and writes, its window there and its limits. */
interface Call {
  readonly y: Pixels;
  readonly x: Pixels;
  readonly w: number;
  readonly bias: number;
  readonly window: Pick<Window, "kernelShape" | "strides" | "dilations">;
  readonly outW: number;
  readonly low: number;
  readonly high: number;
}

// Both name field by field what they hand on: to spread an object costs half a microsecond on Node 20, and small layers take ten.

function runDepthwise(setup: Setup, rows: number, { y, x, w, bias, window, outW, low, high }: Call): void {
  const { kernels, workspace } = setup.construction;
  const scratch = workspace.memory;
  const scratchBytes = depthwiseScratchBytes(setup);
  const channels = setup.group;
  kernel.depthwiseConv2dForward(kernels, rows, {
    y,
    x,
    w,
    bias,
    scratch,
    scratchBytes,
    window,
    outW,
    low,
    high,
    channels,
  });
}

function runDirect(
  setup: Setup,
  rows: number,
  { y, x, w, bias, window, outW, low, high }: Call,
  outC: number,
  inC: number,
): void {
  const { kernels, workspace } = setup.construction;
  const blockRows = Math.max(1, Math.floor(blockBytes / (4 * x.rowStride * window.strides[0])));
  const scratch = workspace.memory;
  kernel.conv2dForward(kernels, rows, { y, x, w, bias, scratch, window, outW, low, high, outC, inC, blockRows });
}

/** Runs the convolution with modified weights, group by group. */
export function applyForward(
  setup: Setup,
  weights: Weights,
  y: FeatureMap,
  x: FeatureMap,
  { modification, bias, low, high, isExact, skip }: ForwardPass,
): void {
  const { window, group, inPerGroup, outPerGroup } = setup;
  const firstTap = firstTapOf(setup, x);
  const winograd = setup.winograd.forward;
  if (hasWinograd && winograd && !isExact) {
    const transformed = winograd.weights(modification, setup.transformed, () =>
      weights.packFor("forward", modification),
    );
    winograd.run(y, x, firstTap, transformed, bias, low, high, skip);
    return;
  }
  const pack = weights.forward(modification);
  const outW = y.width;
  if (isDepthwise(setup)) {
    runDepthwise(setup, y.height, { y, x: pixelsAt(x, firstTap), w: pack, bias, window, outW, low, high });
    return;
  }
  for (let g = 0; g < group; g++) {
    const call = {
      y: pixelsAt(y, y.address + 4 * g * outPerGroup),
      x: pixelsAt(x, firstTap + 4 * g * inPerGroup),
      w: pack + 4 * g * packLength(setup),
      bias: bias === 0 ? 0 : bias + 4 * g * padded(outPerGroup),
      window,
      outW,
      low,
      high,
    };
    runDirect(setup, y.height, call, outPerGroup, inPerGroup);
  }
}

/** A stride phase of the transposed pass for one group: the places and sizes that its kernel is given. */
interface PhasePass {
  readonly py: PhaseAxis;
  readonly px: PhaseAxis;
  /** Addresses of its first output, its first tap and its weights. */
  readonly to: number;
  readonly from: number;
  readonly pack: number;
}

/** Runs one phase of the transposed pass: a convolution of s with stride 1. */
function runPhase(setup: Setup, dx: FeatureMap, s: FeatureMap, { py, px, to, from, pack }: PhasePass): void {
  const { inPerGroup, outPerGroup } = setup;
  const [sh, sw] = setup.window.strides;
  const call = {
    y: { address: to, rowStride: sh * dx.rowStride, pixelStride: sw * dx.pixelStride },
    x: pixelsAt(s, from),
    w: pack,
    bias: 0,
    window: { kernelShape: [py.taps, px.taps], strides: [1, 1], dilations: [py.readStep, px.readStep] },
    outW: px.count,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  } as const;
  if (isDepthwise(setup)) {
    runDepthwise(setup, py.count, call);
  } else if (setup.isNarrow) {
    const { y, x, w, window, outW } = call;
    const sizes = { y, x, w, window, outW, outC: inPerGroup, inC: outPerGroup };
    kernel.narrowConv2dForward(setup.construction.kernels, py.count, sizes);
  } else {
    runDirect(setup, py.count, call, inPerGroup, outPerGroup);
  }
}

/** dx = W^T s: for every stride phase a convolution of s, whose border of zeros stands for what lies outside. */
export function applyTransposed(
  setup: Setup,
  weights: Weights,
  dx: FeatureMap,
  s: FeatureMap,
  modification: Modification,
  isExact: boolean,
): void {
  const { kernels } = setup.construction;
  const { group, inPerGroup, outPerGroup, phasesX, phasesY } = setup;
  const { transposed } = setup.winograd;
  if (hasWinograd && transposed && !isExact) {
    const top = mustHave(phasesY[0], "rows of the gradient").firstRead;
    const left = mustHave(phasesX[0], "columns of the gradient").firstRead;
    const firstTap = s.address + 4 * (top * s.rowStride + left * s.pixelStride);
    const free = Number.POSITIVE_INFINITY;
    const transformed = transposed.weights(modification, setup.transformed, () =>
      weights.packFor("transposed", modification),
    );
    transposed.run(dx, s, firstTap, transformed, 0, -free, free, 0);
    return;
  }
  let pack = weights.transposed(modification);
  if (phasesY.some((py) => py.taps === 0) || phasesX.some((px) => px.taps === 0)) {
    // Input positions that no window reads.
    kernels.split("fill", dx.height * dx.rowStride, dx.address, 0);
  }
  for (const py of phasesY) {
    for (const px of phasesX) {
      const length = weights.phaseLength(py, px);
      for (let g = 0; g < (isDepthwise(setup) ? 1 : group); g++, pack += 4 * length) {
        if (py.taps * px.taps === 0) continue;
        const to = dx.address + 4 * (py.first * dx.rowStride + px.first * dx.pixelStride + g * inPerGroup);
        const from = s.address + 4 * (py.firstRead * s.rowStride + px.firstRead * s.pixelStride + g * outPerGroup);
        runPhase(setup, dx, s, { py, px, to, from, pack });
      }
    }
  }
}
