import * as assert from "uvu/assert";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { bindKeras, checkFit, checkPairing, type TensorInfo, type WeightFile } from "../../weights-loader/index.ts";
import { withOriginalPreprocessing } from "../../weights-loader/keras/applications.ts";
import { suite } from "../support/suite.ts";

/** The list of keras.applications.VGG16's weights; there is no data behind it. */
function vgg16(classes = 1000): WeightFile {
  const tensors = new Map<string, TensorInfo>();
  const add = (layer: string, shape: number[]): void => {
    for (const [part, size] of [["kernel", shape] as const, ["bias", shape.slice(-1)] as const]) {
      tensors.set(`${layer}/${part}`, { name: `${layer}/${part}`, dtype: "f32", shape: size });
    }
  };
  let channels = 3;
  for (const [block, count] of [2, 2, 3, 3, 3].entries()) {
    for (let i = 0; i < count; i++) {
      const out = [64, 128, 256, 512, 512][block] ?? 0;
      add(`block${block + 1}_conv${i + 1}`, [3, 3, channels, out]);
      channels = out;
    }
  }
  add("fc1", [25088, 4096]);
  add("fc2", [4096, 4096]);
  add("predictions", [4096, classes]);
  const read = async (): Promise<Float32Array> => new Float32Array(0);
  return { name: "vgg16.h5", format: "keras-weights", metadata: {}, tensors, read, readRows: read };
}

function pairing(model: string, file: WeightFile): string {
  const definition = modelByName(model);
  const weights = bindKeras(definition, withOriginalPreprocessing(file));
  checkFit(networkParameters(definition), weights);
  try {
    checkPairing(definition, weights);
    return "fits";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

suite("Keras applications", (test) => {
  test("Keras' VGG-16 is Oxford's: BGR less the mean colour", () => {
    assert.is(pairing("vgg16-caffe", vgg16()), "fits");
    assert.is(
      pairing("vgg16", vgg16()),
      'weights "vgg16.h5": they expect photos prepared as BGR (shorter 256, scale 1, mean 103.939 116.779 123.68, std 1 1 1), network "vgg16" prepares them as RGB (shorter 256, scale 0.00392157, mean 0.485 0.456 0.406, std 0.229 0.224 0.225). Choose the network that these weights were made for, or name the preprocessing yourself.',
    );
  });

  test("a VGG-16 for other classes says nothing about its photos", () => {
    assert.equal(withOriginalPreprocessing(vgg16(10)).metadata, {});
  });
});
