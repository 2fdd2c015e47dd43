import * as assert from "uvu/assert";
import { Network } from "../../engine/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import {
  bindWeights,
  bytesSource,
  checkFit,
  convertWeights,
  importCaffe,
  importOnnx,
  importTfjs,
  networkOf,
  openWeights,
} from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { fixtureBytes, refusal, rejection } from "../support/fixtures.ts";
import { cpuMs, fuzz } from "../support/fuzz.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

// Hostile files that no format's own test holds: what fits more than one format, and what only shows when a network is made.

/** A safetensors file of one tensor. */
function safetensors(dtype: string, shape: readonly number[], data: Uint8Array, metadata = {}): Uint8Array {
  const header = JSON.stringify({ __metadata__: metadata, w: { dtype, shape, data_offsets: [0, data.length] } });
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

/** An .npy with a header of one's own. */
function npy(shape: string): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117, " ");
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    118,
    0,
    ...new TextEncoder().encode(`${header}\n`),
  ]);
}

/** A message inside itself, `depth` times, each time as field `number`. */
function nested(number: number, depth: number): Uint8Array {
  const levels: number[][] = [];
  let length = 0;
  for (let i = 0; i < depth; i++) {
    const level = [(number << 3) | 2];
    let rest = length;
    for (; rest > 127; rest >>= 7) level.push((rest & 127) | 128);
    level.push(rest);
    levels.push(level);
    length += level.length;
  }
  return Uint8Array.from(levels.reverse().flat());
}

/** A converted ONNX network: weights, graph and preprocessing in one file. */
async function converted(): Promise<Uint8Array> {
  const source = bytesSource(fixtureBytes("onnx-made.onnx"));
  const { definition, weights } = await importOnnx(source, { name: "net", preprocessing: plainPreprocessing });
  const pieces: Uint8Array[] = [];
  for await (const piece of convertWeights(weights, {
    network: definition,
    precision: "int8",
    layers: "all",
  }).pieces()) {
    pieces.push(piece.slice());
  }
  return new Uint8Array(Buffer.concat(pieces));
}

