import * as assert from "uvu/assert";
import { modelByName } from "../../engine/models/index.ts";
import { checkPairing, networkOf, preprocessingOf, type WeightFile } from "../../weights-loader/index.ts";
import { rejection } from "../support/fixtures.ts";
import { suite } from "../support/suite.ts";

function file(format: string, metadata: Record<string, string> = {}): WeightFile {
  const nothing = async (): Promise<Float32Array> => new Float32Array(0);
  return { name: "w", format, metadata, tensors: new Map(), readRows: nothing, read: nothing };
}

const vgg16 = modelByName("vgg16");
const vgg16Caffe = modelByName("vgg16-caffe");
const carrying = (value: unknown): Record<string, string> => ({ "srmap.preprocessing": JSON.stringify(value) });

suite("what belongs to the weights", (test) => {
  test("weights and network that prepare photos alike are a pair", () => {
    checkPairing(vgg16, file("torch-zip"));
    checkPairing(vgg16Caffe, file("caffe"));
    checkPairing(vgg16, file("safetensors", carrying(vgg16.preprocessing)));
  });

  test("a wrong pairing is an error that names both ways", async () => {
    const check = async (weights: WeightFile): Promise<void> => checkPairing(vgg16, weights);
    const torchvision = "RGB (shorter 256, scale 0.00392157, mean 0.485 0.456 0.406, std 0.229 0.224 0.225)";
    const remedy = "Choose the network that these weights were made for, or name the preprocessing yourself.";
    assert.is(
      await rejection(check(file("caffe"))),
      `UnsupportedError: weights "w": Caffe's networks expect BGR photos, network "vgg16" prepares them as ${torchvision}. ${remedy}`,
    );
    assert.is(
      await rejection(check(file("safetensors", carrying(vgg16Caffe.preprocessing)))),
      `UnsupportedError: weights "w": they expect photos prepared as BGR (shorter 256, scale 1, mean 103.939 116.779 123.68, std 1 1 1), network "vgg16" prepares them as ${torchvision}. ${remedy}`,
    );
  });

  test("a preprocessing with anything that is none in it is refused", async () => {
    const good = vgg16.preprocessing;
    const net = { name: "x", output: "y", inputShape: [3, 8, 8], nodes: [] };
    for (const bad of [
      { channelOrder: 5 },
      { channelOrder: ["rgb"] },
      { channelOrder: "RGB" },
      { channelOrder: null },
      { resize: {} },
      { resizeTo: "256" },
      { scale: null },
      { mean: "0.5" },
      { mean: [0.5, "0.5", 0.5] },
      { std: [[1], 1, 1] },
    ]) {
      const text = JSON.stringify({ ...good, ...bad });
      assert.is(
        await rejection((async () => preprocessingOf(file("safetensors", { "srmap.preprocessing": text })))()),
        `FormatError: weights "w": the metadata "srmap.preprocessing" are no preprocessing.`,
        text,
      );
      const carried = JSON.stringify({ ...net, preprocessing: { ...good, ...bad } });
      assert.is(
        await rejection((async () => networkOf(file("safetensors", { "srmap.network": carried })))()),
        `FormatError: weights "w": the metadata "srmap.network" describe no network.`,
        text,
      );
    }
  });

  test("a carried network comes back, anything else is refused", async () => {
    assert.equal(networkOf(file("safetensors", { "srmap.network": JSON.stringify(vgg16) })), vgg16);
    for (const text of ["[]", "{}", `{"name":"x","output":"y","inputShape":[3],"nodes":[1]}`, "null"]) {
      assert.is(
        await rejection((async () => networkOf(file("safetensors", { "srmap.network": text })))()),
        `FormatError: weights "w": the metadata "srmap.network" describe no network.`,
      );
    }
    assert.is(
      await rejection((async () => networkOf(file("safetensors", { "srmap.network": "{" })))()),
      `FormatError: weights "w": the metadata "srmap.network" is not JSON. The file is damaged: get a fresh copy.`,
    );
  });
});
