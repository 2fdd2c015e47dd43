import { isHoldable, sameShape } from "../../engine/basics/tensor.ts";
import { plain, taken, withPads } from "./data.ts";
import { axisOf, type Convert, dataAt, intsAt, scalarAt, setOutput, unsupported } from "./node.ts";

/** Where a pad of this mode takes its places from, along one axis. */
function padPlaces(mode: string, size: number, before: number, after: number): number[] {
  if (!isHoldable([1, size + before + after, 1])) throw unsupported(`padding of ${size} to ${size + before + after}.`);
  return Array.from({ length: size + before + after }, (_, i) => {
    const at = i - before;
    if (at >= 0 && at < size) return at;
    if (mode === "constant") return -1;
    if (mode === "edge") return at < 0 ? 0 : size - 1;
    if (mode === "wrap") return ((at % size) + size) % size;
    // reflect: the edge is not repeated
    const period = Math.max(1, 2 * (size - 1));
    const folded = ((at % period) + period) % period;
    return folded < size ? folded : period - folded;
  });
}

export const pad: Convert = async (state, node) => {
  const x = dataAt(state, node, 0);
  const mode = node.attributes.get("mode")?.s ?? "constant";
  if (!["constant", "edge", "reflect", "wrap"].includes(mode)) throw unsupported(`mode "${mode}".`);
  const fill = (await scalarAt(state, node, 2, "value")) ?? 0;
  const numbers = (await intsAt(state, node, 1, "pads")) ?? [];
  const rank = x.shape.length + 1;
  const axes = (await intsAt(state, node, 3)) ?? Array.from({ length: rank }, (_, i) => i);
  const begins = Array<number>(rank).fill(0);
  const ends = Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    begins[axisOf(axis, x.shape)] = numbers[i] ?? 0;
    ends[axisOf(axis, x.shape)] = numbers[i + axes.length] ?? 0;
  }
  const all = [...begins, ...ends];
  if (numbers.length !== 2 * axes.length || !all.every((n) => Number.isSafeInteger(n) && Math.abs(n) <= 1 << 20)) {
    throw unsupported(`pads [${numbers.join(",")}] must be two integers per axis.`);
  }
  if (begins[0] || ends[0]) throw unsupported("padding of the batch.");
  const grows = all.some((n) => n > 0);
  const isSpatial = rank === 4 && sameShape(x.at, x.shape) && x.order === undefined && !begins[1] && !ends[1];
  const isLowest = mode === "constant" && grows && fill <= -3e38;
  if (isSpatial && mode === "constant" && all.every((n) => n >= 0) && grows && (fill === 0 || isLowest)) {
    const pads = [begins[2] ?? 0, begins[3] ?? 0, ends[2] ?? 0, ends[3] ?? 0] as const;
    const isPlain = (x.padsWith === "lowest") === isLowest || x.pads === undefined;
    setOutput(state, node, withPads(isPlain ? x : plain(state, x), pads, isLowest ? "lowest" : undefined));
    return;
  }
  if (!Number.isFinite(fill)) throw unsupported(`padding with ${fill}.`);
  let value = x;
  for (const [k, size] of x.shape.entries()) {
    const [before = 0, after = 0] = [begins[k + 1], ends[k + 1]];
    if (mode === "reflect" && (before >= size || after >= size))
      throw unsupported(`a reflection of ${before}, ${after} beyond ${size}.`);
    const places = padPlaces(mode, size, Math.max(0, before), Math.max(0, after));
    // Negative pads cut away.
    const kept = places.slice(Math.max(0, -before), places.length - Math.max(0, -after));
    value = taken(state, node.name, value, k, kept, mode === "constant" ? fill : 0);
  }
  setOutput(state, node, value);
};
