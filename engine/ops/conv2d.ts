import type { Activation } from "../activation.ts";
import { FoldedBatchNorm } from "../batch-norm.ts";
import { gradientPads, type PhaseAxis, phasesOf } from "../convolution.ts";
import { ShapeError } from "../errors.ts";
import { outputSize, type Window, windowOf } from "../geometry.ts";
import type { Pads } from "../graph.ts";
import type { LinearMap } from "../linear-map.ts";
import { prepareLinearRelevance } from "../linear-relevance.ts";
import { isUnmodified, ModifiedVectors, modificationKey, writeModified } from "../modified-weights.ts";
import { type Modification, unmodified } from "../rules.ts";
import { formatShape, type Shape } from "../tensor.ts";
import { tileOverhang, WinogradConvolution, winogradTile } from "../winograd.ts";
import type { Construction, LayerRuntime, NodeOf, OpKind } from "./op.ts";

// Input rows of a block stay in the second-level cache while all weights pass over them.
const blockBytes = 512 * 1024;

/** Channel counts of a convolution, checked. */
function groupsOf(node: NodeOf<"conv2d">, input: Shape): { group: number; inPerGroup: number; outPerGroup: number } {
  const where = `conv2d "${node.name}"`;
  const { outChannels, group = 1 } = node;
  const channels = input[0] ?? 0;
  if (input.length !== 3) {
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
  return { group, inPerGroup: channels / group, outPerGroup: outChannels / group };
}

/** Whether the gradient is a matter for the narrow kernel: to few channels, from whole lanes of them, in sums that are not too long. */
function isNarrowGradient(
  { inPerGroup, outPerGroup }: { readonly inPerGroup: number; readonly outPerGroup: number },
  phasesY: readonly PhaseAxis[],
  phasesX: readonly PhaseAxis[],
): boolean {
  const taps = (phases: readonly PhaseAxis[]): number => Math.max(...phases.map((phase) => phase.taps));
  const terms = taps(phasesY) * taps(phasesX) * outPerGroup;
  return inPerGroup <= narrowChannels && outPerGroup % 4 === 0 && terms / 4 <= narrowRun;
}

/** Weights packed for one direction: one address per group, or one for a depthwise convolution. */
type Packs = Map<string, number>;

/** Everything fixed about one convolution. */
interface Setup {
  readonly construction: Construction;
  readonly window: Window;
  readonly group: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly isDepthwise: boolean;
  /** True when the gradient goes to so few channels that these do not fill the lanes. */
  readonly isNarrow: boolean;
  readonly phasesY: readonly PhaseAxis[];
  readonly phasesX: readonly PhaseAxis[];
  /** Winograd's algorithm for each kind of pass; undefined: direct. */
  readonly winograd: Readonly<Record<WinogradPass, WinogradConvolution | undefined>>;
}

type WinogradPass = "forward" | "transposed";

const lanes = 8;
/** Channels that the narrow kernel has room for. */
const narrowChannels = 3;
/** Products that one of its four partial sums may run over: as long as the sums of conv2dForward. */
const narrowRun = 512;
const padded = (channels: number): number => Math.ceil(channels / lanes) * lanes;

/** Floats of the forward pack of one group. */
function packLength({ isDepthwise, window, inPerGroup, outPerGroup, group }: Setup): number {
  const [kh, kw] = window.kernelShape;
  return isDepthwise ? kh * kw * group : padded(outPerGroup) * kh * kw * inPerGroup;
}

/** The convolution's packed weights and biases. */
class Weights {
  readonly #setup: Setup;
  readonly #resident: number;
  readonly #bias: number;
  readonly #biases: ModifiedVectors;
  readonly #forward: Packs = new Map();
  readonly #transposed: Packs = new Map();
  readonly #groupBiases = new Map<number, number>();
  readonly #winograd = new Map<string, number>();

  constructor(setup: Setup, hasBias: boolean) {
    const { kernels } = setup.construction;
    const channels = setup.group * setup.outPerGroup;
    this.#setup = setup;
    const { lowMemory } = setup.construction;
    this.#resident = lowMemory ? 0 : kernels.arena.allocate(4 * this.#forwardLength);
    lowMemory?.plain.reserve(4 * this.#forwardLength);
    lowMemory?.packs.reserve(4 * Math.max(this.#forwardLength, this.#transposedLength));
    this.#bias = hasBias ? kernels.arena.allocate(4 * padded(channels)) : 0;
    this.#biases = new ModifiedVectors(kernels, this.#bias, channels);
    if (!lowMemory) this.#forward.set(modificationKey(unmodified), this.#resident);
    this.bias(unmodified);
    const { forward } = setup.winograd;
    if (forward) this.#winograd.set(`forward ${modificationKey(unmodified)}`, forward.allocateWeights());
  }

  /** Reads the weights of a layer whose weights stay outside, and packs them at `plain`. */
  load: () => void = () => {};

  /** Where the unmodified pack lies or, when memory is small, is to lie for the moment. */
  get #plain(): number {
    return this.#setup.construction.lowMemory?.plain.address ?? this.#resident;
  }

  /** Takes rows of the OIHW weights that lie at `address`, each multiplied by its factor. */
  setRows(address: number, first: number, count: number, factors: Float32Array | undefined, scratch: number): void {
    const { construction, window, inPerGroup, outPerGroup, isDepthwise } = this.#setup;
    const { call, arena } = construction.kernels;
    const [kh, kw] = window.kernelShape;
    const rowBytes = 4 * inPerGroup * kh * kw;
    for (let done = 0; done < count; ) {
      const m = first + done;
      const g = isDepthwise ? 0 : Math.floor(m / outPerGroup);
      const inGroup = isDepthwise ? m : m - g * outPerGroup;
      const rows = Math.min(count - done, isDepthwise ? count : outPerGroup - inGroup, 256);
      const from = address + done * rowBytes;
      if (factors) arena.f32(scratch, rows).set(factors.subarray(m, m + rows));
      const scale = factors ? scratch : 0;
      if (isDepthwise) {
        for (let r = 0; r < rows; r++) {
          const weights = arena.f32(from + r * rowBytes, kh * kw);
          const factor = Math.fround(factors?.[m + r] ?? 1);
          const out = arena.f32(this.#plain, packLength(this.#setup));
          for (let t = 0; t < kh * kw; t++) out[t * this.#setup.group + m + r] = weights[t]! * factor;
        }
      } else {
        const pack = this.#plain + 4 * g * packLength(this.#setup);
        call.conv2dPack(pack, from, scale, inGroup, rows, inPerGroup, kh, kw);
      }
      done += rows;
    }
    const transformed = this.#winograd.get(`forward ${modificationKey(unmodified)}`);
    const isComplete = first + count === this.#setup.group * outPerGroup;
    if (transformed !== undefined && isComplete)
      this.#setup.winograd.forward?.transformWeights(transformed, this.#plain);
  }

  /** Takes the bias, all of it. */
  setBias(bias: Float32Array): void {
    const { arena } = this.#setup.construction.kernels;
    arena.f32(this.#bias, bias.length).set(bias);
    this.#groupBiases.set(this.#bias, this.#padPerGroup(this.#bias));
  }

  /** Address of the modified bias [outChannels]. */
  bias(modification: Modification | undefined): number {
    const address = this.#biases.address(modification);
    if (address !== 0 && !this.#groupBiases.has(address)) this.#groupBiases.set(address, this.#padPerGroup(address));
    return address;
  }

  /** The bias as the kernel reads it: each group's part starts a panel of its own. */
  kernelBias(address: number): number {
    return this.#groupBiases.get(address) ?? 0;
  }

  #padPerGroup(address: number): number {
    const { construction, group, outPerGroup, isDepthwise } = this.#setup;
    const { arena } = construction.kernels;
    if (isDepthwise || group === 1 || outPerGroup % lanes === 0) return address;
    const copy = this.#groupBiases.get(address) ?? arena.allocate(4 * group * padded(outPerGroup));
    for (let g = 0; g < group; g++) {
      const from = arena.f32(address + 4 * g * outPerGroup, outPerGroup);
      arena.f32(copy + 4 * g * padded(outPerGroup), outPerGroup).set(from);
    }
    return copy;
  }

  /** Address of the modified forward pack; made on first use. */
  forward(modification: Modification): number {
    const key = modificationKey(modification);
    let pack = this.#forward.get(key);
    if (pack === undefined) {
      const { lowMemory } = this.#setup.construction;
      if (lowMemory && isUnmodified(modification)) {
        this.load();
        return this.#plain;
      }
      pack = this.#makeForward(modification, lowMemory?.packs.address);
      if (lowMemory === undefined) this.#forward.set(key, pack);
    }
    return pack;
  }

  get #forwardLength(): number {
    return packLength(this.#setup) * (this.#setup.isDepthwise ? 1 : this.#setup.group);
  }

  #makeForward(modification: Modification, at?: number): number {
    this.load();
    const { kernels } = this.#setup.construction;
    const pack = at ?? kernels.arena.allocate(4 * this.#forwardLength);
    writeModified(kernels, pack, this.#plain, this.#forwardLength, modification);
    return pack;
  }

  /** Makes the packs of a direct pass, unless they are made for every use. */
  prepare(modification: Modification, direction: "forward" | "transposed"): void {
    if (this.#setup.construction.lowMemory) return;
    if (direction === "forward") this.forward(modification);
    else this.transposed(modification);
  }

  /** Address of transformed weights for Winograd's algorithm; made on first use, the direct pack between only for a moment. */
  winograd(pass: WinogradPass, modification: Modification): number {
    const key = `${pass} ${modificationKey(modification)}`;
    let weights = this.#winograd.get(key);
    const convolution = this.#setup.winograd[pass];
    if (weights === undefined && convolution) {
      const { arena } = this.#setup.construction.kernels;
      weights = convolution.allocateWeights();
      this.#winograd.set(key, weights);
      const mark = arena.mark();
      const packed = pass === "transposed" ? this.#makeTransposed(modification) : this.#makeForward(modification);
      convolution.transformWeights(weights, packed);
      arena.release(mark);
    }
    return weights ?? 0;
  }

  /** Floats of one group's transposed pack for a phase. */
  phaseLength(phaseY: PhaseAxis, phaseX: PhaseAxis): number {
    const { isDepthwise, isNarrow, inPerGroup, outPerGroup, group } = this.#setup;
    const taps = phaseY.taps * phaseX.taps;
    return isDepthwise ? taps * group : (isNarrow ? narrowChannels : padded(inPerGroup)) * taps * outPerGroup;
  }

  /** Address of the modified transposed packs, phase after phase, in each phase group after group; made on first use. */
  transposed(modification: Modification): number {
    const key = modificationKey(modification);
    const { lowMemory } = this.#setup.construction;
    const pack = this.#transposed.get(key) ?? this.#makeTransposed(modification, lowMemory?.packs.address);
    if (lowMemory === undefined) this.#transposed.set(key, pack);
    return pack;
  }

  get #transposedLength(): number {
    const { isDepthwise, group, phasesX, phasesY } = this.#setup;
    let length = 0;
    for (const phaseY of phasesY) {
      for (const phaseX of phasesX) length += (isDepthwise ? 1 : group) * this.phaseLength(phaseY, phaseX);
    }
    return length;
  }

  #makeTransposed(modification: Modification, at?: number): number {
    this.load();
    const { construction, window, inPerGroup, outPerGroup, isDepthwise, group, phasesX, phasesY } = this.#setup;
    const { call, arena } = construction.kernels;
    const [kh, kw] = window.kernelShape;
    const groups = isDepthwise ? 1 : group;
    const length = this.#transposedLength;
    const pack = at ?? arena.allocate(4 * length);
    let out = pack;
    for (const py of phasesY) {
      for (const px of phasesX) {
        for (let g = 0; g < groups; g++) {
          if (isDepthwise) {
            for (let a = 0; a < py.taps; a++) {
              for (let b = 0; b < px.taps; b++) {
                const tap = (py.lastTap - a * py.tapStep) * kw + px.lastTap - b * px.tapStep;
                const from = arena.f32(this.#plain + 4 * tap * group, group);
                arena.f32(out + 4 * (a * px.taps + b) * group, group).set(from);
              }
            }
          } else if (py.taps * px.taps > 0) {
            const from = this.#plain + 4 * g * packLength(this.#setup);
            const pack = this.#setup.isNarrow ? call.narrowConv2dPackTransposed : call.conv2dPackTransposed;
            // biome-ignore format: one group of arguments a line
            pack(out, from, outPerGroup, inPerGroup, kh, kw,
              py.taps, py.lastTap, py.tapStep, px.taps, px.lastTap, px.tapStep);
          }
          out += 4 * this.phaseLength(py, px);
        }
      }
    }
    if (!isUnmodified(modification)) {
      // The lanes beyond the last channel are modified too; their results are never stored.
      writeModified(construction.kernels, pack, pack, length, modification);
    }
    return pack;
  }
}

/** Runs the convolution with modified weights, group by group. */
function applyForward(
  setup: Setup,
  weights: Weights,
  y: Activation,
  x: Activation,
  modification: Modification,
  bias: number,
  low: number,
  high: number,
  isExact: boolean,
): void {
  const { kernels, workspace } = setup.construction;
  const { window, group, inPerGroup, outPerGroup } = setup;
  const [kh, kw] = window.kernelShape;
  const [sh, sw] = window.strides;
  const [dh, dw] = window.dilations;
  const firstTap = x.address - 4 * (window.pads[0] * x.rowStride + window.pads[1] * x.pixelStride);
  const winograd = setup.winograd.forward;
  if (winograd && !isExact) {
    winograd.run(y, x, firstTap, weights.winograd("forward", modification), bias, low, high);
    return;
  }
  const pack = weights.forward(modification);
  if (setup.isDepthwise) {
    // biome-ignore format: one group of arguments a line
    kernels.split("depthwiseConv2dForward", y.height,y.address, y.rowStride, y.pixelStride, firstTap, x.rowStride, x.pixelStride, pack, bias,
      y.width, group, kh, kw, sh, sw, dh, dw, low, high);
    return;
  }
  const blockRows = Math.max(1, Math.floor(blockBytes / (4 * x.rowStride * sh)));
  for (let g = 0; g < group; g++) {
    // biome-ignore format: one group of arguments a line
    kernels.split("conv2dForward", y.height,
      y.address + 4 * g * outPerGroup, y.rowStride, y.pixelStride,
      firstTap + 4 * g * inPerGroup, x.rowStride, x.pixelStride,
      pack + 4 * g * packLength(setup), bias === 0 ? 0 : bias + 4 * g * padded(outPerGroup), workspace.memory,
      y.width, outPerGroup, inPerGroup, kh, kw, sh, sw, dh, dw, low, high, blockRows);
  }
}

/** dx = W^T s: for every stride phase a convolution of s, whose border of zeros stands for what lies outside. */
function applyTransposed(
  setup: Setup,
  weights: Weights,
  dx: Activation,
  s: Activation,
  modification: Modification,
  isExact: boolean,
): void {
  const { kernels, workspace } = setup.construction;
  const { window, group, inPerGroup, outPerGroup, isDepthwise } = setup;
  const [sh, sw] = window.strides;
  const groups = isDepthwise ? 1 : group;
  const { transposed } = setup.winograd;
  if (transposed && !isExact) {
    const [top = 0, left = 0] = [setup.phasesY[0]?.firstRead, setup.phasesX[0]?.firstRead];
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
          // biome-ignore format: one group of arguments a line
          kernels.split("depthwiseConv2dForward", py.count,to, sh * dx.rowStride, sw * dx.pixelStride, from, s.rowStride, s.pixelStride, pack, 0,
            px.count, group, py.taps, px.taps, 1, 1, py.readStep, px.readStep,
            Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
        } else if (setup.isNarrow) {
          // biome-ignore format: one group of arguments a line
          kernels.split("narrowConv2dForward", py.count, to, sh * dx.rowStride, sw * dx.pixelStride, from, s.rowStride, s.pixelStride, pack,
            px.count, inPerGroup, outPerGroup, py.taps, px.taps, py.readStep, px.readStep);
        } else {
          // biome-ignore format: one group of arguments a line
          kernels.split("conv2dForward", py.count,to, sh * dx.rowStride, sw * dx.pixelStride, from, s.rowStride, s.pixelStride, pack, 0, workspace.memory,
            px.count, inPerGroup, outPerGroup, py.taps, px.taps, 1, 1, py.readStep, px.readStep,
            Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, blockRows);
        }
      }
    }
  }
}

/** Builds a convolution; also what a batch norm without a layer to fold into becomes. */
export function buildConv2d(construction: Construction, node: NodeOf<"conv2d">): LayerRuntime {
  const { kernels, layer, inputShapes, outputShape, output } = construction;
  const x = construction.inputs[0];
  const inputShape = inputShapes[0];
  if (x === undefined || inputShape === undefined) throw new ShapeError(`conv2d "${node.name}": has no input.`);
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
    return new WinogradConvolution(
      kernels,
      construction.workspace,
      tile,
      window.kernelShape[0],
      group,
      inC,
      outC,
      to.height,
      to.width,
    );
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
  const batchNorm = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, node.outChannels) : undefined;
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
      if (setup.winograd[direction] && !isExact) weights.winograd(direction, modification);
      else weights.prepare(modification, direction);
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
  return {
    forward() {
      const biasAddress = weights.kernelBias(weights.bias(unmodified));
      applyForward(setup, weights, output, x, unmodified, biasAddress, low, high, false);
    },
    prepareRelevance: (context) => prepareLinearRelevance(map, context),
    ruleName: (rules) => rules.linear.name,
    setRows(name, firstRow, rows) {
      if (batchNorm?.setRows(name, firstRow, rows)) {
        if (bias) weights.setBias(batchNorm.foldedBias(bias));
        return;
      }
      if (name === node.bias && bias) {
        bias.set(rows, firstRow);
        weights.setBias(batchNorm?.foldedBias(bias) ?? bias);
      }
      if (name === node.weight) setWeights(firstRow, rows);
    },
  };
}

/** 2-D convolution with any kernel, stride, dilation, pads and groups. */
export const conv2d: OpKind<"conv2d"> = {
  sign: "any",
  outputShape(node, inputs) {
    const input = inputs[0] ?? [];
    groupsOf(node, input);
    const where = `conv2d "${node.name}"`;
    return [node.outChannels, ...outputSize(where, windowOf(where, node), input[1] ?? 0, input[2] ?? 0)];
  },
  inputBorder: (node, input, algorithm) => {
    const window = windowOf(`conv2d "${node.name}"`, node);
    // Only what windows really reach: with a stride the last rows of a pad may never be read.
    const [height, width] = outputSize(`conv2d "${node.name}"`, window, input[1] ?? 0, input[2] ?? 0);
    const reach = (axis: 0 | 1, out: number, size: number): number =>
      (out - 1) * window.strides[axis] +
      (window.kernelShape[axis] - 1) * window.dilations[axis] -
      window.pads[axis] -
      (size - 1);
    const tile = algorithm === "direct" ? 0 : winogradTile({ window, ...groupsOf(node, input), height, width });
    return [
      window.pads[0],
      window.pads[1],
      Math.max(0, reach(0, height, input[1] ?? 0) + tileOverhang(height, tile)),
      Math.max(0, reach(1, width, input[2] ?? 0) + tileOverhang(width, tile)),
    ];
  },
  parameters(node, layer, input) {
    const { inPerGroup } = groupsOf(node, input);
    const shape = [node.outChannels, inPerGroup, ...node.kernelShape];
    const folded = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, node.outChannels).parameters : [];
    const bias = node.bias === undefined ? [] : [{ name: node.bias, shape: [node.outChannels] }];
    // Batch norm first: its factors multiply the weights as they come in.
    return [...folded, ...bias, { name: node.weight, shape }];
  },
  build: buildConv2d,
};
