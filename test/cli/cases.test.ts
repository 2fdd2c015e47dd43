import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { runCli } from "../../cli/cli.ts";
import { preprocess } from "../../engine/picture/preprocess.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { parseNpy } from "../../weights-loader/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Inputs that once gave wrong answers, with the right values: those of test/fixtures/cases, and, where that folder is there, every row
// of ../shared/cases/files/README.md by its own command, word for word.

const cases = join(root, "test/fixtures/cases");
const folder = resolve(root, "../shared/cases/files");
const out = mkdtempSync(join(tmpdir(), "srmap-cases-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));

interface Case {
  readonly kind: string;
  readonly name: string;
  readonly command: readonly string[];
  /** What the producer computes; undefined: a clear sentence is right as well. */
  readonly want: string | undefined;
}

/** The rows of the folder's table. */
function readCases(): Case[] {
  if (!existsSync(folder)) return [];
  const rows = readFileSync(join(folder, "README.md"), "utf8").split("\n");
  return rows.flatMap((row) => {
    const [, kind = "", name = "", command = "", , want = ""] = row.split("|").map((cell) => cell.trim());
    const words = command.replaceAll("`", "").split(" ");
    if (words[0] !== "srmap") return [];
    const outputAt = words.indexOf("--out");
    if (outputAt > 0) words.splice(outputAt, 2);
    return [{ kind, name, command: words.slice(1), want: want.startsWith("_want/") ? join(folder, want) : undefined }];
  });
}

/** What is refused, and why: everything else must give the producer's numbers. */
const refused: Readonly<Record<string, string>> = {
  "h5-bn-axis1-equal-sizes": `weights "bn-axis1-equal-sizes.h5": 1 of 5 layers are not supported:
  "batch_normalization" (BatchNormalization): axis 1; only the last, the channels, is supported.`,
  "keras-bn-axis1-equal-sizes": `weights "bn-axis1-equal-sizes.keras": 1 of 5 layers are not supported:
  "batch_normalization" (BatchNormalization): axis 1; only the last, the channels, is supported.`,
  "h5-gap-channels-first": `weights "gap-channels-first.h5": 1 of 4 layers are not supported:
  "global_average_pooling2d" (GlobalAveragePooling2D): channels first; networks with channels last are supported.`,
  "keras-gap-channels-first": `weights "gap-channels-first.keras": 1 of 4 layers are not supported:
  "global_average_pooling2d" (GlobalAveragePooling2D): channels first; networks with channels last are supported.`,
  // Its data is a link's target that the folder does not have.
  "onnxf-ext-link-to-model": `weights "m.onnx": part of its weights lies in "m.onnx.data", which is not there. Put that file, under that name, into the folder of "m.onnx".`,
  "onnxf-gzipped": `weights "gz.onnx": the file is packed by gzip. Unpack it first: gunzip, or tar -xzf where a .tar.gz was renamed.`,
  "onnxf-tarred": `weights "tar.onnx": a tar archive of "m/model.onnx", not one of PyTorch's: it has no "sys_info". Unpack it first (tar -xf FILE), and name the weight file in it.`,
  "other-a.mlmodel": `weights "a.mlmodel": a Core ML model, which is not read. Export the network it was made from to ONNX.`,
  "other-frozen-lib.pb": `weights "frozen-lib.pb": a TensorFlow graph, which is not read. Convert it: python -m tf2onnx.convert --graphdef FILE --output network.onnx --inputs ... --outputs ....`,
  "other-saved_model.pb": `weights "saved_model.pb": a TensorFlow SavedModel, which is not read. Convert it: python -m tf2onnx.convert --saved-model FOLDER --output network.onnx.`,
  "keras-lambda": `weights "lambda.keras": 1 of 5 layers are not supported:
  "lambda" (Lambda): Python code, which is never run.`,
};

/** The folder has zeros here; PyTorch computes these from the file's weights by Caffe's formulas. */
const corrected: Readonly<Record<string, Float32Array>> = {
  "caffe-slice": Float32Array.of(2.16087294, -0.46120235, -0.96015012, -0.78597605, 0.0290342),
};

/** Largest difference in parts of the largest value, where it is not 1e-5. */
const tolerances: Readonly<Record<string, number>> = {
  "onnx-fp16": 2e-3, // the producer computes in half precision
  "onnxf-quant-QDQ": 0.05, // the producer rounds every feature map to 8 bits
  "onnxf-quant-dynamic": 0.05,
};

/** What must be said beside the numbers. */
const notes: Readonly<Record<string, string>> = {
  "onnx-fp16": "onnxruntime computes this network, or parts of it, in float16; here it is computed in float32, so that",
  "onnxf-fp16-io-f32":
    "onnxruntime computes this network, or parts of it, in float16; here it is computed in float32, so that",
  "onnxf-quant-QDQ":
    "it is quantised: here it is computed in float32 with the numbers that its integers stand for, so that",
  "onnxf-quant-dynamic":
    "it is quantised: here it is computed in float32 with the numbers that its integers stand for, so that",
  "onnxf-ext-renamed-both": '"renamed.onnx.data", which is called after the model, is read instead.',
  "caffe-argmax-end": "the network's scores are explained, not their largest place.",
};

/** What a network's last layer can have made of its logits: the producer gives what comes out of it. */
const endings: readonly ((logits: Float32Array) => Float32Array)[] = [
  (logits) => logits,
  (logits) => logits.map((value) => 1 / (1 + Math.exp(-value))),
  (logits) => {
    const largest = Math.max(...logits);
    const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
    return logits.map((value) => Math.exp(value - largest) / sum);
  },
];

function errorOf(logits: Float32Array, expected: Float32Array): number {
  // Of a decision (ArgMax), the class.
  if (expected.length === 1 && logits.length > 1) return logits.indexOf(Math.max(...logits)) === expected[0] ? 0 : 1;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const errors = endings.map((ending) => {
    const own = ending(logits);
    if (own.length !== expected.length) return Number.POSITIVE_INFINITY;
    return own.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0) / largest;
  });
  return Math.min(...errors);
}

const floats = (path: string): Float32Array => {
  const { data } = parseNpy(readFileSync(path), path);
  return Float32Array.from(data as Float32Array, Number);
};

interface Run {
  readonly code: number;
  readonly err: string;
}

async function srmap(command: readonly string[], cwd: string): Promise<Run> {
  let err = "";
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const code = await runCli([...command], {
      out: () => undefined,
      err: (text) => {
        err += text;
      },
      redraw: () => undefined,
      isInteractive: false,
      columns: 80,
    });
    return { code, err };
  } finally {
    process.chdir(before);
  }
}

