import type { NetworkDefinition, NodeDefinition, Preprocessing } from "../../engine/graph/definition.ts";

// Three large networks whose weights and inputs anyone can generate bit for bit, without a file: integers from mulberry32,
// one multiplication each, no library maths. PyTorch's logits and relevance maps for them lie in ../shared/reference.

type Layer =
  | { t: "conv"; n: string; o: number; i: number; k: number; s: number; p: number; g: number }
  | { t: "fc"; n: string; o: number; i: number }
  | { t: "relu" }
  | { t: "lrn" }
  | { t: "pool"; k: number }
  | { t: "flatten" };

/** Names of the seeded networks. */
export const seededNetNames = ["alexnet", "bvlc_alexnet", "vgg16"] as const;
export type SeededNetName = (typeof seededNetNames)[number];

interface SeededNet {
  readonly seed: number;
  readonly size: number;
  readonly preparation: "torchvision" | "caffe";
  readonly layers: readonly Layer[];
}

function conv(n: string, o: number, i: number, k: number, s: number, p: number, g = 1): Layer[] {
  return [{ t: "conv", n, o, i, k, s, p, g }, { t: "relu" }];
}

function head(firstInputs: number): Layer[] {
  return [
    { t: "flatten" },
    { t: "fc", n: "fc6", o: 4096, i: firstInputs },
    { t: "relu" },
    { t: "fc", n: "fc7", o: 4096, i: 4096 },
    { t: "relu" },
    { t: "fc", n: "fc8", o: 1000, i: 4096 },
  ];
}

const pool3: Layer = { t: "pool", k: 3 };
const pool2: Layer = { t: "pool", k: 2 };

// [name, out, in] of VGG-16's convolutions, block by block.
const vggBlocks: readonly (readonly [string, number, number])[][] = [
  [
    ["conv1_1", 64, 3],
    ["conv1_2", 64, 64],
  ],
  [
    ["conv2_1", 128, 64],
    ["conv2_2", 128, 128],
  ],
  [
    ["conv3_1", 256, 128],
    ["conv3_2", 256, 256],
    ["conv3_3", 256, 256],
  ],
  [
    ["conv4_1", 512, 256],
    ["conv4_2", 512, 512],
    ["conv4_3", 512, 512],
  ],
  [
    ["conv5_1", 512, 512],
    ["conv5_2", 512, 512],
    ["conv5_3", 512, 512],
  ],
];

const nets: Record<SeededNetName, SeededNet> = {
  alexnet: {
    seed: 1001,
    size: 224,
    preparation: "torchvision",
    layers: [
      ...conv("conv1", 64, 3, 11, 4, 2),
      pool3,
      ...conv("conv2", 192, 64, 5, 1, 2),
      pool3,
      ...conv("conv3", 384, 192, 3, 1, 1),
      ...conv("conv4", 256, 384, 3, 1, 1),
      ...conv("conv5", 256, 256, 3, 1, 1),
      pool3,
      ...head(9216),
    ],
  },
  bvlc_alexnet: {
    seed: 1002,
    size: 227,
    preparation: "caffe",
    layers: [
      ...conv("conv1", 96, 3, 11, 4, 0),
      { t: "lrn" },
      pool3,
      ...conv("conv2", 256, 48, 5, 1, 2, 2),
      { t: "lrn" },
      pool3,
      ...conv("conv3", 384, 256, 3, 1, 1),
      ...conv("conv4", 384, 192, 3, 1, 1, 2),
      ...conv("conv5", 256, 192, 3, 1, 1, 2),
      pool3,
      ...head(9216),
    ],
  },
  vgg16: {
    seed: 1003,
    size: 224,
    preparation: "torchvision",
    layers: [
      ...vggBlocks.flatMap((block) => [...block.flatMap(([n, o, i]) => conv(n, o, i, 3, 1, 1)), pool2]),
      ...head(25088),
    ],
  },
};

const mean: readonly number[] = [0.485, 0.456, 0.406];
const std: readonly number[] = [0.229, 0.224, 0.225];
/** Blue, green, red. */
const caffeMean: readonly number[] = [104, 117, 123];

/** A seeded network as the engine takes it; parameters are called `conv1.weight`, `conv1.bias`, ... */
export function seededDefinition(name: SeededNetName): NetworkDefinition {
  const net = nets[name];
  const nodes: NodeDefinition[] = [];
  let from = "input";
  const push = (node: NodeDefinition): void => {
    nodes.push(node);
    from = node.name;
  };
  for (const [index, layer] of net.layers.entries()) {
    const inputs = [from];
    if (layer.t === "conv") {
      const { n, o, k, s, p, g } = layer;
      push({
        name: n,
        inputs,
        op: "conv2d",
        outChannels: o,
        kernelShape: [k, k],
        strides: [s, s],
        pads: [p, p, p, p],
        group: g,
        weight: `${n}.weight`,
        bias: `${n}.bias`,
      });
    } else if (layer.t === "fc") {
      const { n, o } = layer;
      push({ name: n, inputs, op: "dense", outFeatures: o, weight: `${n}.weight`, bias: `${n}.bias` });
    } else if (layer.t === "pool") {
      push({ name: `pool${index}`, inputs, op: "maxPool2d", kernelShape: [layer.k, layer.k], strides: [2, 2] });
    } else if (layer.t === "lrn") {
      push({ name: `lrn${index}`, inputs, op: "lrn", size: 5, alpha: 1e-4, beta: 0.75, bias: 1 });
    } else {
      push({ name: `${layer.t}${index}`, inputs, op: layer.t });
    }
  }
  const preprocessing: Preprocessing =
    net.preparation === "torchvision"
      ? { resize: "none", resizeTo: net.size, channelOrder: "rgb", scale: 1 / 255, mean, std }
      : { resize: "none", resizeTo: net.size, channelOrder: "bgr", scale: 1, mean: caffeMean, std: [1, 1, 1] };
  return { name, inputShape: [3, net.size, net.size], nodes, output: from, preprocessing };
}

