import { hasDepthwise } from "../../basics/features.ts";
import { mustHave } from "../../basics/must-have.ts";
import type { Window } from "../../graph/window.ts";
import type { Place } from "../../memory/shared-region.ts";
import { type Modification, unmodified } from "../../rules/rules.ts";
import type { Construction } from "../layer-kind.ts";
import { depthwiseLength, packDepthwise, turnDepthwise } from "./depthwise-pack.ts";
import { isUnmodified, ModifiedVectors, modificationKey, writeModified } from "./modified-weights.ts";
import type { PhaseAxis } from "./stride-phases.ts";
import type { WinogradConvolution } from "./winograd.ts";

/** Weights packed for one direction: one address per group, or one for a depthwise convolution. */
type Packs = Map<string, number>;

/** Everything fixed about one convolution. */
export interface ConvolutionSetup {
  readonly construction: Construction;
  readonly window: Window;
  readonly group: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  /** True when the gradient goes to so few channels that these do not fill the lanes. */
  readonly isNarrow: boolean;
  readonly phasesY: readonly PhaseAxis[];
  readonly phasesX: readonly PhaseAxis[];
  /** Winograd's algorithm for each kind of pass; undefined: direct. */
  readonly winograd: Readonly<Record<WinogradPass, WinogradConvolution | undefined>>;
  /** For their transformed weights. */
  readonly transformed: Place;
}

/** Passes that have a Winograd algorithm of their own. */
export type WinogradPass = "forward" | "transposed";

const lanes = 8;
/** Channels that the narrow kernel has room for. */
const narrowChannels = 3;
/** Products that one of its four partial sums may run over: as long as the sums of conv2dForward. */
const narrowRun = 512;

/** Channels rounded up to whole vectors. */
export function padded(channels: number): number {
  return Math.ceil(channels / lanes) * lanes;
}

/** Whether each channel is a group of its own, for the kernels made for that. */
export function isDepthwise(groups: Pick<ConvolutionSetup, "group" | "inPerGroup" | "outPerGroup">): boolean {
  return hasDepthwise && groups.inPerGroup === 1 && groups.outPerGroup === 1 && groups.group > 1;
}

/** Whether the gradient is a matter for the narrow kernel: to few channels, from whole lanes of them, in sums that are not too long. */
export function isNarrowGradient(
  { inPerGroup, outPerGroup }: { readonly inPerGroup: number; readonly outPerGroup: number },
  phasesY: readonly PhaseAxis[],
  phasesX: readonly PhaseAxis[],
): boolean {
  const taps = (phases: readonly PhaseAxis[]): number => Math.max(...phases.map((phase) => phase.taps));
  const terms = taps(phasesY) * taps(phasesX) * outPerGroup;
  return inPerGroup <= narrowChannels && outPerGroup % 4 === 0 && terms / 4 <= narrowRun;
}

/** Floats of the forward pack of one group. */
export function packLength(setup: ConvolutionSetup): number {
  const { window, inPerGroup, outPerGroup, group } = setup;
  const [kh, kw] = window.kernelShape;
  return isDepthwise(setup) ? depthwiseLength(group, kh * kw) : padded(outPerGroup) * kh * kw * inPerGroup;
}

/** A convolution's packed weights and biases. */
export class ConvolutionWeights {
  readonly #setup: ConvolutionSetup;
  /** The unmodified pack; where memory is small, it is there for the moment only. */
  readonly #plain: Place;
  readonly #packs: Place;
  readonly #bias: number;
  readonly #biases: ModifiedVectors;
  readonly #forward: Packs = new Map();
  readonly #transposed: Packs = new Map();
  readonly #groupBiases = new Map<number, number>();

  constructor(setup: ConvolutionSetup, hasBias: boolean) {
    const { kernels } = setup.construction;
    const channels = setup.group * setup.outPerGroup;
    this.#setup = setup;
    const { lowMemory, shared } = setup.construction;
    const bytes = 4 * this.#forwardLength;
    this.#plain = lowMemory?.plain.reserve(bytes) ?? { address: kernels.arena.allocate(bytes) };
    const needsPacks = lowMemory !== undefined || Object.values(setup.winograd).some((pass) => pass !== undefined);
    this.#packs = shared.packs.reserve(needsPacks ? Math.max(bytes, 4 * this.#transposedLength) : 0);
    this.#bias = hasBias ? kernels.arena.allocate(4 * padded(channels)) : 0;
    this.#biases = new ModifiedVectors(kernels, this.#bias, channels);
    if (!lowMemory) this.#forward.set(modificationKey(unmodified), this.#plain.address);
    this.bias(unmodified);
  }

  /** Reads the weights of a layer whose weights stay outside, and packs them at `plain`. */
  load: () => void = () => {};

