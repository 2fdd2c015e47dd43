import type { Shape } from "../basics/tensor.ts";
import type { ActivationFunction } from "./activation-functions.ts";

/** Zeros (or, for max pooling, ignored positions) added around an image: top, left, bottom, right, as ONNX orders them. */
export type Pads = readonly [top: number, left: number, bottom: number, right: number];

/** Vertical and horizontal size, stride or dilation. */
export type Pair = readonly [height: number, width: number];

/**
 * Cross-correlation with weights [outChannels, C/group, kh, kw] (OIHW) and an optional bias [outChannels].
 *   y[m,oy,ox] = bias[m] + sum over c,i,j of w[m,c,i,j] * x[g*C/group + c, oy*sh - top + i*dh, ox*sw - left + j*dw]
 */
export interface Conv2dNode {
  readonly op: "conv2d";
  readonly outChannels: number;
  readonly kernelShape: Pair;
  readonly strides?: Pair;
  readonly pads?: Pads;
  readonly dilations?: Pair;
  readonly group?: number;
  readonly weight: string;
  readonly bias?: string;
}

/** y = W x + b with W [outFeatures, inFeatures]; the input must be a vector ([F]) or [F,1,1]. */
export interface DenseNode {
  readonly op: "dense";
  readonly outFeatures: number;
  readonly weight: string;
  readonly bias?: string;
}

/** Largest value of each window; padding never wins. Dilated windows and ceil mode as in PyTorch; strides default to 1, as in ONNX. */
export interface MaxPool2dNode {
  readonly op: "maxPool2d";
  readonly kernelShape: Pair;
  readonly strides?: Pair;
  readonly pads?: Pads;
  readonly dilations?: Pair;
  /** Round the output size up. A window that would start beyond input and leading pad is dropped, as in PyTorch. */
  readonly ceilMode?: boolean;
}

/** Mean of each window, over the window's positions inside the image or, with countIncludePad, inside image and pads. */
export interface AveragePool2dNode {
  readonly op: "averagePool2d";
  readonly kernelShape: Pair;
  readonly strides?: Pair;
  readonly pads?: Pads;
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
}

/** Mean (or maximum) over the whole image, [C,H,W] -> [C,1,1]. */
export type GlobalPool2dNode = { readonly op: "globalAveragePool2d" } | { readonly op: "globalMaxPool2d" };

/**
 * Local response normalisation, Caffe semantics: alpha is divided by the number of summed positions.
 *   y = x * (bias + alpha / n * sum of x^2)^-beta
 * acrossChannels: the sum runs over `size` neighbouring channels, n = size (Krizhevsky et al. 2012, section 3.3).
 * withinChannel: over a size x size square of the same channel, n = size^2. Odd `size` only.
 */
export interface LrnNode {
  readonly op: "lrn";
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly region?: "acrossChannels" | "withinChannel";
}

/**
 * Inference-mode batch normalisation, y = scale * (x - mean) / sqrt(variance + epsilon) + bias, all vectors [C].
 * Folded into the convolution or dense layer before it; where there is none it becomes a 1x1 depthwise convolution.
 */
export interface BatchNormNode {
  readonly op: "batchNorm";
  readonly epsilon: number;
  readonly scale?: string;
  readonly bias?: string;
  readonly mean: string;
  readonly variance: string;
}

/** Elementwise functions. leakyRelu: x < 0 ? slope*x : x. clip: min(max(x, low), high); ReLU6 is clip(0, 6). */
export type ActivationNode =
  | { readonly op: "relu" }
  | { readonly op: "leakyRelu"; readonly slope: number }
  | { readonly op: "clip"; readonly low: number; readonly high: number };

/** One of the functions above at every value. A sigmoid that ends a network makes probabilities: relevance starts from its input. */
export interface FunctionNode {
  readonly op: "activation";
  readonly function: ActivationFunction;
  readonly alpha?: number;
  readonly beta?: number;
}

/** x where x >= 0, slope[c] * x elsewhere; slope a vector [C]. */
export interface PreluNode {
  readonly op: "prelu";
  readonly slope: string;
}

/**
 * Product of two inputs; along an axis where one of them is one long it is repeated. `gate`: the input (0 or 1) that only scales the
 * other, as in squeeze-and-excitation; without it the smaller input, or the second of equals.
 */
export interface MultiplyNode {
  readonly op: "multiply";
  readonly gate?: number;
}

/** The largest, or smallest, value of inputs of one shape. */
export interface ExtremumNode {
  readonly op: "extremum";
  readonly of: "maximum" | "minimum";
}

/**
 * Values by their place along each axis: y[c, y, x] = x[channels[c], rows[y], columns[x]]; -1 stands for `fill` (0); an axis without a
 * list stays. Crops, strides, flips, repeats, and pads of every mode.
 */
