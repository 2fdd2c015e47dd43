import { ShapeError } from "../basics/errors.ts";
import type { Pads, Pair } from "./definition.ts";

/** Sliding-window geometry with every default filled in. */
export interface Window {
  readonly kernelShape: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly ceilMode: boolean;
}

/** The attributes that windows share; `strides` default to `defaultStrides`. */
export interface WindowAttributes {
  readonly kernelShape: Pair;
  readonly strides?: Pair;
  readonly pads?: Pads;
  readonly dilations?: Pair;
  readonly ceilMode?: boolean;
}

/**
 * Fills in defaults and checks the attributes.
 * @throws ShapeError when a size is not a positive integer or a pad not a non-negative one.
 */
export function windowOf(where: string, attributes: WindowAttributes): Window {
  const { kernelShape, strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], ceilMode = false } = attributes;
  const check = (name: string, values: readonly number[], count: number, least: number): void => {
    if (values.length !== count || !values.every((v) => Number.isSafeInteger(v) && v >= least && v < 2 ** 20)) {
      throw new ShapeError(
        `${where}: ${name} must be ${count} integers of at least ${least}, got [${values.join(",")}]. Correct the network definition.`,
      );
    }
  };
  check("kernelShape", kernelShape, 2, 1);
  check("strides", strides, 2, 1);
  check("dilations", dilations, 2, 1);
  check("pads", pads, 4, 0);
  return { kernelShape, strides, pads, dilations, ceilMode };
}

/** Positions of a window along one axis; ceil mode drops a window that starts beyond input and leading pad, as PyTorch. */
function outputLength(
  input: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation: number,
  ceil: boolean,
): number {
  const span = input + before + after - dilation * (kernel - 1) - 1;
  if (span < 0) return 0;
  if (!ceil) return Math.floor(span / stride) + 1;
  const count = Math.ceil(span / stride) + 1;
  return (count - 1) * stride >= input + before ? count - 1 : count;
}

/** Positions of a window along rows and columns; 0 where it does not fit into the padded input. */
export function windowPositions(window: Window, height: number, width: number): Pair {
  const { kernelShape, strides, pads, dilations, ceilMode } = window;
  return [
    outputLength(height, kernelShape[0], strides[0], pads[0], pads[2], dilations[0], ceilMode),
    outputLength(width, kernelShape[1], strides[1], pads[1], pads[3], dilations[1], ceilMode),
  ];
}

/**
 * The pads with which a window has ceil(size / stride) positions ("same" in TensorFlow, auto_pad in ONNX).
 * @param oddPad where the larger half of an odd total goes: TensorFlow and SAME_UPPER put it at the end
 */
export function samePads(
  { kernelShape, strides, dilations }: Omit<Window, "pads">,
  height: number,
  width: number,
  oddPad: "beginning" | "end",
): Pads {
  const split = (axis: 0 | 1, size: number): Pair => {
    const span = (kernelShape[axis] - 1) * dilations[axis] + 1;
    const total = Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + span - size);
    const smaller = Math.floor(total / 2);
    return oddPad === "end" ? [smaller, total - smaller] : [total - smaller, smaller];
  };
  const [top, bottom] = split(0, height);
  const [left, right] = split(1, width);
  return [top, left, bottom, right];
}

/**
 * Height and width of a window's output.
 * @throws ShapeError when the window does not fit into the padded input.
 */
export function outputSize(where: string, window: Window, height: number, width: number): Pair {
  const { kernelShape, pads, dilations } = window;
  const [h, w] = windowPositions(window, height, width);
  if (h < 1 || w < 1) {
    throw new ShapeError(
      `${where}: the window [${kernelShape.join(",")}] (dilations [${dilations.join(",")}]) does not fit into its input of ${height}x${width} with pads [${pads.join(",")}]. Use a larger input or correct the network definition.`,
    );
  }
  return [h, w];
}