/** Explains an input, and gives an array of the result. */
async function arrayOf(
  name: string,
  kind: string,
  input: string,
  weights: string,
  ...options: string[]
): Promise<Float32Array> {
  const target = join(out, `${name}-${kind}`);
  const quick = ["--preprocess", "plain", "--no-salient", "--write", "npy", "--threads", "1", "--out", target];
  const command = ["explain", input, "--weights", weights, ...quick, "--existing", "replace", ...options];
  const { code, err } = await srmap(command, cases);
  assert.is(code, 0, err);
  return floats(join(target, `${kind}.npy`));
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

function assertNear(got: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5): void {
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs((got[i] ?? Number.NaN) - value) <= tolerance, `[${i}]: ${got[i]}, expected ${value}`);
  }
}

/** ONNX files and the first of their logits, by onnxruntime. */
const onnxLogits: readonly (readonly [file: string, input: string, logits: readonly number[]])[] = [
  ["alias_bias_Dropout", "alias_bias_Dropout.npy", [-4.51142, 0.87768]],
  ["pad_signed", "pad_signed.npy", [0.01856, 0.00548]],
  ["affine_bn", "affine_bn.npy", [-3.30276, 0.34728]],
  ["affine_mul_add", "affine_mul_add.npy", [-3.30276, 0.34728]],
  // PyTorch's exporter leaves divisor_override out (PyTorch itself: 0.12225 -0.16940 -0.25635 0.01825), and nothing in the file says so.
  ["avgpool-divisor", "avgpool-divisor.x.npy", [0.12375, -0.15657, -0.21696, 0.0398]],
  ["pad-avgpool-ceil", "pad-avgpool-ceil.x.npy", [0.59676, 2.37558, -0.14554, -0.67512]],
];

