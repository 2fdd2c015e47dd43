import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, sameShape } from "../../engine/basics/tensor.ts";
import type { AxisTaps } from "../../engine/graph/definition.ts";
import { affine } from "./affine.ts";
import {
  type Convert,
  checkLastAxis,
  image,
  inKerasOrder,
  inputOf,
  type Layer,
  margins,
  number,
  pair,
  plain,
  type State,
  targetOf,
  type Value,
} from "./state.ts";

// Layers that join, cut or reorder values, and those that do nothing at inference.

const passOn: Convert = (_state, _layer, inputs) => inputOf(inputs);

const flatten: Convert = (state, layer, inputs) => {
  const x = plain(state, inputOf(inputs));
  if (x.shape.length === 1) return x;
  const node = state.add(layer.name, [x.node], { op: "flatten" });
  return { node, shape: [elementCount(x.shape)], parts: [x.shape] };
};

const zeroPadding: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const pads = margins(layer.config, "padding");
  const [top, left, bottom, right] = pads;
  const [channels = 0, height = 0, width = 0] = x.shape;
  return { ...x, shape: [channels, height + top + bottom, width + left + right], pads };
};

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

function taken(state: State, name: string, x: Value, rows: readonly number[], columns: readonly number[]): Value {
  if (rows.length === 0 || columns.length === 0) throw new UnsupportedError("nothing of the image would be left.");
  const node = state.add(name, [x.node], { op: "take", rows, columns });
  return { node, shape: [x.shape[0] ?? 0, rows.length, columns.length] };
}

const cropping: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const [top, left, bottom, right] = margins(layer.config, "cropping");
  const [, height = 0, width = 0] = x.shape;
  return taken(state, layer.name, x, range(top, height - bottom), range(left, width - right));
};

const centerCrop: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const [rows, columns] = pair({ size: [layer.config["height"], layer.config["width"]] }, "size", [1, 1]);
  const [, height = 0, width = 0] = x.shape;
  if (rows > height || columns > width) throw new UnsupportedError("a crop that is larger than the image.");
  const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)];
  return taken(state, layer.name, x, range(top, top + rows), range(left, left + columns));
};

/** Two taps for each place: linear between the centres of the source's pixels, as tf.image.resize without antialias. */
function linearTaps(from: number, to: number): AxisTaps {
  const places: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(Math.floor(at), from - 1);
    const share = Math.min(at, from - 1) - low;
    places.push(low, Math.min(low + 1, from - 1));
    weights.push(1 - share, share);
  }
  return { taps: 2, places, weights };
}

function resized(state: State, name: string, x: Value, size: readonly [number, number], how: unknown): Value {
  const [channels = 0, height = 0, width = 0] = x.shape;
  const [rows, columns] = size;
  if (rows === height && columns === width) return x;
  if (how === "nearest") {
    const nearest = (from: number, to: number): number[] =>
      range(0, to).map((i) => Math.min(from - 1, Math.floor(((i + 0.5) * from) / to)));
    return taken(state, name, x, nearest(height, rows), nearest(width, columns));
  }
  if (how !== "bilinear") throw new UnsupportedError(`interpolation "${String(how)}".`);
  const stage = { op: "resample2d", rows: linearTaps(height, rows), columns: linearTaps(width, columns) } as const;
  return { node: state.add(name, [x.node], stage), shape: [channels, rows, columns] };
}

const upSampling: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const [vertical, horizontal] = pair(layer.config, "size", [2, 2]);
  const [, height = 0, width = 0] = x.shape;
  const size = [height * vertical, width * horizontal] as const;
  return resized(state, layer.name, x, size, layer.config["interpolation"] ?? "nearest");
};

const resizing: Convert = (state, layer, inputs) => {
  const x = plain(state, image(inputs[0]));
  const { config } = layer;
  if (
    config["crop_to_aspect_ratio"] === true ||
    config["pad_to_aspect_ratio"] === true ||
    config["antialias"] === true
  ) {
    throw new UnsupportedError("resizing that crops, pads or smooths.");
  }
  const size = pair({ size: [config["height"], config["width"]] }, "size", [1, 1]);
  return resized(state, layer.name, x, size, config["interpolation"] ?? "bilinear");
};

