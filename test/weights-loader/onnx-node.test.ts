import { readdirSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, type ImportedNetwork, importOnnx } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { readOnnxNodeTest, unpackOnnxNodeTests } from "../support/onnx-node.ts";
import { protobufFields } from "../support/protobuf.ts";
import { suite } from "../support/suite.ts";

const folder = unpackOnnxNodeTests();

const sizes = "must be [N,C,H,W] with known C, H and W";
/** Folders whose model is no network of one photo here, and the reason that the import gives. */
const refused: Readonly<Record<string, string>> = {
  test_add_int16: "must be real numbers (1, 10, 11, 16) or bytes (2), got element type 5",
  test_add_uint32: "must be real numbers (1, 10, 11, 16) or bytes (2), got element type 12",
  test_batchnorm_epsilon_training_mode: "several outputs",
  test_batchnorm_example_training_mode: "several outputs",
  test_clip_default_int8_inbounds: "must be real numbers (1, 10, 11, 16) or bytes (2), got element type 3",
  test_concat_1d_axis_0: sizes,
  test_concat_1d_axis_negative_1: sizes,
  test_concat_2d_axis_negative_2: "photos of a batch would be mixed",
  test_concat_3d_axis_0: "photos of a batch would be mixed",
  test_concat_3d_axis_2: "beside [N,2,2]",
  test_concat_3d_axis_negative_2: "beside [N,2,2]",
  test_dropout_default_mask: "several outputs",
  test_dropout_default_mask_ratio: "several outputs",
  test_flatten_axis2: "flattening from axis 2",
  test_flatten_axis3: "flattening from axis 3",
  test_flatten_negative_axis1: "flattening from axis 3",
  test_flatten_negative_axis4: "flattening from axis 0",
  test_reshape_negative_dim: "mixes the photos of a batch",
  test_reshape_negative_extended_dims: "cannot become",
  test_reshape_one_dim: "cannot become",
  test_reshape_reordered_all_dims: "cannot become",
  test_reshape_reordered_last_dims: "cannot become",
  test_reshape_zero_and_negative_dim: "mixes the photos of a batch",
  test_reshape_zero_dim: "cannot become",
  test_softmax_axis_0: "photos of a batch would be mixed",
  test_softmax_default_axis: "softmax over axis 2",
};
/** Elementwise models of other ranks: their whole input is taken as one photo's. */
const onePhoto: Readonly<Record<string, readonly number[]>> = {
  test_add: [3, 4, 5],
  test_add_bcast: [3, 4, 5],
  test_add_int16: [3, 4, 5],
  test_add_uint32: [3, 4, 5],
  test_clip: [3, 4, 5],
  test_clip_default_inbounds: [3],
  test_clip_default_int8_inbounds: [3],
  test_clip_inbounds: [3],
  test_clip_min_greater_than_max: [3],
  test_clip_splitbounds: [3],
  test_dropout_default: [3, 4, 5],
  test_dropout_default_old: [3],
  test_leakyrelu: [3, 4, 5],
  test_relu: [3, 4, 5],
};
const folders = readdirSync(folder);

/** Over the first axis, at each of the places behind it. */
function softmax(logits: Float32Array, channels: number): Float32Array {
  const area = logits.length / channels;
  const largest = new Float64Array(area).fill(Number.NEGATIVE_INFINITY);
  for (const [i, logit] of logits.entries()) largest[i % area] = Math.max(largest[i % area]!, logit);
  const sums = new Float64Array(area);
  for (const [i, logit] of logits.entries()) sums[i % area]! += Math.exp(logit - largest[i % area]!);
  return logits.map((logit, i) => Math.exp(logit - largest[i % area]!) / sums[i % area]!);
}

function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A test's model with every input but the first as an initializer: node tests hand weights over as inputs. */
function withInitializers(name: string): Uint8Array {
  const fields = protobufFields(readFileSync(`${folder}${name}/model.onnx`));
  const inputs = readdirSync(`${folder}${name}/test_data_set_0`).filter((file) => /^input_[1-9]/.test(file));
  const extra = inputs.flatMap((file) => {
    const bytes = readFileSync(`${folder}${name}/test_data_set_0/${file}`);
    return [0x2a, ...varint(bytes.length), ...bytes]; // GraphProto.initializer is field 5
  });
  const out = fields.flatMap(({ number, value }) => {
    if (typeof value === "bigint") return [number * 8, ...varint(value)];
    const bytes = number === 7 ? [...value, ...extra] : [...value];
    return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
  });
  return Uint8Array.from(out);
}

function open(name: string): Promise<ImportedNetwork> {
  const inputShape = onePhoto[name];
  return importOnnx(bytesSource(withInitializers(name)), {
    name,
    preprocessing: plainPreprocessing,
    ...(inputShape === undefined ? {} : { inputShape }),
  });
}

suite("ONNX's node tests through the import", (test) => {
  for (const name of folders) {
    const why = refused[name];
    if (why !== undefined) {
      test(`${name} is refused`, async () => {
        const message = await rejection(open(name));
        assert.ok(message.includes(why), message);
      });
      continue;
    }
    test(name, async () => {
      const { definition, weights } = await open(name);
      const node = readOnnxNodeTest(folder + name);
      const network = new Network(testKernels(), definition);
      await bindWeights(network, weights);
      const input = Float32Array.from(node.inputs[0]?.values ?? []);
      const expected = Float32Array.from(node.outputs[0]?.values ?? []);
      const photos = onePhoto[name] === undefined ? (node.inputs[0]?.shape[0] ?? 1) : 1;
      const [inSize, outSize] = [input.length / photos, expected.length / photos];
      const magnitude = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
      for (let photo = 0; photo < photos; photo++) {
        const x = tensor(definition.inputShape, input.slice(photo * inSize, (photo + 1) * inSize));
        const logits = network.forward(x).data;
        const y = node.opType === "Softmax" ? softmax(logits, network.outputShape[0]!) : logits; // a network gives what stands before a last softmax
        // numpy's float32 results are a few roundings away from ours.
        assertClose(y, expected.subarray(photo * outSize, (photo + 1) * outSize), 2 ** -21 * magnitude, name);
      }
    });
  }
});