  /** Takes rows of the OIHW weights that lie at `address`, each multiplied by its factor. */
  setRows(address: number, first: number, count: number, factors: Float32Array | undefined, scratch: number): void {
    const { construction, window, inPerGroup, outPerGroup } = this.#setup;
    const depthwise = hasDepthwise && isDepthwise(this.#setup);
    const { call, arena } = construction.kernels;
    const [kh, kw] = window.kernelShape;
    const rowBytes = 4 * inPerGroup * kh * kw;
    for (let done = 0; done < count; ) {
      const m = first + done;
      const g = depthwise ? 0 : Math.floor(m / outPerGroup);
      const inGroup = depthwise ? m : m - g * outPerGroup;
      const rows = Math.min(count - done, depthwise ? count : outPerGroup - inGroup, 256);
      const from = address + done * rowBytes;
      if (factors) arena.f32(scratch, rows).set(factors.subarray(m, m + rows));
      const scale = factors ? scratch : 0;
      if (depthwise) {
        for (let r = 0; r < rows; r++) {
          const weights = arena.f32(from + r * rowBytes, kh * kw);
          const factor = factors === undefined ? 1 : factors[m + r]!;
          packDepthwise(arena.f32(this.#plain.address, packLength(this.#setup)), m + r, weights, factor);
        }
      } else {
        const pack = this.#plain.address + 4 * g * packLength(this.#setup);
        call.conv2dPack(pack, from, scale, inGroup, rows, inPerGroup, kh, kw);
      }
      done += rows;
    }
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
    return address === 0 ? 0 : mustHave(this.#groupBiases.get(address), "bias of the groups");
  }

  #padPerGroup(address: number): number {
    const { construction, group, outPerGroup } = this.#setup;
    const { arena } = construction.kernels;
    if (isDepthwise(this.#setup) || group === 1 || outPerGroup % lanes === 0) return address;
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
        return this.#plain.address;
      }
      pack = this.#makeForward(modification, lowMemory && this.#packs.address);
      if (lowMemory === undefined) this.#forward.set(key, pack);
    }
    return pack;
  }

  get #forwardLength(): number {
    return packLength(this.#setup) * (isDepthwise(this.#setup) ? 1 : this.#setup.group);
  }

  #makeForward(modification: Modification, at?: number): number {
    this.load();
    const { kernels } = this.#setup.construction;
    const pack = at ?? kernels.arena.allocate(4 * this.#forwardLength);
    writeModified(kernels, pack, this.#plain.address, this.#forwardLength, modification);
    return pack;
  }

  /** Makes the packs of a direct pass, unless they are made for every use. */
  prepare(modification: Modification, direction: "forward" | "transposed"): void {
    if (this.#setup.construction.lowMemory) return;
    if (direction === "forward") this.forward(modification);
    else this.transposed(modification);
  }

  /** Address of the unmodified pack, which is there after `packFor` or `forward` gave the unmodified weights. */
  get plain(): number {
    return this.#plain.address;
  }

  /** Address of a direct pack that is needed for a moment only. */
  packFor(pass: WinogradPass, modification: Modification): number {
    if (pass === "transposed") return this.#makeTransposed(modification, this.#packs.address);
    if (!isUnmodified(modification)) return this.#makeForward(modification, this.#packs.address);
    this.load();
    return this.#plain.address;
  }

  /** Floats of one group's transposed pack for a phase. */
  phaseLength(phaseY: PhaseAxis, phaseX: PhaseAxis): number {
    const { isNarrow, inPerGroup, outPerGroup, group } = this.#setup;
    const taps = phaseY.taps * phaseX.taps;
    return isDepthwise(this.#setup)
      ? depthwiseLength(group, taps)
      : (isNarrow ? narrowChannels : padded(inPerGroup)) * taps * outPerGroup;
  }

  /** Address of the modified transposed packs, phase after phase, in each phase group after group; made on first use. */
  transposed(modification: Modification): number {
    const key = modificationKey(modification);
    const { lowMemory } = this.#setup.construction;
    const pack = this.#transposed.get(key) ?? this.#makeTransposed(modification, lowMemory && this.#packs.address);
    if (lowMemory === undefined) this.#transposed.set(key, pack);
    return pack;
  }

  get #transposedLength(): number {
    const { group, phasesX, phasesY } = this.#setup;
    let length = 0;
    for (const phaseY of phasesY) {
      for (const phaseX of phasesX) length += (isDepthwise(this.#setup) ? 1 : group) * this.phaseLength(phaseY, phaseX);
    }
    return length;
  }

  #makeTransposed(modification: Modification, at?: number): number {
    this.load();
    const { construction, window, inPerGroup, outPerGroup, group, phasesX, phasesY } = this.#setup;
    const depthwise = hasDepthwise && isDepthwise(this.#setup);
    const { call, arena } = construction.kernels;
    const [kh, kw] = window.kernelShape;
    const groups = depthwise ? 1 : group;
    const length = this.#transposedLength;
    const pack = at ?? arena.allocate(4 * length);
    let out = pack;
    for (const py of phasesY) {
      for (const px of phasesX) {
        for (let g = 0; g < groups; g++) {
          if (depthwise) {
            const from = arena.f32(this.#plain.address, packLength(this.#setup));
            turnDepthwise(arena.f32(out, this.phaseLength(py, px)), from, window.kernelShape, py, px);
          } else if (py.taps * px.taps > 0) {
            const from = this.#plain.address + 4 * g * packLength(this.#setup);
            const packGroup = this.#setup.isNarrow ? call.narrowConv2dPackTransposed : call.conv2dPackTransposed;
            // biome-ignore format: one group of arguments a line
            packGroup(out, from, outPerGroup, inPerGroup, kh, kw,
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