/** Axes exchanged: Keras counts rows, columns and channels from 1; a signal's are its length and its channels. */
const permute: Convert = (state, layer, inputs) => {
  const x = plain(state, inputOf(inputs));
  const given = layer.config["dims"];
  const dims: unknown[] = Array.isArray(given) ? given : [];
  const rank = x.isSignal === true ? 2 : x.shape.length;
  if (dims.toSorted().join() !== range(1, rank + 1).join())
    throw new UnsupportedError(`the axes [${dims.join(",")}] of ${rank}.`);
  const [rows, columns, channels] = (rank === 3 ? dims : [1, ...dims.map((axis) => Number(axis) + 1)]).map(Number);
  if (rank === 1 || rows === undefined || columns === undefined || channels === undefined) return x;
  const order = [channels, rows, columns].map((axis) => axis % 3); // of [C,H,W]
  if (order.join() === "0,1,2") return x;
  const shape = order.map((axis) => x.shape[axis] ?? 1);
  return { node: state.add(layer.name, [x.node], { op: "permute", view: x.shape, order, shape }), shape };
};

/** To a vector or an image, in Keras' order of values. */
const reshape: Convert = (state, layer, inputs) => {
  const x = plain(state, inputOf(inputs));
  const sizes = targetOf(layer.config).map(Number);
  const open = sizes.indexOf(-1);
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(x.shape) / known;
  if (elementCount(sizes) !== elementCount(x.shape) || !sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new UnsupportedError(`[${x.shape.join(",")}] cannot become [${sizes.join(",")}].`);
  }
  if (sizes.length === 1) return flatten(state, layer, [x]);
  const [height = 0, width = 0, channels = 0] = sizes.length === 2 ? [1, ...sizes] : sizes;
  if (sizes.length > 3) throw new UnsupportedError(`a target of ${sizes.length} axes.`);
  const shape = [channels, height, width];
  const kind = { isSignal: sizes.length === 2 };
  const [part] = x.parts ?? [];
  if (sameShape(x.shape, shape)) return { ...x, ...kind };
  if (x.parts?.length === 1 && part !== undefined && sameShape(part, shape)) {
    return { node: state.add(layer.name, [x.node], { op: "reshape", shape }), shape, ...kind }; // back to the image that was flattened
  }
  const vector = inKerasOrder(
    state,
    x.shape.length === 1 ? x : flatten(state, { ...layer, name: `${layer.name}.flat` }, [x]),
  );
  const stage = { op: "permute", view: [height, width, channels], order: [2, 0, 1], shape } as const;
  return { node: state.add(layer.name, [vector.node], stage), shape, ...kind };
};

const concatenate: Convert = (state, layer, inputs) => {
  const all = inputs.map((value) => plain(state, value));
  const first = inputOf(all);
  checkLastAxis(layer.config, first);
  if (
    !all.every(({ shape }) => sameShape(shape.slice(1), first.shape.slice(1)) && shape.length === first.shape.length)
  ) {
    throw new UnsupportedError(`the shapes ${all.map(({ shape }) => formatShape(shape)).join(" and ")} differ.`);
  }
  const channels = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const node = state.add(
    layer.name,
    all.map((value) => value.node),
    { op: "concat" },
  );
  const parts = all.some((value) => value.parts !== undefined)
    ? { parts: all.flatMap((value) => value.parts ?? [value.shape]) }
    : {};
  return { node, shape: [channels, ...first.shape.slice(1)], ...parts };
};

/** Values of one shape, and one order; a vector beside images counts for each of their pixels. */
function alike(state: State, layer: Layer, inputs: readonly Value[]): Value[] {
  const all = inputs.map((value) => plain(state, value));
  const rank = Math.max(...all.map(({ shape }) => shape.length));
  const same = (a: Value, b: Value): boolean => JSON.stringify(a.parts) === JSON.stringify(b.parts);
  const first = inputOf(all);
  const ordered = all.every((value) => same(value, first)) ? all : all.map((value) => inKerasOrder(state, value));
  return ordered.map((value, i) => {
    if (value.shape.length === rank) return value;
    const shape = [...value.shape, 1, 1];
    return { node: state.add(`${layer.name}.input${i}`, [value.node], { op: "reshape", shape }), shape };
  });
}