suite("bad input", (test) => {
  for (const [what, bytes, message] of [
    [
      "an .npy whose shape product overflows",
      npy("(4294967296, 4294967296)"),
      `FormatError: weights "bad": tensor "array": shape [4294967296,4294967296] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
    ],
    [
      "an .npy of 2^63 elements",
      npy("(9223372036854775808,)"),
      `FormatError: weights "bad": tensor "array": shape [9223372036854776000] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
    ],
  ] as const) {
    test(`refuses ${what}`, async () => assert.is(await refusal(bytes), message));
  }

  test("refuses a zip64 directory at byte 2^63", async () => {
    const bytes = new Uint8Array(4 + 56 + 20 + 22);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x04034b50, true);
    view.setUint32(4, 0x06064b50, true);
    for (const at of [28, 36, 44, 52]) view.setBigUint64(at, 2n ** 63n, true);
    view.setUint32(60, 0x07064b50, true);
    view.setBigUint64(68, 4n, true);
    view.setUint32(80, 0x06054b50, true);
    assert.match(
      await refusal(bytes),
      /^FormatError: weights "bad": the zip directory claims 9223372036854776000 bytes/,
    );
  });

  test("refuses TensorFlow.js shapes whose product overflows", async () => {
    const weights = [{ name: "w", dtype: "float32", shape: [2 ** 32, 2 ** 32] }];
    const model = JSON.stringify({ weightsManifest: [{ paths: ["a.bin"], weights }] });
    const source = bytesSource(new TextEncoder().encode(model));
    assert.is(
      await rejection(openWeights(source, { name: "x", external: async () => bytesSource(new Uint8Array(4)) })),
      `FormatError: weights "x": tensor "w": shape [4294967296,4294967296] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
    );
  });

  for (const number of [1, 2, 5, 7, 11]) {
    test(`a protobuf message inside itself 100,000 times, as field ${number}, is refused`, async () => {
      const bytes = nested(number, 100_000);
      const started = process.cpuUsage();
      for (const attempt of [
        openWeights(bytesSource(bytes)),
        importOnnx(bytesSource(bytes), { preprocessing: plainPreprocessing }),
        importCaffe(bytesSource(bytes), { preprocessing: plainPreprocessing }),
      ]) {
        assert.match(await rejection(attempt), /^(FormatError|UnsupportedError): /);
      }
      assert.ok(cpuMs(started) < 1000, "took more than a second");
    });
  }

  for (const [what, dtype, data, value] of [
    ["NaN in f32", "F32", new Uint8Array([0, 0, 0xc0, 0x7f]), "NaN"],
    ["infinity in f16", "F16", new Uint8Array([0, 0x7c]), "Infinity"],
    ["-infinity in bf16", "BF16", new Uint8Array([0x80, 0xff]), "-Infinity"],
    ["1e300 in f64, which float32 does not hold", "F64", new Uint8Array(Float64Array.of(1e300).buffer), "Infinity"],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const weights = await openWeights(bytesSource(safetensors(dtype, [1], data)), { name: "x" });
      const sink = { parameters: [{ name: "w", shape: [1], node: "n" }], setRows: () => {} };
      assert.is(
        await rejection(bindWeights(sink, weights)),
        `FormatError: weights "x": tensor "w" holds ${value} at index 0, but weights must be finite. The file is damaged or the training diverged: get another copy.`,
      );
    });
  }

  test("refuses a Keras network that leads back into itself", async () => {
    const layer = (name: string, from: string): object => ({
      class_name: "ReLU",
      config: { name },
      inbound_nodes: [[[from, 0, 0, {}]]],
    });
    const input = {
      class_name: "InputLayer",
      config: { name: "in", batch_input_shape: [null, 2, 2, 1] },
      inbound_nodes: [],
    };
    const config = { layers: [input, layer("a", "b"), layer("b", "a")], output_layers: [["b", 0, 0]] };
    const model = { modelTopology: { class_name: "Functional", config }, weightsManifest: [] };
    assert.is(
      await rejection(
        importTfjs(bytesSource(new TextEncoder().encode(JSON.stringify(model))), {
          name: "x",
          preprocessing: plainPreprocessing,
        }),
      ),
      `FormatError: weights "x": layer "b" depends on itself.`,
    );
  });

  test("refuses a converted network that leads back into itself", async () => {
    const nodes = [
      { name: "a", op: "relu", inputs: ["b"] },
      { name: "b", op: "relu", inputs: ["a"] },
    ];
    const network = { name: "loop", inputShape: [1, 2, 2], nodes, output: "b", preprocessing: plainPreprocessing };
    const bytes = safetensors("F32", [0], new Uint8Array(0), { "srmap.network": JSON.stringify(network) });
    const definition = networkOf(await openWeights(bytesSource(bytes)));
    const run = async () => definition && new Network(testKernels(), definition);
    assert.is(
      await rejection(run()),
      `ShapeError: network "loop": a -> b -> a is a cycle. Only feed-forward graphs can be run.`,
    );
  });

  test("400 damaged copies of a converted network are run or refused", async () => {
    await fuzz(await converted(), 400, async (bytes) => {
      const weights = await openWeights(bytesSource(bytes));
      for (const name of weights.tensors.keys()) if (!name.endsWith(".rowScale")) await weights.read(name);
      const definition = networkOf(weights);
      if (definition === undefined) return;
      checkFit(networkParameters(definition), weights);
      await bindWeights(new Network(testKernels(), definition), weights);
    });
  });

  for (const [what, bytes, message] of [
    [
      "gzip",
      [0x1f, 0x8b, 8, 0],
      "the file is packed by gzip. Unpack it first: gunzip, or tar -xzf where a .tar.gz was renamed.",
    ],
    [
      "Core ML",
      [0x08, 4, 0x12, 2, 0x0a, 0, 0xa2, 0x1f, 2, 0x0a, 0],
      "a Core ML model, which is not read. Export the network it was made from to ONNX.",
    ],
    [
      "a SavedModel",
      [0x08, 1, 0x12, 2, 0x0a, 0],
      "a TensorFlow SavedModel, which is not read. Convert it: python -m tf2onnx.convert --saved-model FOLDER --output network.onnx.",
    ],
    [
      "a TensorFlow graph",
      [0x0a, 2, 0x0a, 0, 0x0a, 2, 0x0a, 0, 0x12, 2, 0x0a, 0],
      "a TensorFlow graph, which is not read. Convert it: python -m tf2onnx.convert --graphdef FILE --output network.onnx --inputs ... --outputs ....",
    ],
    [
      "an index of sharded weights",
      new TextEncoder().encode(
        JSON.stringify({
          metadata: { total_size: 12 },
          weight_map: { a: "m-1-of-2.safetensors", b: "m-2-of-2.safetensors", c: "m-2-of-2.safetensors" },
        }),
      ),
      `an index of tensors that lie in 2 files, which are not read together. Put them into one file: save_pretrained(..., max_shard_size="1TB"), or load_file and save_file of safetensors.torch.`,
    ],
  ] as const) {
    test(`calls ${what} by its name`, async () => {
      const opened = openWeights(bytesSource(Uint8Array.from(bytes)), { name: "x" });
      assert.is(await rejection(opened), `FormatError: weights "x": ${message}`);
    });
  }
});
