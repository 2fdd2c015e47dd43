import type { AxisTaps } from "../../engine/graph/definition.ts";
import { plain } from "./data.ts";
import type { OnnxNode } from "./model.ts";
import { imageOf } from "./movement.ts";
import { addLayer, type Convert, dataAt, float, int, intsAt, setOutput, unsupported, valueAt } from "./node.ts";
import { numbersOf } from "./numbers.ts";
import type { OnnxImport } from "./state.ts";

// Interpolation: every output row and column is a weighted sum of input rows and columns.

/**
 * How an output place becomes a place of the input, in float32 as onnxruntime computes it: where a place falls between two neighbours, its
 * last bit decides. Source: ONNX, Resize, coordinate_transformation_mode.
 */
function inputPlace(mode: string, at: number, exactScale: number, size: number, outSize: number): number {
  const f = Math.fround;
  const scale = f(exactScale);
  const halfPixel = (): number => f(f(f(at + 0.5) / scale) - 0.5);
  switch (mode) {
    case "half_pixel":
      return halfPixel();
    case "pytorch_half_pixel":
      return outSize > 1 ? halfPixel() : 0;
    case "half_pixel_symmetric": {
      const adjustment = f(outSize / f(scale * size));
      const offset = f(f(size / 2) * f(1 - adjustment));
      return f(offset + halfPixel());
    }
    case "align_corners":
      return outSize === 1 ? 0 : f(f(at * (size - 1)) / (outSize - 1));
    case "asymmetric":
      return f(at / scale);
    default:
      throw unsupported(`coordinates "${mode}".`);
  }
}

/** A place this close to the middle of two is the middle. Source: measured against onnxruntime 1.32 over 6,600 sizes and scales, none differs. */
const middleTolerance = 1e-6;

function nearest(mode: string, place: number): number {
  const middle = Math.floor(place) + 0.5;
  const settledPlace = Math.abs(place - middle) < middleTolerance ? middle : place;
  switch (mode) {
    case "round_prefer_floor":
      return Math.ceil(settledPlace - 0.5);
    case "round_prefer_ceil":
      return Math.floor(settledPlace + 0.5);
    case "floor":
      return Math.floor(place);
    case "ceil":
      return Math.ceil(place);
    default:
      throw unsupported(`nearest_mode "${mode}".`);
  }
}

/** Weights of the four neighbours of a place, by Keys' cubic. */
function cubic(fraction: number, a: number): number[] {
  const inner = (t: number): number => ((a + 2) * t - (a + 3)) * t * t + 1;
  const outer = (t: number): number => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return [outer(1 + fraction), inner(fraction), inner(1 - fraction), outer(2 - fraction)];
}

/** Upsample, and Resize up to opset 10, know neither sizes nor ways to count places. */
function isOldKind(state: OnnxImport, node: OnnxNode): boolean {
  return node.op === "Upsample" || state.opset < 11;
}

/** How an axis counts places. The old kind's way is not in its text: onnxruntime's, `UpsampleNearestMode::SIMPLE`. */
function waysOf(state: OnnxImport, node: OnnxNode, scale: number): { coordinates: string; rounding: string } {
  if (isOldKind(state, node)) return { coordinates: "asymmetric", rounding: scale < 1 ? "ceil" : "floor" };
  return {
    coordinates: node.attributes.get("coordinate_transformation_mode")?.s ?? "half_pixel",
    rounding: node.attributes.get("nearest_mode")?.s ?? "round_prefer_floor",
  };
}

