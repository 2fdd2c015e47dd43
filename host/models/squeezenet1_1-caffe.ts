import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { imagenetLabels } from "../../engine/labels/imagenet.ts";
import { squeezenet1_1Caffe } from "../../engine/models/squeezenet.ts";

/** SqueezeNet 1.1, the thousand classes of ImageNet: its layers, how photos are prepared, its class names. What it is good at: models/squeezenet1_1-caffe.md. */
export function definition(): NetworkDefinition {
  return { ...squeezenet1_1Caffe(), labels: imagenetLabels };
}

/** Where its trained weights lie, in a form that bundlers know: they copy the file and put in its new address. */
export function weights(): URL {
  return new URL("../../../models/squeezenet1_1-caffe.safetensors", import.meta.url);
}