function checkSame(all: readonly Value[]): void {
  if (all.every(({ shape }) => sameShape(shape, all[0]?.shape ?? []))) return;
  throw new UnsupportedError(`the shapes ${all.map(({ shape }) => formatShape(shape)).join(" and ")} differ.`);
}

function scaled(state: State, name: string, x: Value, factor: number): Value {
  const [length = 0] = x.shape;
  const stage = affine(state, name, length, { scale: new Float32Array(length).fill(factor) });
  return { ...x, node: state.add(name, [x.node], stage) };
}

function sum(state: State, name: string, all: readonly Value[]): Value {
  checkSame(all);
  const node = state.add(
    name,
    all.map((value) => value.node),
    { op: "add" },
  );
  return { ...inputOf(all), node };
}

const add: Convert = (state, layer, inputs) => sum(state, layer.name, alike(state, layer, inputs));

const average: Convert = (state, layer, inputs) =>
  scaled(state, layer.name, sum(state, `${layer.name}.sum`, alike(state, layer, inputs)), 1 / inputs.length);

const subtract: Convert = (state, layer, inputs) => {
  const [a, b] = alike(state, layer, inputs);
  if (a === undefined || b === undefined) throw new UnsupportedError("it needs two inputs.");
  return sum(state, layer.name, [a, scaled(state, `${layer.name}.negative`, b, -1)]);
};

/** a + scale b, a layer of keras.applications.InceptionResNetV2. */
const scaledSum: Convert = (state, layer, inputs) => {
  const [a, b] = alike(state, layer, inputs);
  if (a === undefined || b === undefined) throw new UnsupportedError("it needs two inputs.");
  const part = scaled(state, `${layer.name}.scaled`, b, number(layer.config, "scale", 1));
  return sum(state, layer.name, [a, part]);
};

function extremum(of: "maximum" | "minimum"): Convert {
  return (state, layer, inputs) => {
    const all = alike(state, layer, inputs);
    checkSame(all);
    const node = state.add(
      layer.name,
      all.map((value) => value.node),
      { op: "extremum", of },
    );
    return { ...inputOf(all), node };
  };
}

const multiply: Convert = (state, layer, inputs) => {
  const [first, ...rest] = alike(state, layer, inputs);
  if (first === undefined || rest.length === 0) throw new UnsupportedError("it needs two inputs.");
  return rest.reduce((product, factor, i): Value => {
    const fits = factor.shape.every(
      (size, axis) => size === product.shape[axis] || size === 1 || product.shape[axis] === 1,
    );
    if (!fits) checkSame([product, factor]);
    const name = i === rest.length - 1 ? layer.name : `${layer.name}.${i}`;
    const shape = factor.shape.map((size, axis) => Math.max(size, product.shape[axis] ?? 1));
    const node = state.add(name, [product.node, factor.node], { op: "multiply" });
    return product.parts === undefined ? { node, shape } : { node, shape, parts: product.parts };
  }, first);
};

/** What does nothing once a network is trained. */
const trainingOnly = [
  "ActivityRegularization",
  "AlphaDropout",
  "Dropout",
  "GaussianDropout",
  "GaussianNoise",
  "RandomBrightness",
  "RandomContrast",
  "RandomFlip",
  "RandomHeight",
  "RandomRotation",
  "RandomTranslation",
  "RandomWidth",
  "RandomZoom",
  "SpatialDropout2D",
];

/** Layers of shapes and places by their Keras names. */
export const shapeConverters: Readonly<Record<string, Convert>> = {
  ...Object.fromEntries(trainingOnly.map((name) => [name, passOn])),
  Add: add,
  Average: average,
  CenterCrop: centerCrop,
  Concatenate: concatenate,
  Cropping2D: cropping,
  CustomScaleLayer: scaledSum,
  "Custom>CustomScaleLayer": scaledSum,
  Flatten: flatten,
  Maximum: extremum("maximum"),
  Minimum: extremum("minimum"),
  Multiply: multiply,
  Permute: permute,
  Reshape: reshape,
  Resizing: resizing,
  Subtract: subtract,
  UpSampling2D: upSampling,
  ZeroPadding2D: zeroPadding,
};