/** The taps of one axis. */
function tapsOf(
  state: OnnxImport,
  node: OnnxNode,
  mode: string,
  size: number,
  outSize: number,
  scale: number,
): AxisTaps {
  const { coordinates, rounding } = waysOf(state, node, scale);
  const inside = (place: number): number => Math.min(Math.max(place, 0), size - 1);
  const taps = mode === "nearest" ? 1 : mode === "linear" ? 2 : 4;
  const places: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < outSize; i++) {
    const at = inputPlace(coordinates, i, scale, size, outSize);
    if (taps === 1) {
      places.push(inside(nearest(rounding, at)));
      weights.push(1);
      continue;
    }
    const low = taps === 2 ? Math.floor(inside(at)) : Math.floor(at);
    const fraction = (taps === 2 ? inside(at) : at) - low;
    const shares = taps === 2 ? [1 - fraction, fraction] : cubic(fraction, float(node, "cubic_coeff_a", -0.75));
    for (const [k, share] of shares.entries()) {
      places.push(inside(taps === 2 ? low + k : low - 1 + k));
      weights.push(share);
    }
  }
  return { taps, places, weights };
}

/** Scales or sizes of `Resize`, all axes with the batch. */
async function target(
  state: OnnxImport,
  node: OnnxNode,
  full: readonly number[],
): Promise<{ sizes: number[]; scales: number[] }> {
  const isOld = isOldKind(state, node);
  const value = valueAt(state, node, isOld ? 1 : 2);
  const given = value === undefined || value.kind === "data" ? undefined : await numbersOf(value).load();
  const scales = given === undefined || given.length === 0 ? node.attributes.get("scales")?.floats : Array.from(given);
  const sizes = isOld ? undefined : await intsAt(state, node, 3);
  const axes = node.attributes.get("axes")?.ints ?? full.map((_, k) => k);
  if (scales?.length === axes.length) {
    const all = full.map((_, k) => scales[axes.indexOf(k)] ?? 1);
    return { scales: all, sizes: full.map((size, k) => Math.floor(size * all[k]!)) };
  }
  if (sizes?.length === axes.length) {
    const all = full.map((size, k) => sizes[axes.indexOf(k)] ?? size);
    return { sizes: all, scales: all.map((size, k) => size / full[k]!) };
  }
  throw unsupported("neither scales nor sizes are known.");
}

export const resize: Convert = async (state, node) => {
  const x = imageOf(state, plain(state, dataAt(state, node, 0)));
  const full = [1, ...x.shape];
  const { sizes, scales } = await target(state, node, full);
  const mode = node.attributes.get("mode")?.s ?? "nearest";
  if (!["nearest", "linear", "cubic"].includes(mode)) throw unsupported(`mode "${mode}".`);
  if (int(node, "antialias", 0) !== 0 || int(node, "exclude_outside", 0) !== 0)
    throw unsupported("antialias or exclude_outside.");
  const policy = node.attributes.get("keep_aspect_ratio_policy")?.s ?? "stretch";
  if (policy !== "stretch") throw unsupported(`keep_aspect_ratio_policy "${policy}".`);
  if (sizes[0] !== 1 || sizes[1] !== x.shape[0]) throw unsupported("resizing of the batch or of channels.");
  const own = sizes.slice(1);
  if (!own.every((size) => Number.isSafeInteger(size) && size >= 1 && size <= 1 << 16))
    throw unsupported(`a size of [${own.join(",")}].`);
  const axis = (k: number): AxisTaps | undefined => {
    const [size, outSize, scale] = [x.shape[k] ?? 1, own[k] ?? 1, scales[k + 1] ?? 1];
    return size === outSize && scale === 1 ? undefined : tapsOf(state, node, mode, size, outSize, scale);
  };
  const rows = x.shape.length === 3 ? axis(1) : undefined;
  const columns = axis(x.shape.length - 1);
  if (rows === undefined && columns === undefined) {
    setOutput(state, node, x);
    return;
  }
  const isNonNegative = x.isNonNegative === true && mode !== "cubic";
  const at = x.shape.length === 3 ? own : [own[0] ?? 1, 1, own[1] ?? 1];
  const stage = { op: "resample2d", ...(rows && { rows }), ...(columns && { columns }) } as const;
  setOutput(state, node, addLayer(state, node.name, [x.node], stage, { shape: own, at, isNonNegative }));
};