export interface TakeNode {
  readonly op: "take";
  readonly channels?: readonly number[];
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
  readonly fill?: number;
}

/** Seen as `view`, with its axes in the order `order`, written as `shape`: transpositions, channel shuffle, depth to space. */
export interface PermuteNode {
  readonly op: "permute";
  readonly view: Shape;
  readonly order: readonly number[];
  readonly shape: Shape;
}

/** Which input places an output place along one axis is a weighted sum of: `taps` of them each, [out, taps] in C order, -1 for none. */
export interface AxisTaps {
  readonly taps: number;
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** Weighted sums over rows and columns: interpolation, means over windows of uneven size. An axis without taps stays. */
export interface ResampleNode {
  readonly op: "resample2d";
  readonly rows?: AxisTaps;
  readonly columns?: AxisTaps;
}

/**
 * (x - mean) / sqrt(mean of (x - mean)^2 + epsilon), the means over a set of values: `channels` neighbouring channels, at each pixel or
 * (`overPixels`) over all of them. Instance norm: 1 channel over pixels; group norm: C / groups over pixels; layer norm over channels:
 * C at each pixel. Without `centre` the mean is not taken away (RMS norm). Scale and bias are a batch norm behind it.
 */
export interface NormaliseNode {
  readonly op: "normalise";
  readonly channels: number;
  readonly overPixels: boolean;
  readonly centre: boolean;
  readonly epsilon: number;
}

/** Joins inputs along the channels, adds inputs of one shape, or changes nothing but the shape. */
export type StructureNode =
  | { readonly op: "concat" }
  | {
      readonly op: "add";
      /** Which input is the signal, where the others are only offsets: it takes all the relevance. Default: all are. */
      readonly signal?: number;
    }
  /** [C,H,W] -> [C*H*W] in C,H,W order. */
  | { readonly op: "flatten" }
  /** To `shape` (one size may be -1), element order C,H,W. */
  | { readonly op: "reshape"; readonly shape: Shape }
  /** Nothing at inference. */
  | { readonly op: "dropout" }
  | { readonly op: "identity" }
  /** Over the channels. Its input, not its output, is what relevance starts from when it ends the network. */
  | { readonly op: "softmax" };

/** One layer: what it is, how it is called, and whose outputs it reads (node names, or `input`). */
export type NodeDefinition = { readonly name: string; readonly inputs: readonly string[] } & (
  | Conv2dNode
  | DenseNode
  | MaxPool2dNode
  | AveragePool2dNode
  | GlobalPool2dNode
  | LrnNode
  | BatchNormNode
  | ActivationNode
  | FunctionNode
  | PreluNode
  | MultiplyNode
  | ExtremumNode
  | TakeNode
  | PermuteNode
  | ResampleNode
  | NormaliseNode
  | StructureNode
);

/** A layer kind. */
export type Op = NodeDefinition["op"];

type WithoutWiring<T> = T extends unknown ? Omit<T, "name" | "inputs"> : never;

/** A node without its name and inputs: what it does, not where it stands. */
export type Stage = WithoutWiring<NodeDefinition>;

/**
 * How photos become the network's input, as its weights were trained: resize (antialiased bilinear, 8-bit, as Pillow), then
 * centre crop to the input size, then (pixel * scale - mean[c]) / std[c] with channels in `channelOrder`.
 */
export interface Preprocessing {
  /**
   * "shorter": the shorter side becomes `resizeTo`, aspect kept. "squash": both sides do. "fit": the photo is squashed to the network's
   * own height and width. "none": the photo must fit already.
   */
  readonly resize: "shorter" | "squash" | "fit" | "none";
  readonly resizeTo: number;
  /** "gray": one channel, (19595 R + 38470 G + 7471 B + 2^15) / 2^16 as Pillow's mode L. */
  readonly channelOrder: "rgb" | "bgr" | "gray";
  /** Multiplies the 0..255 pixel value. */
  readonly scale: number;
  /** In channelOrder, after `scale`. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A network as data: its graph, the names of its parameters in weight files, and the preprocessing its weights expect. */
export interface NetworkDefinition {
  readonly name: string;
  /** [C,H,W] of the node called `input`. */
  readonly inputShape: Shape;
  /** In any order; must form a directed acyclic graph. */
  readonly nodes: readonly NodeDefinition[];
  /** Node whose output is the network's output; a trailing softmax is evaluated for probabilities only. */
  readonly output: string;
  /** True where the file that the network is from takes [H,W,C]: tensors of that order are then taken too. */
  readonly takesChannelsLast?: boolean;
  /** Absent where nobody says it: then the network takes tensors, no photos. */
  readonly preprocessing?: Preprocessing;
  /** Class names by index, where they are known. */
  readonly labels?: readonly string[];
}