/** Output j of mulberry32 started at `seed`: it is counter based, so no state is carried. */
function u(seed: number, j: number): number {
  const a = (seed + Math.imul(j + 1, 0x6d2b79f5)) >>> 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

/** A parameter of a seeded network. */
export interface SeededTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where the values start in the concatenation of all tensors, in elements. */
  readonly offset: number;
  readonly length: number;
  /** Draws elements begin .. begin + target.length into `target`. */
  fill(target: Float32Array, begin?: number): void;
}

/** The parameters in file order (weight, bias, weight, bias, ...); values are drawn only when asked for. */
export function seededTensors(name: SeededNetName): SeededTensor[] {
  const net = nets[name];
  const tensors: SeededTensor[] = [];
  let offset = 0;
  const push = (tensorName: string, shape: readonly number[], scale: number): void => {
    const length = shape.reduce((product, size) => product * size, 1);
    const seed = Math.imul(Math.imul(net.seed, 65536) + tensors.length, 0x9e3779b1) >>> 0; // 2654435761
    const fill = (target: Float32Array, begin = 0): void => {
      for (let j = 0; j < target.length; j++) {
        const bits = u(seed, begin + j);
        // Four bytes summed: bell-shaped, variance 21845.
        const k = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
        target[j] = k * scale;
      }
    };
    tensors.push({ name: tensorName, shape, offset, length, fill });
    offset += length;
  };
  for (const layer of net.layers) {
    if (layer.t !== "conv" && layer.t !== "fc") continue;
    const shape = layer.t === "conv" ? [layer.o, layer.i, layer.k, layer.k] : [layer.o, layer.i];
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
    push(`${layer.n}.weight`, shape, Math.fround(Math.sqrt(2 / fanIn) / Math.sqrt(21845)));
    push(`${layer.n}.bias`, [layer.o], Math.fround(0.05 / Math.sqrt(21845)));
  }
  return tensors;
}

/** All parameters by name, in memory: 244 MB for AlexNet, 553 MB for VGG-16. */
export function seededParameters(name: SeededNetName): Map<string, Float32Array> {
  return new Map(
    seededTensors(name).map((tensor) => {
      const values = new Float32Array(tensor.length);
      tensor.fill(values);
      return [tensor.name, values];
    }),
  );
}

/** The uint8 RGB photo [H,W,3] that a network of this input size is fed: nine by nine colours blended, and noise. */
export function seededPhoto(size: number): Uint8Array {
  const photo = new Uint8Array(size * size * 3);
  const grid = (y: number, x: number, c: number): number => u(7, (y * 9 + x) * 3 + c) & 255;
  for (let y = 0; y < size; y++) {
    const fy = Math.floor((y * 8 * 256) / size);
    const gy = fy >> 8;
    const wy = fy & 255;
    for (let x = 0; x < size; x++) {
      const fx = Math.floor((x * 8 * 256) / size);
      const gx = fx >> 8;
      const wx = fx & 255;
      for (let c = 0; c < 3; c++) {
        const top = grid(gy, gx, c) * (256 - wx) + grid(gy, gx + 1, c) * wx;
        const bottom = grid(gy + 1, gx, c) * (256 - wx) + grid(gy + 1, gx + 1, c) * wx;
        const value = (top * (256 - wy) + bottom * wy) >>> 16;
        const noise = (u(8, (y * size + x) * 3 + c) & 31) - 16;
        photo[(y * size + x) * 3 + c] = Math.min(255, Math.max(0, value + noise));
      }
    }
  }
  return photo;
}

/** The preprocessed input [3,H,W] of a seeded network. */
export function seededInput(name: SeededNetName): Float32Array {
  const { size, preparation } = nets[name];
  const photo = seededPhoto(size);
  const input = new Float32Array(3 * size * size);
  for (let c = 0; c < 3; c++) {
    for (let p = 0; p < size * size; p++) {
      const pixel = (channel: number): number => photo[p * 3 + channel]!;
      input[c * size * size + p] =
        preparation === "torchvision" ? (pixel(c) / 255 - mean[c]!) / std[c]! : pixel(2 - c) - caffeMean[c]!;
    }
  }
  return input;
}
