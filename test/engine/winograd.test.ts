import * as assert from "uvu/assert";
import { compositeByName } from "../../engine/composites.ts";
import type { NetworkDefinition } from "../../engine/graph.ts";
import { Network } from "../../engine/network.ts";
import { elementCount, tensor } from "../../engine/tensor.ts";
import { type Algorithm, winogradTile } from "../../engine/winograd.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { fillValues } from "../cases/values.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

const conv = (name: string, from: string, outChannels: number, pad: number, group = 1) =>
  ({
    name,
    inputs: [from],
    op: "conv2d",
    outChannels,
    kernelShape: [3, 3],
    pads: [pad, pad, pad, pad],
    group,
    weight: `${name}.weight`,
    bias: `${name}.bias`,
  }) as const;

// F(4x4) and F(2x2) forward, groups, pads 0 to 2, a pooled and a direct layer between.
const definition: NetworkDefinition = {
  name: "winograd",
  inputShape: [16, 21, 23],
  nodes: [
    conv("a", "input", 24, 1),
    { name: "a-relu", inputs: ["a"], op: "relu" },
    conv("b", "a-relu", 32, 0, 1),
    { name: "b-relu", inputs: ["b"], op: "relu" },
    { name: "pool", inputs: ["b-relu"], op: "maxPool2d", kernelShape: [2, 2], strides: [2, 2] },
    conv("c", "pool", 48, 2, 2),
    { name: "c-relu", inputs: ["c"], op: "relu" },
    conv("d", "c-relu", 5, 1),
    { name: "flat", inputs: ["d"], op: "flatten" },
    { name: "e", inputs: ["flat"], op: "dense", outFeatures: 7, weight: "e.weight", bias: "e.bias" },
  ],
  output: "e",
  preprocessing: plainPreprocessing,
};

function build(algorithm: Algorithm): Network {
  const network = new Network(testKernels(), definition, { algorithm });
  network.parameters.forEach(({ name, shape }, seed) => {
    const fanIn = Math.max(1, elementCount(shape.slice(1)));
    const values = fillValues(elementCount(shape), "uniform", seed);
    network.setRows(name, 0, shape.length === 1 ? values : values.map((v) => v * Math.sqrt(6 / fanIn)));
  });
  return network;
}

suite("convolution algorithms", (test) => {
  test("the table: plain 3x3 of full lanes, 4 for large images going forward, else 2", () => {
    const size = (height: number, inPerGroup = 16, kernel = 3, stride = 1) => ({
      window: {
        kernelShape: [kernel, kernel],
        strides: [stride, stride],
        pads: [1, 1, 1, 1],
        ceilMode: false,
        dilations: [1, 1],
      } as const,
      inPerGroup,
      outPerGroup: 16,
      height,
      width: height,
    });
    assert.is(winogradTile(size(17), "forward"), 4);
    assert.is(winogradTile(size(16), "forward"), 2);
    assert.is(winogradTile(size(17), "modified"), 2);
    assert.is(winogradTile(size(17), "transposed"), 2);
    assert.is(winogradTile(size(3), "forward"), 0);
    assert.is(winogradTile(size(17, 12), "forward"), 0);
    assert.is(winogradTile(size(17, 8), "forward"), 0);
    assert.is(winogradTile(size(17, 16, 5), "forward"), 0);
    assert.is(winogradTile(size(17, 16, 3, 2), "forward"), 0);
  });

  test("auto and direct agree: logits and relevance of every composite", () => {
    const [auto, direct] = [build("auto"), build("direct")];
    const image = tensor(definition.inputShape, fillValues(elementCount(definition.inputShape), "uniform", 99));
    const expected = direct.forward(image);
    const largest = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    // Four layers deep, each within 1e-6 of the size of its outputs (docs/performance.md, table of errors).
    assertClose(auto.forward(image).data, expected.data, 4e-6 * largest(expected.data), "logits");
    const start = new Float32Array(7);
    start[2] = 1;
    for (const name of ["li2019", "li2019Overwrite", "epsilonPlus"]) {
      const composite = compositeByName(name);
      const map = direct.relevancePlan(composite).run(start).relevance.data;
      const got = auto.relevancePlan(composite).run(start).relevance.data;
      assertClose(got, map, 2e-5 * largest(map), name);
    }
  });
});
