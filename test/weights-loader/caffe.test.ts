import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { bytesSource, decodeText, importCaffe, openWeights, readCaffeMean } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { assertRunsAs } from "../support/made-networks.ts";
import { type ProtobufField, protobufBytes, protobufFields } from "../support/protobuf.ts";
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
     layer { name: "a" type: "Embed" bottom: "data" top: "a" }
     layer { name: "b" type: "Eltwise" bottom: "a" top: "b" eltwise_param { operation: MAX } }`,
    `UnsupportedError: weights "caffe-v2.caffemodel": 2 of 2 layers are not supported:
  "a" (Embed): no such layer.
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

  for (const [what, change, message] of [
    ["without its factor", (blobs) => blobs.slice(0, 2), 'tensor "bn2.scaleFactor" is missing or no vector.'],
    ["without its variance", (blobs) => blobs.slice(0, 1), 'tensor "bn2.variance" is missing or no vector.'],
    ["without anything", () => [], 'tensor "bn2.mean" is missing or no vector.'],
    [
      "with two means",
      ([mean, , factor]) => [mean, factor, factor],
      'tensor "bn2.variance" must have 6 elements, got 1.',
    ],
    ["with many factors", ([mean]) => [mean, mean, mean], 'tensor "bn2.scaleFactor" must have 1 elements, got 6.'],
  ] as readonly [string, (blobs: readonly ProtobufField[]) => readonly (ProtobufField | undefined)[], string][]) {
    test(`refuses a batch norm ${what}`, async () => {
      const net = protobufFields(fixtureBytes("caffe-v2.caffemodel")).map((field) => {
        if (field.number !== 100 || typeof field.value === "bigint") return field;
        const layer = protobufFields(field.value);
        const name = layer.find(({ number }) => number === 1)?.value;
        if (typeof name !== "object" || new TextDecoder().decode(name) !== "bn2") return field;
        const blobs = change(layer.filter(({ number }) => number === 7)).filter((blob) => blob !== undefined);
        return { number: 100, value: protobufBytes([...layer.filter(({ number }) => number !== 7), ...blobs]) };
      });
      const source = bytesSource(protobufBytes(net));
      const refused = rejection(importCaffe(source, { name: "net", preprocessing: plainPreprocessing }));
      assert.is(await refused, `FormatError: weights "net": ${message}`);
    });
  }

  for (const [what, transform, words] of [
    ["mean and scale", "scale: 0.5 mean_value: 100 mean_value: 110 mean_value: 120", "scale=0.5, mean=50 55 60"],
    ["one mean", "mean_value: 117", "scale=1, mean=117"],
    ["a scale", "scale: 0.00390625", "scale=0.00390625, mean=0"],
    ["a file of means", 'mean_file: "imagenet_mean.binaryproto"', "scale=1, mean=imagenet_mean.binaryproto"],
  ] as const) {
    test(`the layer that fed photos with ${what} is told`, async () => {
      const deploy = text("caffe-v2.prototxt").replace(/input: "data"|input_dim: \d+/g, "");
      const data = `layer { name: "feed" type: "Data" top: "data" top: "label" transform_param { crop_size: 10 ${transform} } }`;
      const { notes } = await open("caffe-v2.caffemodel", data + deploy);
      assert.equal(notes, [
        `its layer "feed" prepared photos with order=bgr, ${words}. That is used only when --preprocess says the same.`,
      ]);
    });
  }

  test("a layer that fed photos as they are needs no word", async () => {
    const deploy = text("caffe-v2.prototxt").replace(/input: "data"|input_dim: \d+/g, "");
    const data = `layer { name: "feed" type: "Data" top: "data" transform_param { crop_size: 10 mirror: true } }`;
    assert.equal((await open("caffe-v2.caffemodel", data + deploy)).notes, []);
  });

  /** A BlobProto, as compute_image_mean writes it. */
  const meanFile = (shape: readonly number[], values: readonly number[]): Uint8Array =>
    protobufBytes([
      ...shape.map((size, k) => ({ number: k + 1, value: BigInt(size) })),
      { number: 5, value: new Uint8Array(Float32Array.from(values).buffer) },
    ]);

  test("a mean image gives the mean of each of its channels", async () => {
    const source = bytesSource(meanFile([1, 3, 1, 2], [100, 110, 10, 20, 0, 0.5]));
    assert.equal(await readCaffeMean(source, 'mean "m"'), [105, 15, 0.25]);
  });

  test("a mean image of another form is refused", async () => {
    const batch = bytesSource(meanFile([2, 1, 1, 2], [1, 2, 3, 4]));
    assert.is(
      await rejection(readCaffeMean(batch, 'mean "m"')),
      'FormatError: mean "m": a mean image must have the axes [1,C,H,W], got [2,1,1,2].',
    );
    const short = bytesSource(meanFile([1, 3, 1, 2], [1, 2, 3, 4]));
    assert.is(
      await rejection(readCaffeMean(short, 'mean "m"')),
      'FormatError: mean "m": tensor "mean": [1,3,1,2] needs 24 bytes, got 16.',
    );
    const none = bytesSource(new Uint8Array([1, 2, 3]));
    assert.match(await rejection(readCaffeMean(none, 'mean "m"')), /^FormatError: mean "m": no protobuf field at byte/);
  });

  test("a description with a byte order mark is the same, in UTF-8 and UTF-16", async () => {
    const described = text("caffe-v2.prototxt");
    const plain = await open("caffe-v2.caffemodel", described);
    const utf16 = Buffer.from(`\uFEFF${described}`, "utf16le");
    const swapped = Buffer.from(utf16).swap16();
    for (const bytes of [Buffer.from(`\uFEFF${described}`), utf16, swapped]) {
      const { definition } = await open("caffe-v2.caffemodel", decodeText(bytes));
      assert.equal(definition, plain.definition);
    }
    assert.equal((await open("caffe-v2.caffemodel", `\uFEFF${described}`)).definition, plain.definition);
  });

  for (const [what, prototxt, message] of refusals) {
    test(`refuses ${what}`, async () => {
      assert.is(await rejection(open("caffe-v2.caffemodel", prototxt)), message);
    });
  }
});
