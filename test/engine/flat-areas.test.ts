import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { Algorithm } from "../../engine/layers/linear/winograd.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { fillValues } from "../cases/values.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const conv = (name: string, from: string, outChannels: number, taps = 3, group = 1) =>
  ({
    name,
    inputs: [from],
    op: "conv2d",
    outChannels,
    kernelShape: [taps, taps],
    pads: [taps >> 1, taps >> 1, taps >> 1, taps >> 1],
    group,
    weight: `${name}.weight`,
    bias: `${name}.bias`,
  }) as const;
const relu = (from: string) => ({ name: `${from}-relu`, inputs: [from], op: "relu" }) as const;
const pool = (name: string, from: string, size: number) =>
  ({ name, inputs: [from], op: "maxPool2d", kernelShape: [size, size], strides: [2, 2] }) as const;

// Every tile of Winograd's algorithm, with groups, each before a max pooling; windows that overlap and that do not.
const definition: NetworkDefinition = {
  name: "pools",
  inputShape: [3, 48, 48],
  nodes: [
    conv("first", "input", 16),
    relu("first"),
    conv("f4", "first-relu", 16),
    relu("f4"),
    pool("pool1", "f4-relu", 2),
    conv("f5", "pool1", 32, 5, 2),
    relu("f5"),
    pool("pool2", "f5-relu", 3),
    conv("f2", "pool2", 16),
    relu("f2"),
    pool("pool3", "f2-relu", 2),
    { name: "flatten", inputs: ["pool3"], op: "flatten" },
    { name: "head", inputs: ["flatten"], op: "dense", outFeatures: 4, weight: "head" },
  ],
  output: "head",
  preprocessing: plainPreprocessing,
};

function build(algorithm: Algorithm): Network {
  const network = new Network(testKernels(), definition, { algorithm });
  network.parameters.forEach(({ name, shape }, seed) => {
    const fanIn = Math.max(1, elementCount(shape.slice(1)));
    const values = fillValues(elementCount(shape), "uniform", seed);
    network.setRows(
      name,
      0,
      shape.length === 1 ? values.map((v) => 0.1 * v) : values.map((v) => v * Math.sqrt(6 / fanIn)),
    );
  });
  return network;
}

/** Pictures of one colour but for some rectangles of others, or of noise: products on white, drawings, saturated skies. */
function flatPicture(seed: number): Float32Array {
  const random = rng(seed);
  const [, height = 0, width = 0] = definition.inputShape;
  const draw = (count: number): Float32Array => random.f32(count);
  const picture = new Float32Array(3 * height * width).fill(1);
  const rectangles = 1 + Math.floor(4 * Math.abs(draw(1)[0]!));
  for (let k = 0; k < rectangles; k++) {
    const place = draw(5).map(Math.abs);
    const [top, left] = [Math.floor(place[0]! * 30), Math.floor(place[1]! * 30)];
    const [rows, columns] = [6 + Math.floor(place[2]! * 12), 6 + Math.floor(place[3]! * 12)];
    const isNoise = place[4]! < 0.5;
    const colour = draw(3);
    for (let c = 0; c < 3; c++) {
      for (let y = top; y < top + rows; y++) {
        const values = draw(columns);
        for (let x = 0; x < columns; x++)
          picture[(c * height + y) * width + left + x] = isNoise ? values[x]! : colour[c]!;
      }
    }
  }
  return picture;
}

function relativeL2(a: Float32Array, b: Float32Array): number {
  let [off, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    off += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(off / size);
}

suite("flat areas of a picture", (test) => {
  const [auto, direct] = [build("auto"), build("direct")];

  test("neighbours that read equal patches are equal, whatever the algorithm, and so are ties of max pooling", () => {
    // Rows of one colour each.
    const [, rows = 0, columns = 0] = definition.inputShape;
    const colours = fillValues(3 * rows, "uniform", 3);
    const picture = new Float32Array(3 * rows * columns).map((_, i) => colours[Math.floor(i / columns)]!);
    auto.forward(tensor(definition.inputShape, picture));
    for (const { layer } of auto.layers) {
      if (layer.node.op !== "conv2d") continue;
      const { shape, data } = auto.memory.readFeatureMap(layer.output);
      const [channels = 0, height = 0, width = 0] = shape;
      const middle = width >> 1;
      const reach = width >> 2; // paddings of all layers reach less far from the border
      for (let row = 0; row < channels * height; row++) {
        for (let x = middle - reach; x <= middle + reach; x++) {
          assert.is(data[row * width + x], data[row * width + middle], `${layer.name}, row ${row}, column ${x}`);
        }
      }
    }
  });

  test("relevance of 60 flat pictures is the direct algorithm's", () => {
    let far = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const picture = tensor(definition.inputShape, flatPicture(seed));
      auto.forward(picture);
      direct.forward(picture);
      const start = Float32Array.of(0, 1, 0, 0);
      for (const name of ["li2019", "epsilonPlus", "gradient"]) {
        const composite = compositeByName(name);
        const map = direct.relevancePlan(composite).run(start).relevance.data;
        const off = relativeL2(auto.relevancePlan(composite).run(start).relevance.data, map);
        // Values that are close without being equal still swap places by rounding, once in a while.
        if (off > 1e-4) far++;
      }
    }
    assert.ok(far <= 4, `${far} of 180 maps are far from the direct algorithm's`);
  });
});
