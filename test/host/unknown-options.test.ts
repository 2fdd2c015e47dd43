import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { heatmap, Network, overlay, salientRelevance, tensor } from "../../engine/index.ts";
import { createImage } from "../../engine/picture/image.ts";
import {
  convertFile,
  decodeAnyImage,
  decodeImage,
  fetchModel,
  fetchWeights,
  loadKernels,
  loadNetwork,
  openNetwork,
  readImage,
  servePage,
} from "../../host/node.ts";
import { decodeImage as decodeAnywhere } from "../../photos/index.ts";
import {
  bindWeights,
  bytesSource,
  convertWeights,
  importCaffe,
  importKerasFile,
  importNetwork,
  importOnnx,
  importTfjs,
  openWeights,
} from "../../weights-loader/index.ts";
import { networkCases } from "../cases/networks.ts";
import { fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// An option that does not exist is refused by every public function that takes options: a misspelt one would be ignored in silence.

const odd = { prepocess: "plain" } as Readonly<Record<string, unknown>>;
const wrong = odd as never;
const weights = fixturePath("onnx-made.onnx");
const source = bytesSource(fixtureBytes("onnx-made.onnx"));
const cat = join(root, "examples/cat.jpg");
const file = openWeights(bytesSource(fixtureBytes("small-f32.safetensors")));
const [firstCase] = Object.values(networkCases);
const map = tensor([4, 4], new Float32Array(16));

const calls: Readonly<Record<string, () => unknown>> = {
  loadNetwork: () => loadNetwork(undefined, weights, wrong),
  openNetwork: () => openNetwork(undefined, weights, wrong),
  convertFile: () => convertFile(weights, join(root, "never"), wrong),
  fetchModel: () => fetchModel("vgg16", wrong),
  fetchWeights: () =>
    fetchWeights({ file: "x", url: "http://localhost:1/x", sha256: "00" }, join(root, "build/never"), wrong),
  loadKernels: () => loadKernels(wrong),
  servePage: () => servePage(wrong),
  openWeights: () => openWeights(source, wrong),
  importNetwork: () => importNetwork(source, wrong),
  importOnnx: () => importOnnx(source, wrong),
  importCaffe: () => importCaffe(source, wrong),
  importTfjs: () => importTfjs(source, wrong),
  importKerasFile: () => importKerasFile(source, wrong),
  bindWeights: async () => bindWeights(new Network(testKernels(), firstCase!.definition), await file, wrong),
  convertWeights: async () => convertWeights(await file, wrong),
  Network: () => new Network(testKernels(), firstCase!.definition, wrong),
  heatmap: () => heatmap(map, wrong),
  overlay: () => overlay(createImage(4, 4), map, wrong),
  "image limits": () => decodeImage(readFileSync(cat), wrong),
};

suite("unknown options", (test) => {
  for (const [name, call] of Object.entries(calls)) {
    test(`${name} refuses an option that does not exist`, async () => {
      const message = await rejection((async () => call())());
      assert.ok(message.startsWith(`TypeError: ${name}: unknown option "prepocess".`), message);
      assert.match(message, /It takes \w+/);
    });
  }

  test("the nearest option is offered", async () => {
    assert.match(await rejection(loadNetwork(undefined, weights, wrong)), /Did you mean "preprocess"\?/);
  });

  test("salient relevance and every way to decode a photo refuse them, too", async () => {
    assert.match(await rejection((async () => salientRelevance(testKernels(), map, wrong))()), /unknown option/);
    const bytes = readFileSync(cat);
    for (const call of [decodeAnyImage(bytes, wrong), decodeAnywhere(bytes, wrong), readImage(cat, wrong)]) {
      assert.match(
        await rejection(call),
        /^TypeError: image limits: unknown option "prepocess"\. It takes maxPixels\.$/,
      );
    }
    assert.is(
      await rejection(decodeAnyImage(bytes, {} as never)),
      "TypeError: image limits: maxPixels must be a number over 0, got undefined.",
    );
  });
});
