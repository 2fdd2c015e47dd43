import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/index.ts";
import { writeNpy } from "../../weights-loader/index.ts";
import { fixturePath } from "../support/fixtures.ts";
import { root } from "../support/paths.ts";
import { writeSeededWeights } from "../support/seeded-weights.ts";
import { suite } from "../support/suite.ts";

interface Run {
  code: number;
  out: string;
  err: string;
}

const cli = join(root, "build/cli/main.js");
const cat = join(root, "examples/cat.jpg");
const folder = mkdtempSync(join(tmpdir(), "srmap-weights-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const cache = join(folder, "cache");

function srmap(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...process.env, SRMAP_CACHE: cache };
    execFile(process.execPath, [cli, ...args], { cwd: folder, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

/** The bytes of the logits of a photo. @param args after --weights */
async function logitsOf(...args: string[]): Promise<Buffer> {
  const options = ["--sr", "workSize=60", "--out", "both", "--existing", "replace"];
  const { err } = await srmap("explain", cat, ...options, "--weights", ...args);
  assert.is(err, "");
  return readFileSync(join(folder, "both/logits.npy"));
}

/** `srmap explain` of the cat by weights that describe their own network. */
function explain(weights: string, ...args: string[]): Promise<Run> {
  return srmap(
    "explain",
    cat,
    "--weights",
    fixturePath(weights),
    "--sr",
    "workSize=60",
    "--out",
    "out",
    "--existing",
    "replace",
    ...args,
  );
}

suite("cli/weights", (test) => {
  test("inspect lists tensors, metadata and the network that fits", async () => {
    const run = await srmap("inspect", fixturePath("small-f32.safetensors"));
    assert.equal(run, {
      code: 0,
      err: "",
      out: `small-f32.safetensors: safetensors, 10 tensors, 170 elements, 0.0 MB
metadata:
  origin: make-weights.py
tensors:
  bn1.num_batches_tracked  i64   []
  bn1.bias                 f32   [4]
  bn1.running_mean         f32   [4]
  bn1.running_var          f32   [4]
  bn1.weight               f32   [4]
  conv1.bias               f32   [4]
  conv1.weight             f32   [4,3,3,3]
  edges                    f32   [6]
  fc.bias                  f32   [5]
  fc.weight                f32   [5,6]
fits: none of the package's networks
`,
    });
    writeSeededWeights(join(folder, "seeded.safetensors"), "squeezenet1_1", 1);
    const seeded = await srmap("inspect", "seeded.safetensors", "--json");
    assert.equal(JSON.parse(seeded.out).fits, ["squeezenet1_1", "squeezenet1_1-caffe"]);
  });

  test("inspect shows the network that a file describes, or why it cannot be run", async () => {
    const run = await srmap("inspect", fixturePath("onnx-made.onnx"));
    assert.match(
      run.out,
      /\nnetwork: "onnx-made\.onnx", described by the file: input \[3,10,9\], 11 layers, output \[5\]; --preprocess must say how photos are prepared\n/,
    );
    assert.match(run.out, /\n {2}1 {3}Conv_1 +conv2d +\[4,11,8\] {2}58\.3 % {2}Relu_3\n {2}2 {3}MaxPool_5 /);
    const bad = JSON.parse((await srmap("inspect", fixturePath("bad-ops.onnx"), "--json")).out);
    assert.match(
      bad.network.refusal,
      /3 of 7 nodes are not supported:\n {2}"sum" \(Einsum\): the equation "nchw->nc"; data and one constant are supported\.\n/,
    );
  });

  test("what is computed otherwise than in the file is said once, and stands in the report", async () => {
    const told = JSON.parse(readFileSync(join(root, "test/golden/onnx-told.json"), "utf8")) as {
      readonly name: string;
      readonly model: string;
      readonly input: string;
    }[];
    const one = told.find(({ name }) => name === "half precision");
    assert.ok(one !== undefined);
    writeFileSync(join(folder, "half.onnx"), Buffer.from(one.model, "base64"));
    const values = new Float32Array(new Uint8Array(Buffer.from(one.input, "base64")).buffer);
    for (const name of ["a", "b"]) writeFileSync(join(folder, `${name}.npy`), writeNpy(tensor([3, 8, 8], values)));
    const note =
      "onnxruntime computes this network, or parts of it, in float16; here it is computed in float32, so that the last digits differ.";
    const told1 = await srmap(
      "explain",
      "a.npy",
      "--weights",
      "half.onnx",
      "--sr",
      "workSize=60",
      "--out",
      "told",
      "--json",
    );
    assert.equal([told1.code, told1.err], [0, `note: weights "half.onnx": ${note}\n`]);
    assert.equal(JSON.parse(told1.out).weights.notes, [`weights "half.onnx": ${note}`]);
    const two = await srmap(
      "explain",
      "a.npy",
      "b.npy",
      "--weights",
      "half.onnx",
      "--sr",
      "workSize=60",
      "--out",
      "told2",
    );
    assert.equal([two.code, two.err.split(note).length], [0, 2], two.err);
    const report = JSON.parse(readFileSync(join(folder, "told2/b.npy/explanation.json"), "utf8"));
    assert.equal(report.weights.notes, [`weights "half.onnx": ${note}`]);
  });

  test("inspect says in one sentence what is wrong", async () => {
    writeFileSync(join(folder, "page.pth"), "<html>");
    assert.equal(await srmap("inspect", "page.pth"), {
      code: 1,
      out: "",
      err: 'srmap: weights "page.pth": this is a web page, not a weight file. Download the file itself, not the page that shows it.\n',
    });
    assert.equal(await srmap("inspect", "none.pth"), {
      code: 1,
      out: "",
      err: "srmap: weights none.pth: there is no such file or folder.\n",
    });
  });

  test("fetch knows the registered networks only", async () => {
    const run = await srmap("fetch", "vgg61");
    assert.is(run.code, 2);
    assert.match(run.err, /^srmap: model "vgg61": no official weights are registered\. Did you mean "vgg16"\?/);
  });

  test("fetch refuses an address that is not of the web before it tries", async () => {
    const run = await srmap("fetch", "vgg16", "--url", "ftp://mirror/");
    assert.equal(run, {
      code: 2,
      out: "",
      err: 'srmap: url "ftp://mirror/": must be a whole address that starts with http:// or https://.\n',
    });
  });

  test("fetched weights are found without --weights", async () => {
    mkdirSync(cache, { recursive: true });
    writeSeededWeights(join(cache, "squeezenet1_1-b8a52dc0.pth"), "squeezenet1_1", 1);
    const run = await srmap("explain", cat, "--model", "squeezenet1_1", "--sr", "workSize=60", "--out", "found");
    assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
    const { weights } = JSON.parse(readFileSync(join(folder, "found/explanation.json"), "utf8"));
    assert.is(weights.file, "squeezenet1_1-b8a52dc0.pth");
  });

  for (const file of [
    "onnx-torch.onnx",
    "onnx-external.onnx",
    "caffe-v1.caffemodel",
    "caffe-v2.caffemodel",
    "tfjs/tfjs-sequential.json",
    "keras/keras2-functional.h5",
    "keras/keras3-functional.keras",
  ]) {
    test(`explain runs the network that ${file} describes`, async () => {
      const preprocess = file.startsWith("caffe") ? "caffe-reference" : "torchvision";
      const run = await explain(file, "--preprocess", preprocess, "--composite", "epsilonPlus", "--json");
      assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
      assert.is(JSON.parse(run.out).photos[0].top.length, 5);
      assert.ok(existsSync(join(folder, "out/panel.png")));
    });
  }

  test("a converted Keras network gives the same bytes; its weights alone convert, too", async () => {
    const converted = join(folder, "keras.safetensors");
    const keras = fixturePath("keras/keras3-functional.h5");
    const run = await srmap("convert", keras, "-o", converted, "--preprocess", "torchvision");
    assert.is(run.err, "");
    assert.match(run.out, /19 tensors, network "keras3-functional\.h5" included\n$/);
    const before = await logitsOf(keras, "--preprocess", "torchvision");
    assert.ok(before.equals(await logitsOf(converted)));
    const alone = await srmap("convert", fixturePath("keras/keras2-chain-weights.h5"), "-o", converted);
    assert.is(alone.err, "");
    assert.match(alone.out, /8 tensors, without a network\n$/);
  });

  test("Keras files must be told how photos are prepared", async () => {
    assert.is(
      (await explain("keras/keras2-functional.h5")).err,
      'srmap: weights "keras2-functional.h5": the file does not say how photos are prepared for its network. Name the preprocessing: torchvision, caffe-reference, vgg-caffe, vgg-face, plain.\n',
    );
    assert.is(
      (await explain("keras/keras2-chain-weights.h5")).err,
      'srmap: weights "keras2-chain-weights.h5": a keras-weights file does not describe its network. Name it. It fits none of the package\'s networks.\n',
    );
    assert.match(
      (await explain("keras/keras2-chain-weights.h5", "--model", "vgg16-caffe")).err,
      /^srmap: weights "keras2-chain-weights\.h5": Keras files do not say how photos are prepared for their network, and network "vgg16-caffe" prepares them for other weights\. Name the preprocessing\.\n$/,
    );
  });

  test("a converted ONNX network needs neither name nor preprocessing and gives the same bytes", async () => {
    const converted = join(folder, "converted.safetensors");
    const run = await srmap("convert", fixturePath("onnx-made.onnx"), "-o", converted, "--preprocess", "torchvision");
    assert.is(run.err, "");
    assert.match(run.out, /12 tensors, network "onnx-made\.onnx" included\n$/);
    const before = await logitsOf(fixturePath("onnx-made.onnx"), "--preprocess", "torchvision");
    assert.ok(before.equals(await logitsOf(converted)));
  });

  test("convert does not replace its input, and names the network that the tensors fit", async () => {
    writeSeededWeights(join(folder, "same.safetensors"), "squeezenet1_1", 1);
    assert.equal(await srmap("convert", "same.safetensors", "-o", join(folder, "same.safetensors")), {
      code: 1,
      out: "",
      err: `srmap: weights same.safetensors: "${join(folder, "same.safetensors")}" is the input itself, which would be lost. Choose another name for the output.\n`,
    });
    for (const [output, reason] of [
      [join(folder, "absent/x.safetensors"), "there is no such file or folder."],
      [folder, "it is a folder."],
    ] as const) {
      const { code, err } = await srmap("convert", "same.safetensors", "-o", output);
      assert.equal([code, err], [1, `srmap: output ${output} cannot be written: ${reason}\n`]);
    }
    assert.not(existsSync(`${folder}.part`));
    const run = await srmap("convert", "same.safetensors", "-o", "other.safetensors");
    assert.match(
      run.out,
      /52 tensors, without a network \(--model squeezenet1_1 would include the one that it fits\)\n$/,
    );
  });

  test("convert holds matrices in fewer bits and says what that costs", async () => {
    const run = await srmap(
      "convert",
      fixturePath("torch-zip-f32.pth"),
      "-o",
      "small.safetensors",
      "--precision",
      "int8",
    );
    assert.is(run.code, 0);
    assert.match(run.out, /16 tensors, without a network\n/);
    assert.match(run.out, /\n {2}fc\.weight: int8, largest error \d\.\de-\d, root mean square 0\.\d{3} %\n/);
    const inspected = await srmap("inspect", "small.safetensors");
    assert.match(inspected.out, /\n {2}fc\.weight +i8 +\[5,6\]\n/);
    const wrong = await srmap("convert", "seeded.safetensors", "-o", "x.safetensors", "--model", "alexnet");
    assert.is(wrong.code, 1);
    assert.match(
      wrong.err,
      /do not fit the network: \d+ missing.*\n[\s\S]*They fit "squeezenet1_1" and "squeezenet1_1-caffe": choose the one they belong to\.\n$/,
    );
    assert.not(existsSync(join(folder, "x.safetensors")));
    assert.not(existsSync(join(folder, "x.safetensors.part")));
  });

  test("how photos are prepared must be said where nobody knows it", async () => {
    const run = await explain("onnx-torch.onnx");
    assert.equal(run, {
      code: 1,
      out: "",
      err: 'srmap: weights "onnx-torch.onnx": the file does not say how photos are prepared for its network. Name the preprocessing: torchvision, caffe-reference, vgg-caffe, vgg-face, plain.\n',
    });
    const unknown = await explain("onnx-torch.onnx", "--preprocess", "torchvison");
    assert.is(unknown.code, 2);
    assert.match(unknown.err, /^srmap: preprocessing "torchvison": unknown\. Did you mean "torchvision"\?/);
  });

  test("a file that describes no network needs the name of one", async () => {
    const run = await explain("small-f32.safetensors");
    assert.match(
      run.err,
      /a safetensors file does not describe its network\. Name it\. It fits none of the package's networks\. For any other network export it/,
    );
    assert.ok(run.err.includes("torch.zeros(1, 3, 224, 224)"), run.err);
  });

  test("what such a file is told to export has the channels of its first convolution", async () => {
    const header = Buffer.from(
      JSON.stringify({ "stem.weight": { dtype: "F32", shape: [2, 1, 3, 3], data_offsets: [0, 72] } }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = join(folder, "grey.safetensors");
    writeFileSync(file, Buffer.concat([length, header, Buffer.alloc(72)]));
    const run = await srmap("explain", join(root, "examples/cat.jpg"), "--weights", file);
    assert.is(run.code, 1);
    assert.ok(
      run.err.endsWith(
        'torch.onnx.export(model, torch.zeros(1, 1, 224, 224), "network.onnx")  # for 224 x 224 put in its own height and width\n',
      ),
      run.err,
    );
  });

  test("external data is found behind links as the cache of Hugging Face has them, and beside the file that a link leads to", async () => {
    const [blobs, snapshot, elsewhere] = ["hub/blobs", "hub/snapshots/abc/onnx", "elsewhere"].map((name) => {
      mkdirSync(join(folder, name), { recursive: true });
      return join(folder, name);
    });
    copyFileSync(fixturePath("onnx-external.onnx"), join(blobs ?? "", "fb31"));
    copyFileSync(fixturePath("onnx-external.bin"), join(blobs ?? "", "fc69"));
    symlinkSync("../../../blobs/fb31", join(snapshot ?? "", "model.onnx"));
    symlinkSync("../../../blobs/fc69", join(snapshot ?? "", "onnx-external.bin"));
    symlinkSync(fixturePath("onnx-external.onnx"), join(elsewhere ?? "", "link.onnx"));
    for (const weights of [join(snapshot ?? "", "model.onnx"), join(elsewhere ?? "", "link.onnx")]) {
      const run = await explain(weights, "--preprocess", "torchvision");
      assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
    }
  });

  test("data that was renamed with its model is read, and a line says so; missing data is named", async () => {
    const own = join(folder, "renamed");
    mkdirSync(own);
    const model = join(own, "flowers.onnx");
    copyFileSync(fixturePath("onnx-external.onnx"), model);
    assert.equal(await explain(model, "--preprocess", "plain"), {
      code: 1,
      out: "",
      err: 'srmap: weights "flowers.onnx": part of its weights lies in "onnx-external.bin", which is not there. Put that file, under that name, into the folder of "flowers.onnx".\n',
    });
    copyFileSync(fixturePath("onnx-external.bin"), join(own, "flowers.onnx.data"));
    const run = await explain(model, "--preprocess", "torchvision");
    assert.equal(
      { code: run.code, err: run.err },
      {
        code: 0,
        err: 'note: weights "flowers.onnx": its weights should lie in "onnx-external.bin", which is not there; "flowers.onnx.data", which is called after the model, is read instead.\n',
      },
    );
  });

  test("a known network runs at the size that is asked for, or says why it cannot", async () => {
    writeSeededWeights(join(folder, "squeeze.safetensors"), "squeezenet1_1", 1);
    const sized = ["--input-size", "128x160"];
    const run = await explain(join(folder, "squeeze.safetensors"), "--model", "squeezenet1_1", ...sized);
    assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
    const { arrays } = JSON.parse(readFileSync(join(folder, "out/explanation.json"), "utf8"));
    assert.equal(arrays["relevance.npy"].shape, [3, 128, 160]);
    const mini = join(root, "models/alexnet-mini.safetensors");
    const refused = await explain(mini, "--model", "alexnet-mini", "--input-size", "96x96");
    assert.is(
      refused.err,
      `srmap: weights ${mini}: input size 96x96: layer "fc6" of network "alexnet-mini" reads 5760 values, but at this size there are 640. Only networks that pool over the whole image before their dense layers take any size.\n`,
    );
  });

  test("external data behind a link out of the model's folder is refused", async () => {
    const inner = join(folder, "inner");
    mkdirSync(inner);
    copyFileSync(fixturePath("onnx-external.onnx"), join(inner, "net.onnx"));
    symlinkSync(fixturePath("onnx-external.bin"), join(inner, "onnx-external.bin"));
    const run = await srmap("explain", cat, "--weights", join(inner, "net.onnx"), "--preprocess", "plain");
    assert.is(run.code, 1);
    assert.match(run.err, /its external data "onnx-external\.bin" would lie outside the model's folder\.\n$/);
  });
});
