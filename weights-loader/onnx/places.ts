import type { Shape } from "../../engine/basics/tensor.ts";
import type { OnnxNode } from "./model.ts";
import { intsAt, unsupported } from "./node.ts";
import type { OnnxImport } from "./state.ts";

/** The places that `Slice` keeps, axis by axis; `shape` has all axes that the node counts. */
export async function slicePlaces(
  state: OnnxImport,
  node: OnnxNode,
  shape: Shape,
): Promise<{ axis: number; places: number[] }[]> {
  const starts = (await intsAt(state, node, 1, "starts")) ?? [];
  const ends = (await intsAt(state, node, 2, "ends")) ?? [];
  const axes = (await intsAt(state, node, 3, "axes")) ?? starts.map((_, k) => k);
  const steps = (await intsAt(state, node, 4, "steps")) ?? starts.map(() => 1);
  if ([starts, ends, steps].some(({ length }) => length !== axes.length)) {
    throw unsupported(
      `starts [${starts.join(",")}], ends [${ends.join(",")}], steps [${steps.join(",")}] must have one number for each of the axes [${axes.join(",")}].`,
    );
  }
  return axes.map((given, k) => {
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis];
    const [start, end, step] = [starts[k], ends[k], steps[k]];
    if (size === undefined || start === undefined || end === undefined || step === undefined || step === 0) {
      throw unsupported(
        `starts [${starts.join(",")}], ends [${ends.join(",")}], axes [${axes.join(",")}] of [${shape.join(",")}].`,
      );
    }
    const inside = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, step > 0 ? 0 : -1), size);
    const places: number[] = [];
    const from = Math.min(inside(start), step > 0 ? size : size - 1);
    // An end far below 0 stands for before the first place.
    const to = step < 0 && end < -size ? -1 : inside(end);
    for (let at = from; step > 0 ? at < to : at > to; at += step) places.push(at);
    return { axis, places };
  });
}

/** The sizes of `Split`'s parts. */
export async function splitSizes(state: OnnxImport, node: OnnxNode, size: number): Promise<readonly number[]> {
  const given = await intsAt(state, node, 1, "split");
  const count = node.outputs.length;
  if (given !== undefined) {
    if (given.reduce((sum, n) => sum + n, 0) !== size)
      throw unsupported(`parts of [${given.join(",")}] out of ${size}.`);
    return given;
  }
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
}
