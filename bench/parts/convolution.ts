import { tensor } from "../../engine/basics/tensor.ts";
import { type Tile, tileOverhang, WinogradConvolution, winogradTile } from "../../engine/layers/linear/winograd.ts";
import { allocateFeatureMap, noBorder } from "../../engine/memory/feature-map.ts";
import { instantiateKernels } from "../../engine/memory/kernels.ts";
import { Workspace } from "../../engine/memory/thread-scratch.ts";
import { Network } from "../../engine/network/network.ts";
import { unmodified } from "../../engine/rules/rules.ts";
import { bareConvolution, type ConvSize, convOutput, readShapes } from "../nets/shapes.ts";

/** Convolutions of a shape file that have a choice of algorithms. */
export function choices(file: string): { name: string; conv: ConvSize }[] {
  return readShapes(file).flatMap(({ name, conv }) => (conv && possibleTiles(conv).length > 1 ? [{ name, conv }] : []));
}

/** What an algorithm is called. */
export function algorithmName(tile: Tile, { kernel }: ConvSize): string {
  return tile === 0 ? "direct" : `F(${tile}x${tile},${kernel}x${kernel})`;
}

/** The algorithms that can serve a convolution, whatever the engine's table chooses: Winograd's need plain filters and full lanes. */
export function possibleTiles({ channels, outChannels, kernel, stride, pad, group }: ConvSize): readonly Tile[] {
  const isPlain = stride === 1 && 2 * pad === kernel - 1 && group === 1;
  const fillsLanes = channels >= 16 && outChannels >= 16 && channels % 8 === 0 && outChannels % 8 === 0;
  if (!isPlain || !fillsLanes) return [0];
  return kernel === 3 ? [0, 2, 4] : kernel === 5 ? [0, 2] : [0];
}

/** The algorithm that the engine's table chooses for a forward pass. */
export function chosenTile(size: ConvSize): Tile {
  const { kernel: k, stride: s, pad: p, group } = size;
  return winogradTile({
    window: { kernelShape: [k, k], strides: [s, s], pads: [p, p, p, p], dilations: [1, 1], ceilMode: false },
    inPerGroup: size.channels / group,
    outPerGroup: size.outChannels / group,
    height: convOutput(size, size.height),
    width: convOutput(size, size.width),
  });
}

/** Operations that an algorithm does: 2 per multiply-accumulate; of Winograd's the products, not the transforms around them. */
export function arithmetic(size: ConvSize, tile: Tile): number {
  const [height, width] = [convOutput(size, size.height), convOutput(size, size.width)];
  const perChannelPair =
    tile === 0
      ? size.kernel ** 2 * height * width
      : (tile + size.kernel - 1) ** 2 * Math.ceil(height / tile) * Math.ceil(width / tile);
  return (2 * perChannelPair * size.channels * size.outChannels) / size.group;
}

/** A convolution ready to be run again and again. */
export interface ReadyConvolution {
  run(): void;
  /** The output [outChannels,height,width]. */
  output(): Float32Array;
}

/**
 * The product's kernels for one of the possible algorithms, without bias and ReLU. The transposed pass of such a layer is the same kernel with `turned` weights.
 * @param weights [outChannels,channels,kernel,kernel]
 * @param input [channels,height,width]
 */
export function readyConvolution(
  module: WebAssembly.Module,
  size: ConvSize,
  tile: Tile,
  weights: Float32Array,
  input: Float32Array,
): ReadyConvolution {
  const { channels, outChannels, height, width, kernel, pad } = size;
  const kernels = instantiateKernels(module);
  const network = new Network(kernels, bareConvolution(size), { algorithm: "direct" });
  network.setRows("w", 0, weights);
  if (tile === 0) {
    network.forward(tensor([channels, height, width], input));
    const [built] = network.layers;
    if (built === undefined) throw new Error("convolution: a network without layers.");
    return {
      run: () => built.runtime.forward(),
      output: () => network.memory.readFeatureMap(network.graph.logits).data,
    };
  }
  const { arena, call } = kernels;
  const workspace = new Workspace(kernels);
  const winograd = new WinogradConvolution(
    { kernels, workspace, keptBytes: { left: 0 }, keepsNone: true },
    {
      tile,
      taps: kernel,
      group: 1,
      inC: channels,
      outC: outChannels,
      height,
      width,
    },
  );
  workspace.settle();
  const border = [pad, pad, pad + tileOverhang(height, tile), pad + tileOverhang(width, tile)] as const;
  const x = allocateFeatureMap(arena, [channels, height, width], border);
  const y = allocateFeatureMap(arena, [outChannels, height, width], noBorder);
  network.memory.writeImage(x, input);
  const transformed = arena.allocate(winograd.weightBytes);
  const rows = arena.allocate(4 * weights.length);
  const packed = arena.allocate(4 * weights.length);
  arena.f32(rows, weights.length).set(weights);
  for (let first = 0; first < outChannels; first += 256) {
    const from = rows + 4 * first * channels * kernel ** 2;
    call.conv2dPack(packed, from, 0, first, Math.min(256, outChannels - first), channels, kernel, kernel);
  }
  winograd.weights(unmodified, { address: transformed }, () => packed);
  const firstTap = x.address - 4 * pad * (x.rowStride + x.pixelStride);
  return {
    run: () => winograd.run(y, x, firstTap, transformed, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0),
    output: () => network.memory.readImage(y, [outChannels, height, width]).data,
  };
}

/** A layer's sizes seen from its transposed pass: channels exchanged; for convolutions that keep the image's size. */
export function turnedSize(size: ConvSize): ConvSize {
  return { ...size, channels: size.outChannels, outChannels: size.channels };
}

/** Weights [outChannels,channels,k,k] as the transposed pass applies them: [channels,outChannels,k,k], turned by 180 degrees. */
export function turned({ channels, outChannels, kernel }: ConvSize, weights: Float32Array): Float32Array {
  const taps = kernel * kernel;
  return Float32Array.from({ length: weights.length }, (_, i) => {
    const m = Math.floor(i / taps) % outChannels;
    const c = Math.floor(i / (taps * outChannels));
    return weights[(m * channels + c) * taps + taps - 1 - (i % taps)]!;
  });
}