suite("the other cases", (test) => {
  for (const [file, input, logits] of onnxLogits) {
    test(`onnx/${file}: the logits`, async () => {
      assertNear(await arrayOf(file, "logits", `onnx/${input}`, `onnx/${file}.onnx`), logits);
    });
  }

  test("onnx/pad_signed: padding contributes nothing", async () => {
    const relevance = await arrayOf("pad_signed", "relevance", "onnx/pad_signed.npy", "onnx/pad_signed.onnx");
    assertNear([sum(relevance)], [0.01856], 1e-4); // all of the start: nothing went to stabilisers
  });

  for (const [composite, expected] of [
    ["epsilonPlus", 0.1385], // 0.2088 went to biases
    ["epsilonGammaBox", 0.3473],
  ] as const) {
    test(`one affine map, written in two ways: ${composite}`, async () => {
      const [norm, sums] = [
        await arrayOf("affine_bn", "relevance", "onnx/affine_bn.npy", "onnx/affine_bn.onnx", "-c", composite),
        await arrayOf(
          "affine_mul",
          "relevance",
          "onnx/affine_mul_add.npy",
          "onnx/affine_mul_add.onnx",
          "-c",
          composite,
        ),
      ];
      assertNear(sums, Array.from(norm), 1e-7);
      assertNear([sum(norm)], [expected], 1e-4);
    });
  }

  for (const [file, layer] of [
    ["bn-axis1-equal-sizes", "axis 1; only the last, the channels, is supported"],
    ["gap-channels-first", "channels first; networks with channels last are supported"],
  ] as const) {
    test(`keras/${file} is refused, not wrong`, async () => {
      const command = ["explain", "keras/x.npy", "--weights", `keras/${file}.keras`, "--preprocess", "plain"];
      const { code, err } = await srmap(command, cases);
      assert.is(code, 1);
      assert.ok(err.endsWith(`${layer}.\n`), err);
    });
  }

  for (const name of ["adobe-ycc", "adobe-ycc-nojfif"]) {
    test(`photos/${name}: decoding leaves the bytes as they are`, () => {
      const bytes = readFileSync(join(cases, `photos/${name}.jpg`));
      const before = Buffer.from(bytes);
      const first = decodeImage(bytes);
      assert.equal(decodeImage(bytes).data, first.data);
      assert.ok(bytes.equals(before));
    });
  }
});

// Of the photos in the folder those on white, where flat areas once moved winners of max pooling: 0.34 and 0.62 (SqueezeNet), 0.44 and
// 0.88 (vgg-mini). Against the direct convolution, which is as near to float64 as PyTorch float32 is. SqueezeNet 1.0 and the cat have a
// near-tie that rounding decides (7.6e-3, and so far PyTorch float32 is from float64, docs/design.md).
const onWhite: readonly (readonly [network: string, weights: string | undefined, largest: number])[] = [
  ["vgg-mini", undefined, 1e-5],
  ["alexnet-mini", undefined, 1e-5],
  ["squeezenet1_1-caffe", undefined, 1e-5],
  ["squeezenet1_0", resolve(root, "../shared/data/squeezenet1_0.safetensors"), 2e-2],
];

suite("photos on white", (test) => {
  for (const photo of ["cat", "coffee"]) {
    for (const [name, weights, largest] of onWhite) {
      const path = resolve(root, `../shared/cases/photos/${photo}-on-white.png`);
      const missing = [path, weights].find((each) => each !== undefined && !existsSync(each));
      const title = `${photo}, ${name}: the map of li2019 by auto is that by direct`;
      if (missing !== undefined) {
        test.needs(missing, title, () => assert.unreachable());
        continue;
      }
      test(title, async () => {
        const decoded = decodeImage(readFileSync(path));
        const maps: Float32Array[] = [];
        for (const algorithm of ["auto", "direct"] as const) {
          const network = await loadNetwork(name, weights, { algorithm });
          const { preprocessing, inputShape } = network.definition;
          const logits = network.forward(preprocess(decoded, preprocessing, inputShape).tensor).data;
          const best = logits.indexOf(Math.max(...logits));
          const start = logits.map((value, i) => (i === best ? value : 0));
          maps.push(network.relevancePlan(compositeByName("li2019")).run(start).relevance.data.slice());
        }
        const [auto, direct] = maps as [Float32Array, Float32Array];
        const off = Math.sqrt(sum(direct.map((v, i) => (v - auto[i]!) ** 2)) / sum(direct.map((v) => v * v)));
        assert.ok(off <= largest, `${off}`);
      });
    }
  }
});

suite("every command of the cases", (test) => {
  const cases = readCases();
  if (cases.length === 0) test.needs(folder, "the table of files", () => assert.unreachable("the table has no rows"));
  for (const { kind, name, command, want } of cases) {
    test(`${kind}: ${name}`, async () => {
      const target = join(out, name);
      const quick = ["--no-salient", "--write", "npy", "--threads", "1", "--out", target];
      const { code, err } = await srmap([...command, ...quick], join(folder, kind));
      const reason = refused[name];
      if (reason !== undefined) {
        assert.equal({ code, err }, { code: 1, err: `srmap: ${reason}\n` });
        return;
      }
      assert.is(code, 0, err);
      if (name in notes) assert.ok(err.includes(notes[name] ?? ""), err);
      if (want === undefined) return;
      const error = errorOf(floats(join(target, "logits.npy")), corrected[name] ?? floats(want));
      assert.ok(error <= (tolerances[name] ?? 1e-5), `${error} of the largest`);
    });
  }
});
