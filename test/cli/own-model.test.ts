import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { tensor } from "../../engine/index.ts";
import { Chain } from "../../engine/models/chain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { parseNpy } from "../../weights-loader/index.ts";
import { fixturePath } from "../support/fixtures.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { type Run, srmap } from "../support/run-cli.ts";
import { writeSeededNetwork } from "../support/seeded-weights.ts";
import { suite } from "../support/suite.ts";

// A network, photos and names of one's own, from the command line to the numbers.

const folder = mkdtempSync(join(tmpdir(), "srmap-own-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const logitsOf = (out: string): Float32Array => {
  const path = join(folder, out, "logits.npy");
  return parseNpy(readFileSync(path), path).data as Float32Array;
};

/** A network for digits, as MNIST has them: one channel, 28x28. */
function digits(): NetworkDefinition {
  const { nodes } = new Chain()
    .convolution("conv1", "conv1", 4, 5, { pad: 2 })
    .maxPool("pool1", 2, 2)
    .convolution("conv2", "conv2", 6, 5)
    .maxPool("pool2", 2, 2)
    .add("flatten", { op: "flatten" })
    .dense("fc", "fc", 10, false);
  return { name: "digits", inputShape: [1, 28, 28], nodes, output: "fc" };
}

/** A noisy coloured photo of the network's own size. */
function colouredPng(side: number): { png: Uint8Array; rgba: Uint8Array } {
  const png = new PNG({ width: side, height: side });
  const random = rng(7);
  for (let i = 0; i < png.data.length; i++) png.data[i] = i % 4 === 3 ? 255 : random.integer(0, 255);
  return { png: PNG.sync.write(png), rgba: png.data };
}

const marks: readonly (readonly [string, (text: string) => Uint8Array])[] = [
  ["UTF-8", (text) => Buffer.from(`\uFEFF${text}`)],
  ["UTF-16", (text) => Buffer.from(`\uFEFF${text}`, "utf16le")],
  ["UTF-16 with its bytes swapped", (text) => Buffer.from(`\uFEFF${text}`, "utf16le").swap16()],
];

suite("cli/own model", (test) => {
  test("a network of one channel takes a coloured photo as Pillow's grey, from the command line to the panel", async () => {
    const weights = join(folder, "digits.safetensors");
    writeSeededNetwork(weights, digits(), 3);
    const { png, rgba } = colouredPng(28);
    const photo = written("noise.png", png);
    const how = "order=gray,mean=0.1307,std=0.3081";
    const run = await srmap(
      ...["explain", photo, "--weights", weights, "--preprocess", how, "--out", join(folder, "digit")],
      ...["--sr", "workSize=28", "--classes", written("digits.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\nnine\n")],
    );
    assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
    // Pillow's L: ITU-R 601-2 in integers (Image.convert), then (x / 255 - mean) / std.
    const grey = Float32Array.from({ length: 28 * 28 }, (_, i) => {
      const [r = 0, g = 0, b = 0] = rgba.subarray(4 * i, 4 * i + 3);
      return (((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) / 255 - 0.1307) / 0.3081;
    });
    const network = await loadNetwork(undefined, weights);
    const expected = network.forward(tensor([1, 28, 28], grey)).data;
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, value] of logitsOf("digit").entries()) {
      assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) <= 1e-5 * largest, `logit ${i}`);
    }
    const report = JSON.parse(readFileSync(join(folder, "digit/explanation.json"), "utf8"));
    assert.equal(report.arrays["relevance.npy"].shape, [1, 28, 28]);
    assert.equal(report.arrays["salient-relevance.npy"].shape, [28, 28]);
    const best = expected.indexOf(Math.max(...expected));
    assert.is(report.top[0].label, best === 9 ? "nine" : String(best));
    for (const name of ["panel.png", "overlay.png", "relevance.png"])
      assert.ok(existsSync(join(folder, "digit", name)));
  });

  test("a way to prepare three colours alike serves one channel, one of three means is refused", async () => {
    const photo = written("noise.png", colouredPng(28).png);
    const explain = (how: string): Promise<Run> => {
      const quick = ["--no-salient", "--write", "npy", "--out", join(folder, "grey"), "--existing", "replace"];
      return srmap("explain", photo, "--weights", join(folder, "digits.safetensors"), "--preprocess", how, ...quick);
    };
    assert.is((await explain("plain")).code, 0);
    const plain = logitsOf("grey");
    assert.is((await explain("order=gray,mean=0,std=1")).code, 0);
    assert.equal(logitsOf("grey"), plain);
    assert.equal(await explain("torchvision"), {
      code: 1,
      out: "",
      err: `${photo}: preprocess: this network takes one channel, but its photos are prepared with a mean [0.485,0.456,0.406] and deviation [0.229,0.224,0.225] per colour. Give one of each: --preprocess order=gray,mean=M,std=S.\n`,
    });
  });

  test("a mean image of Caffe's is the mean of pixels, whatever scale and order the photos have", async () => {
    const colours: NetworkDefinition = { ...digits(), name: "colours", inputShape: [3, 28, 28] };
    const weights = join(folder, "colours.safetensors");
    writeSeededNetwork(weights, colours, 3);
    // BlobProto: num, channels, height and width, then the data; blue, green and red.
    const blob = [8, 1, 16, 3, 24, 1, 32, 1, 42, 12, ...new Uint8Array(Float32Array.of(104, 117, 123).buffer)];
    const mean = written("mean.binaryproto", Uint8Array.from(blob));
    const photo = written("noise.png", colouredPng(28).png);
    const explain = (how: string): Promise<Run> => {
      const quick = ["--no-salient", "--write", "npy", "--out", join(folder, "mean"), "--existing", "replace"];
      return srmap("explain", photo, "--weights", weights, "--preprocess", how, ...quick);
    };
    for (const [file, numbers] of [
      [`order=bgr,scale=1,mean=${mean}`, "order=bgr,scale=1,mean=104/117/123"],
      [`mean=${mean},scale=0.5`, "scale=0.5,mean=61.5/58.5/52"],
    ] as const) {
      assert.is((await explain(numbers)).code, 0);
      const expected = logitsOf("mean");
      assert.equal(await explain(file).then(({ code, err }) => ({ code, err })), { code: 0, err: "" });
      assert.equal(logitsOf("mean"), expected);
    }
    assert.equal(await explain(`order=gray,mean=${mean}`), {
      code: 2,
      out: "",
      err: `srmap: --preprocess mean=${mean}: it has 3 channels, photos in order=gray 1.\n`,
    });
    const missing = join(folder, "none.binaryproto");
    assert.is(
      (await explain(`mean=${missing}`)).err,
      `srmap: preprocessing ${missing}: there is no such file or folder.\n`,
    );
  });

  test("a network that normalises its input itself is told, and twice is told, too", async () => {
    const weights = join(folder, "normalised.safetensors");
    const { nodes } = new Chain()
      .batchNorm("norm", "norm")
      .convolution("conv1", "conv1", 4, 3, { stride: 2 })
      .add("pool", { op: "globalAveragePool2d" })
      .add("flatten", { op: "flatten" })
      .dense("fc", "fc", 3, false);
    const norm = { mean: [0.485, 0.456, 0.406], variance: [0.25, 0.25, 0.25] };
    const values = new Map([
      ["norm.running_mean", norm.mean],
      ["norm.running_var", norm.variance],
      ["norm.weight", [1, 1, 1]],
      ["norm.bias", [0, 0, 0]],
    ]);
    const definition = { name: "own", inputShape: [3, 32, 32], nodes, output: "fc" };
    writeSeededNetwork(weights, definition, 5, values);
    const explain = async (how: string): Promise<string> => {
      const quick = ["--no-salient", "--write", "npy", "--out", join(folder, "normalised"), "--existing", "replace"];
      const cat = join(root, "examples/cat.jpg");
      return (await srmap("explain", cat, "--weights", weights, "--preprocess", how, ...quick)).err;
    };
    const what =
      'note: weights "normalised.safetensors": it normalises its input itself: layer "norm" takes the mean 0.485 0.456 0.406 and divides by 0.5.';
    assert.is(
      await explain("resize=32,crop=32"),
      `${what} Photos are given to it without another mean and deviation.\n`,
    );
    assert.is(
      await explain("resize=32,crop=32,mean=0.5,std=0.5"),
      `${what} Photos come with the mean and deviation of their preprocessing taken off already: unless it was trained so, that is once too often, and --preprocess should have mean=0 and std=1.\n`,
    );
  });

  for (const [encoding, encode] of marks) {
    test(`text files may begin with a byte order mark: ${encoding}`, async () => {
      const photo = written("noise.png", colouredPng(28).png);
      const names = Array.from({ length: 10 }, (_, i) => `digit ${i}`);
      const how = { order: "gray", mean: 0.1307, std: 0.3081 };
      const rules = {
        assignments: [
          { match: { op: "conv2d" }, rule: "zPlus" },
          { match: { op: "dense" }, rule: "epsilon" },
        ],
      };
      const run = await srmap(
        ...["explain", photo, "--weights", join(folder, "digits.safetensors"), "--no-salient", "--write", "npy"],
        ...["--classes", written("names.json", encode(JSON.stringify(names)))],
        ...["--preprocess", written("how.json", encode(JSON.stringify(how)))],
        ...["--composite", written("rules.json", encode(JSON.stringify(rules)))],
        ...["--out", join(folder, "marked"), "--existing", "replace"],
      );
      assert.equal({ code: run.code, err: run.err }, { code: 0, err: "" });
      assert.match(run.out, /digit \d/);
      const caffe = fixturePath("caffe-v2.caffemodel");
      const described = written("net.prototxt", encode(readFileSync(fixturePath("caffe-v2.prototxt"), "utf8")));
      const cat = join(root, "examples/cat.jpg");
      const imported = await srmap(
        ...["explain", cat, "--weights", caffe, "--prototxt", described, "--preprocess", "caffe-reference"],
        ...["--no-salient", "--write", "npy", "--out", join(folder, "marked-caffe"), "--existing", "replace"],
      );
      assert.equal({ code: imported.code, err: imported.err }, { code: 0, err: "" });
      const labels = written("labels.json", encode(JSON.stringify({ "cat.jpg": "tench", "coffee.jpg": "church" })));
      const labelled = await srmap(
        ...["explain", cat, join(root, "examples/coffee.jpg"), "--model", "alexnet-mini", "--labels", labels],
        ...["--no-salient", "--write", "npy", "--jobs", "1", "--out", join(folder, `labelled-${encoding.length}`)],
      );
      assert.is(labelled.err.replace(/.*unsure.*\n/g, ""), "");
      assert.is(labelled.code, 0);
    });
  }
});
