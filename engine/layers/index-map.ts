import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, stridesOf } from "../basics/tensor.ts";
import { type FeatureMap, imageSize } from "../memory/feature-map.ts";
import { type Construction, type LayerKind, type LayerRuntime, type NodeOf, noParameters } from "./layer-kind.ts";
import { bookTheRest } from "./ledger.ts";

// Layers that move values. Relevance takes the way back; what stood for a constant has none of the input's.

/** For each output value, in C,H,W order: which input value, in C,H,W order, or -1 for the constant. */
type Source = (channel: number, row: number, column: number) => number;

/** Calls `place` with every output value's address in NHWC order and its source's offset in `x`, in elements, or -1. */
function placesIn(x: FeatureMap, y: FeatureMap, source: Source, target: Int32Array): void {
  const area = x.height * x.width;
  let k = 0;
  for (let row = 0; row < y.height; row++) {
    for (let column = 0; column < y.width; column++) {
      for (let channel = 0; channel < y.channels; channel++) {
        const from = source(channel, row, column);
        const [pixel, c] = [from % area, Math.floor(from / area)];
        target[k++] = from < 0 ? -1 : Math.floor(pixel / x.width) * x.rowStride + (pixel % x.width) * x.pixelStride + c;
      }
    }
  }
}

/** From this many outputs for each input on relevance is summed in double: float32 sums of 256 are 1e-6 off, and differences of them more. */
const repeatsInDouble = 16;

function buildMap({ kernels, inputs, output: y }: Construction, source: Source, fill: number): LayerRuntime {
  const { split, call, arena } = kernels;
  const x = mustHave(inputs[0], "input");
  const count = y.height * y.width * y.channels;
  const index = arena.reserve(4 * count);
  placesIn(x, y, source, arena.i32(index, count));
  return {
    forward() {
      split("gatherForward", y.height, y.address, y.rowStride, x.address, index, y.width * y.channels, fill);
    },
    ruleName: () => "pass",
    prepareRelevance({ relevance: r, inputRelevance }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      // Relevance has no border: where the input has one, the places differ.
      const isSame = x.rowStride === dx.rowStride && x.pixelStride === dx.pixelStride;
      const back = isSame ? index : arena.reserve(4 * count);
      if (!isSame) placesIn(dx, y, source, arena.i32(back, count));
      const size = dx.height * dx.rowStride;
      const isRepeated = count >= repeatsInDouble * size;
      return {
        scratchBytes: isRepeated ? [8 * size] : [],
        run([sums]) {
          if (isRepeated) {
            const at = mustHave(sums, "address of scratch memory");
            call.gatherBackwardSums(dx.address, at, r.address, back, count, size);
            return bookTheRest;
          }
          split("fill", size, dx.address, 0);
          call.gatherBackward(dx.address, r.address, back, 0, count);
          return bookTheRest; // the constant's
        },
      };
    },
  };
}

/** What both have in common. */
const mover = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
} as const;

type Axis = "channels" | "rows" | "columns";
const axes: readonly Axis[] = ["channels", "rows", "columns"];

/** The list of an axis, or that of all its places. */
function placesOf(node: NodeOf<"take">, axis: Axis, length: number): readonly number[] {
  const where = `take "${node.name}"`;
  const places = node[axis] ?? Array.from({ length }, (_, i) => i);
  const wrong = places.find((place) => !Number.isSafeInteger(place) || place < -1 || place >= length);
  if (wrong !== undefined || places.length === 0) {
    throw new ShapeError(
      `${where}: ${axis} must be places of 0 to ${length - 1}, or -1, got ${wrong ?? "none"}. Correct the network definition.`,
    );
  }
  return places;
}

/** Values by their place along each axis. */
export const take: LayerKind<"take"> = {
  ...mover,
  sign: (node) => ((node.fill ?? 0) >= 0 ? "keeps" : "any"),
  inputVanishing: () => "withOutput",
  bounds({ channels, rows, columns, fill = 0 }, inputs) {
    const x = mustHave(inputs[0], "bounds");
    const isFilled = [rows, columns].some((places) => places?.includes(-1));
    const of = (bounds: readonly number[], extreme: (a: number, b: number) => number): number[] =>
      (channels ?? bounds.map((_, c) => c)).map((c) => {
        const own = c < 0 ? fill : mustHave(bounds[c], "bound");
        return isFilled ? extreme(own, fill) : own;
      });
    return { low: of(x.low, Math.min), high: of(x.high, Math.max) };
  },
  outputShape(node, inputs) {
    const input = mustHave(inputs[0], "input");
    if (node.fill !== undefined && !Number.isFinite(node.fill)) {
      throw new ShapeError(`take "${node.name}": fill must be a finite number, got ${node.fill}.`);
    }
    return input.map((size, axis) => placesOf(node, mustHave(axes[axis], "axis"), size).length);
  },
  build(construction, node) {
    const { channels, height, width } = imageSize(mustHave(construction.inputShapes[0], "input"));
    const from = [
      placesOf(node, "channels", channels),
      placesOf(node, "rows", height),
      placesOf(node, "columns", width),
    ] as const;
    const source: Source = (channel, row, column) => {
      const [c, y, x] = [from[0][channel]!, from[1][row]!, from[2][column]!]; // within the output's shape
      return c < 0 || y < 0 || x < 0 ? -1 : (c * height + y) * width + x;
    };
    return buildMap(construction, source, node.fill ?? 0);
  },
};

/** Elements in another order. */
export const permute: LayerKind<"permute"> = {
  ...mover,
  sign: () => "keeps",
  inputVanishing: () => "withOutput",
  outputShape(node, inputs) {
    const { view, order, shape } = node;
    const count = elementCount(mustHave(inputs[0], "input"));
    const isOrder = [...order].sort((a, b) => a - b).every((axis, i) => axis === i) && order.length === view.length;
    const isShape = shape.length === 1 || shape.length === 3;
    if (!isOrder || !isShape || elementCount(view) !== count || elementCount(shape) !== count) {
      throw new ShapeError(
        `permute "${node.name}": view ${formatShape(view)}, order [${order.join(",")}] and shape ${formatShape(shape)} do not fit an input of ${count} elements.`,
      );
    }
    return shape;
  },
  build(construction, { view, order }) {
    const { height, width } = imageSize(construction.outputShape);
    const strides = stridesOf(view);
    // Axes of the output, last first: their sizes, and how far a step along each goes in the input.
    const steps = [...order].reverse().map((axis) => [view[axis]!, strides[axis]!] as const); // checked above
    const source: Source = (channel, row, column) => {
      let rest = (channel * height + row) * width + column;
      let at = 0;
      for (const [size, stride] of steps) {
        at += (rest % size) * stride;
        rest = Math.floor(rest / size);
      }
      return at;
    };
    return buildMap(construction, source, 0);
  },
};
