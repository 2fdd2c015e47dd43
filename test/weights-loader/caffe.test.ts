import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { bytesSource, importCaffe, openWeights } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { assertRunsAs } from "../support/made-networks.ts";
import { suite } from "../support/suite.ts";

const text = (file: string): string => readFileSync(fixturePath(file), "utf8");
const open = (file: string, prototxt?: string) =>
  importCaffe(bytesSource(fixtureBytes(file)), {
    name: file,
    preprocessing: plainPreprocessing,
    ...(prototxt === undefined ? {} : { prototxt }),
  });

const layer = (fields: string): string => `input: "data" input_dim: [1, 3, 8, 8] layer { ${fields} }`;
const refusals: readonly [string, string, string][] = [
  [
    "layers that do not exist here, all in one message",
    `input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
     layer { name: "a" type: "Deconvolution" bottom: "data" top: "a" }
     layer { name: "b" type: "Eltwise" bottom: "a" top: "b" eltwise_param { operation: MAX } }`,
    `UnsupportedError: weights "caffe-v2.caffemodel": 2 of 2 layers are not supported:
  "a" (Deconvolution): no such layer.
  "b" (Eltwise): it needs several inputs of one shape, got [3,8,8].`,
  ],
  [
    "a blob that nothing writes",
    layer(`name: "a" type: "ReLU" bottom: "dada" top: "a"`),
    `FormatError: weights "caffe-v2.caffemodel": layer "a" reads "dada", which nothing before it writes.`,
  ],
  [
    "a missing brace",
    `layer { name: "a"\n type: "ReLU"`,
    `FormatError: network "caffe-v2.caffemodel": "}" is missing in line 2.`,
  ],
  [
    "text that is no prototxt",
    `name: "x"\n&`,
    `FormatError: network "caffe-v2.caffemodel": "&" is not understood in line 1.`,
  ],
  [
    "a thousand levels",
    "a {".repeat(1000),
    `FormatError: network "caffe-v2.caffemodel": more than 16 levels in line 1.`,
  ],
  [
    "a network without input size",
    `input: "data" layer { name: "a" type: "ReLU" bottom: "data" top: "a" }`,
    `UnsupportedError: weights "caffe-v2.caffemodel": the network does not say its input's size [C,H,W]. Give its height and width (--input-size HxW).`,
  ],
];

suite("Caffe", (test) => {
  for (const version of ["caffe-v1", "caffe-v2"]) {
    const file = `${version}.caffemodel`;
    test(`reads the tensors of ${file}`, async () => {
      const weights = await openWeights(bytesSource(fixtureBytes(file)), { name: file });
      assert.is(weights.format, "caffe");
      assert.equal(weights.metadata, { network: "small-caffe" });
      await assertReadsAs(weights, expectedTensors(file));
    });

    test(`${file} alone gives the probabilities of its producer`, async () => assertRunsAs(file, await open(file)));

    test(`${file} with its prototxt gives them, too`, async () => {
      const described = await open(file, text(`${version}.prototxt`));
      // The text says 0.6, the binary the float32 next to it.
      const rounded = (_: string, value: unknown): unknown => (typeof value === "number" ? Math.fround(value) : value);
      const both = [described, await open(file)].map(({ definition }) => JSON.stringify(definition, rounded));
      assert.is(both[0], both[1]);
      await assertRunsAs(file, described);
    });
  }

  test("a training description without its data and loss is the same network", async () => {
    const deploy = text("caffe-v2.prototxt");
    const training = `layer { name: "t" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 8 } }
      layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST } transform_param { crop_size: 10 } }
      ${deploy.replace(/input: "data"|input_dim: \d+/g, "").replace('"Softmax"', '"SoftmaxWithLoss"')}
      layer { name: "accuracy" type: "Accuracy" bottom: "fc7" bottom: "label" top: "accuracy" include { phase: TEST } }`;
    const { definition } = await open("caffe-v2.caffemodel", training);
    assert.equal(definition.nodes, (await open("caffe-v2.caffemodel", deploy)).definition.nodes);
    assert.equal(definition.inputShape, [3, 10, 10]);
  });

  for (const [what, prototxt, message] of refusals) {
    test(`refuses ${what}`, async () => {
      assert.is(await rejection(open("caffe-v2.caffemodel", prototxt)), message);
    });
  }
});
